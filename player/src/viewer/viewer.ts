/** Who is signed in, which of the account's profiles watches, and the language the page speaks. */

import { Refusal } from '../http';
import { speak, spoken, type Language } from '../words';
import { api, type Account, type Profile, type SignedIn } from './api';
import { recall, remember } from './store';

interface Viewer {
  account: Account;
  profiles: Profile[];
  profile: Profile | null;
}

let current: Viewer | null = null;

export const viewer = {
  now: () => current,

  /** The profile that watches; views that need one are only shown when there is one. */
  profile: () => current!.profile!,

  /** Ask the server who is signed in here. */
  async load(): Promise<void> {
    try {
      viewer.enter(await api.account());
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error;
      viewer.leave();
    }
  },

  /** An account with one profile is that profile; else the one chosen here before, if any. */
  enter({ account, profiles }: SignedIn): void {
    const chosen = profiles.find(({ id }) => id === recall('profile')) ?? null;
    const profile = profiles.length === 1 ? profiles[0]! : chosen;
    current = { account, profiles, profile };
    chooseLanguage();
  },

  /** Nobody is signed in any more. */
  leave(): void {
    current = null;
    chooseLanguage();
  },

  choose(profile: Profile | null): void {
    current!.profile = profile;
    remember('profile', profile?.id ?? null);
    chooseLanguage();
  },

  /** What the browser is to speak before anybody has signed in, and the profile from now on. */
  async setLanguage(language: Language): Promise<void> {
    remember('language', language);
    if (current?.profile) replace(await api.changeProfile(current.profile.id, { language }));
    chooseLanguage();
  },

  /** A profile was added or changed. */
  keep(profile: Profile): void {
    replace(profile);
    chooseLanguage();
  },

  drop(profile: Profile): void {
    current!.profiles = current!.profiles.filter(({ id }) => id !== profile.id);
    if (current!.profile?.id === profile.id) viewer.choose(null);
  },
};

function replace(profile: Profile): void {
  const viewing = current!;
  const known = viewing.profiles.findIndex(({ id }) => id === profile.id);
  if (known < 0) viewing.profiles.push(profile);
  else viewing.profiles[known] = profile;
  if (viewing.profile?.id === profile.id) viewing.profile = profile;
}

/** The profile's, the one chosen in this browser, the account's, or the browser's own. */
function chooseLanguage(): void {
  const { profile, account } = current ?? {};
  speak(
    profile
      ? spoken([profile.language, account?.language])
      : spoken([recall('language'), account?.language, ...navigator.languages]),
  );
}
