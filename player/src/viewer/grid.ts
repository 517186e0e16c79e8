/** Titles in a grid, more of them as the viewer scrolls: a search, a kind, a genre, a list. */

import { h } from '../dom';
import { words } from '../words';
import { announce } from './announce';
import type { Found } from './api';
import { cardOf } from './card';
import type { View } from './view';

export interface Query {
  title: string;
  page(cursor: string | null): Promise<Found>;
  /** What to say when there is nothing: a heading, and a sentence. */
  none: [string, string];
}

export async function gridView({ title, page, none }: Query, signal: AbortSignal): Promise<View> {
  const first = await page(null);
  const list = h('ul', { class: 'tiles', role: 'list' });
  const status = h('p', { class: 'status' });
  const sentinel = h('div', { class: 'sentinel', 'aria-hidden': true });
  const heading = h('div', { class: 'heading' }, h('h1', {}, title), status);
  const element = h('section', { class: 'results' }, heading, list, sentinel);

  let next = first.next;
  function add(found: Found): void {
    list.append(...found.titles.map((card) => h('li', {}, cardOf(card, 'upright'))));
    next = found.next;
    status.textContent = list.children.length
      ? words.found(list.children.length, next !== null)
      : '';
  }

  const watcher = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && void more(),
    { rootMargin: '600px' },
  );
  let pending = false;
  async function more(): Promise<void> {
    if (next === null || pending) return;
    pending = true;
    try {
      add(await page(next));
    } catch (error) {
      status.textContent = (error as Error).message;
      return;
    } finally {
      pending = false;
    }
    watcher.unobserve(sentinel);
    watcher.observe(sentinel);
  }
  signal.addEventListener('abort', () => watcher.disconnect());

  add(first);
  if (!first.titles.length) {
    const [head, hint] = none;
    element.append(h('div', { class: 'message' }, h('h2', {}, head), h('p', {}, hint)));
    announce(head);
  } else {
    announce(status.textContent ?? '');
    watcher.observe(sentinel);
  }
  return { title, element };
}
