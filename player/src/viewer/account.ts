/** The account: its plan, and its password. */

import { h } from '../dom';
import { words } from '../words';
import { announce } from './announce';
import { api } from './api';
import { form } from './form';
import type { View } from './view';
import { viewer } from './viewer';

export function accountView(): View {
  const { account } = viewer.now()!;
  const done = h('p', { class: 'status', hidden: true }, words.passwordChanged);
  const password = form(
    [
      {
        name: 'current',
        label: words.currentPassword,
        type: 'password',
        autocomplete: 'current-password',
      },
      {
        name: 'new',
        label: words.newPassword,
        type: 'password',
        autocomplete: 'new-password',
        hint: words.passwordHint,
      },
    ],
    words.changePassword,
    async (value) => {
      await api.changePassword(value('current'), value('new'));
      password.reset();
      done.hidden = false;
      announce(words.passwordChanged);
    },
  );
  const facts = h(
    'dl',
    { class: 'particulars' },
    h('div', {}, h('dt', {}, words.email), h('dd', {}, account.email)),
    h(
      'div',
      {},
      h('dt', {}, words.plan),
      h('dd', {}, `${account.plan} · ${words.streams(account.streams)}`),
    ),
  );
  const element = h(
    'section',
    { class: 'gate' },
    h('h1', {}, words.account),
    facts,
    h('h2', {}, words.changePassword),
    password,
    done,
  );
  return { title: words.account, element };
}
