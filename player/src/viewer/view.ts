/** What stands in the page's main part, and small things that views are made of. */

import { h } from '../dom';
import { words } from '../words';
import { complain } from './announce';

export interface View {
  /** Of the document; the first heading says the same. */
  title: string;
  element: HTMLElement;
  /** Before another view comes; what it resolves with has been told to the server. */
  leave?(): Promise<void> | void;
}

export type Notes = string | Node;

/** What `act` fails with is shown. */
export function button(text: string, act: () => unknown, className = 'button'): HTMLButtonElement {
  const made = h('button', { type: 'button', class: className }, text);
  made.addEventListener('click', () => {
    Promise.resolve(act()).catch(complain);
  });
  return made;
}

export function link(text: string, href: string, className = ''): HTMLAnchorElement {
  return h('a', { href, ...(className && { class: className }) }, text);
}

/** In place of a view that cannot be, with what to do about it. */
export function messageView(title: string, reason: Notes, ...actions: HTMLElement[]): View {
  const body = h('p', {}, reason);
  const row = h('div', { class: 'actions' }, ...actions);
  return {
    title,
    element: h('div', { class: 'message', role: 'alert' }, h('h1', {}, title), body, row),
  };
}

export function notFoundView(reason = ''): View {
  return messageView(words.notFound, reason, link(words.goHome, '#/', 'button'));
}
