/** The API for viewers, as docs/api.md has it. Times in seconds; artwork as addresses. */

import { ask } from '../http';
import type { Language } from '../words';

export interface Status {
  accounts: boolean;
  sign_up: boolean;
}

export interface Account {
  id: string;
  email: string;
  name: string;
  language: string;
  plan: string;
  role: string;
  streams: number;
}

export interface Profile {
  id: string;
  name: string;
  colour: string;
  language: string;
  kids: boolean;
}

export interface SignedIn {
  account: Account;
  profiles: Profile[];
}

export interface Card {
  id: string;
  kind: 'movie' | 'series' | 'episode';
  name: string;
  year: number | null;
  duration: number | null;
  maturity: string | null;
  genres: string[];
  artwork: { poster: string | null; backdrop: string | null };
  progress: { position: number; duration: number } | null;
  /** The place of an episode; `null` for other kinds. */
  series: { id: string; season: number; episode: number } | null;
}

export type EpisodeCard = Card & { synopsis: string | null };

export interface Detail extends Card {
  synopsis: string | null;
  languages: string[];
  subtitles: string[];
  in_list: boolean;
  playable: boolean;
  seasons: { number: number; episodes: EpisodeCard[] }[];
}

export interface Row {
  id: string;
  name: string;
  titles: Card[];
}

export interface Found {
  titles: Card[];
  next: string | null;
}

export interface Started {
  session: string;
  hls: string;
  dash: string;
  expires: number;
  heartbeat_seconds: number;
  /** Where to go on. */
  resume: number;
  title: Card;
  next: Card | null;
}

/** A stream that takes one of the account's places (409). */
export interface Stream {
  device: string;
  title: string;
  since: string | number;
}

export interface Credentials {
  email: string;
  password: string;
}

export type NewProfile = Omit<Profile, 'id'>;

const at = (path: string, query: Record<string, string | null> = {}) => {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  const text = new URLSearchParams(given).toString();
  return `api/${path}${text && `?${text}`}`;
};
const one = encodeURIComponent;

export const api = {
  status: () => ask<Status>('GET', at('status')),

  signUp: (person: Credentials & { name: string; language: Language }) =>
    ask<SignedIn>('POST', at('accounts'), person),
  signIn: (credentials: Credentials, device: string) =>
    ask<SignedIn>('POST', at('sign-in'), { ...credentials, device }, {}, true),
  signOut: () => ask<void>('POST', at('sign-out')),
  account: () => ask<SignedIn>('GET', at('account')),
  changePassword: (current: string, next: string) =>
    ask<void>('POST', at('account/password'), { current, new: next }),

  addProfile: (profile: NewProfile) => ask<Profile>('POST', at('profiles'), profile),
  changeProfile: (id: string, changes: Partial<NewProfile>) =>
    ask<Profile>('PATCH', at(`profiles/${one(id)}`), changes),
  removeProfile: (id: string) => ask<void>('DELETE', at(`profiles/${one(id)}`)),

  home: (profile: string, language: Language) =>
    ask<{ rows: Row[] }>('GET', at('home', { profile, language })),
  titles: (
    wanted: { kind: string | null; genre: string | null },
    profile: string,
    language: Language,
    cursor: string | null,
  ) => ask<Found>('GET', at('titles', { ...wanted, profile, language, cursor })),
  title: (id: string, profile: string, language: Language) =>
    ask<Detail>('GET', at(`titles/${one(id)}`, { profile, language })),
  search: (
    q: string,
    profile: string,
    language: Language,
    cursor: string | null,
    signal?: AbortSignal,
  ) =>
    ask<Found>(
      'GET',
      at('search', { q, profile, language, cursor }),
      undefined,
      signal ? { signal } : {},
    ),
  putInList: (id: string, profile: string) =>
    ask<void>('PUT', at(`my-list/${one(id)}`, { profile })),
  takeFromList: (id: string, profile: string) =>
    ask<void>('DELETE', at(`my-list/${one(id)}`, { profile })),

  play: (title: string, profile: string, device: string) =>
    ask<Started>('POST', at('playback'), { title, profile, device }),
  beat: (session: string, position: number, state: string) =>
    ask<{ expires: number }>('POST', at(`playback/${one(session)}/heartbeat`), { position, state }),
  /** Also while the page is going away. */
  end: (session: string, position: number | null) =>
    ask<void>(
      'DELETE',
      at(`playback/${one(session)}`, { position: position === null ? null : position.toFixed(3) }),
      undefined,
      { keepalive: true },
    ),
};
