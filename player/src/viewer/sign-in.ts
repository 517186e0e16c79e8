/** Signing in, and making an account. */

import { h } from '../dom';
import { language, words } from '../words';
import { api, type SignedIn } from './api';
import { deviceName } from './device';
import { form } from './form';
import { hashes } from './route';
import { link, type View } from './view';
import { viewer } from './viewer';

/** `note`: why the viewer is here, where it was not his own wish. */
export function signInView(next: string, mayJoin: boolean, note: string): View {
  const fields = form(
    [
      { name: 'email', label: words.email, type: 'email', autocomplete: 'username' },
      {
        name: 'password',
        label: words.password,
        type: 'password',
        autocomplete: 'current-password',
      },
    ],
    words.signIn,
    async (value) => {
      const credentials = { email: value('email'), password: value('password') };
      enter(await api.signIn(credentials, deviceName()), next);
    },
  );
  const other = mayJoin ? [words.noAccount, ' ', link(words.signUp, hashes.signUp(next))] : [];
  return gate(words.signIn, note || words.welcome, fields, other);
}

export function signUpView(next: string): View {
  const fields = form(
    [
      { name: 'name', label: words.yourName, autocomplete: 'name' },
      { name: 'email', label: words.email, type: 'email', autocomplete: 'username' },
      {
        name: 'password',
        label: words.password,
        type: 'password',
        autocomplete: 'new-password',
        hint: words.passwordHint,
      },
    ],
    words.signUp,
    async (value) => {
      const person = { name: value('name'), email: value('email'), password: value('password') };
      enter(await api.signUp({ ...person, language }), next);
    },
  );
  const other = [words.haveAccount, ' ', link(words.signIn, hashes.signIn(next))];
  return gate(words.signUp, words.welcome, fields, other);
}

function enter(signedIn: SignedIn, next: string): void {
  viewer.enter(signedIn);
  location.hash = next;
}

function gate(
  title: string,
  lead: string,
  fields: HTMLElement,
  other: (string | HTMLElement)[],
): View {
  const element = h(
    'section',
    { class: 'gate' },
    h('h1', {}, title),
    h('p', { class: 'lead' }, lead),
    fields,
    h('p', { class: 'other' }, ...other),
  );
  return { title, element };
}
