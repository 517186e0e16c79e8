/** The grid of titles: more load as the viewer scrolls, or as a filter leaves room for them. */

import type { Title } from './api';
import { catalogue } from './catalogue';
import { h, icon } from './dom';
import { prefetch } from './engines';
import { clock } from './format';
import { Refusal } from './http';
import { paint } from './poster';
import { engineFor, watchHash } from './route';

export interface LibraryView {
  element: HTMLElement;
  filter(text: string): void;
}

export function libraryView(): LibraryView {
  const grid = h('ul', { class: 'grid', role: 'list' });
  const status = h('p', { class: 'status', role: 'status' });
  const notice = h('div', { class: 'message', hidden: true });
  const sentinel = h('div', { class: 'sentinel', 'aria-hidden': true });
  const heading = h('div', { class: 'heading' }, h('h1', {}, 'Library'), status);
  const element = h('section', { class: 'library' }, heading, grid, notice, sentinel);

  let wanted = '';
  const cards: { card: HTMLElement; text: string }[] = [];

  const watcher = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void loadMore();
    },
    { rootMargin: '600px' },
  );
  watcher.observe(sentinel);

  async function loadMore(): Promise<void> {
    if (catalogue.complete()) return;
    try {
      await catalogue.more();
      notice.hidden = true;
      render();
    } catch (error) {
      showFailure(error as Error);
      return;
    }
    // Observing anew reports once more if the sentinel is still in reach.
    watcher.unobserve(sentinel);
    watcher.observe(sentinel);
  }

  function render(): void {
    for (const title of catalogue.titles.slice(cards.length)) {
      const card = cardOf(title);
      cards.push({ card, text: fold(`${title.name} ${title.id}`) });
      grid.append(card);
    }
    const needle = fold(wanted);
    for (const { card, text } of cards) card.hidden = !text.includes(needle);
    describe(cards.filter(({ card }) => !card.hidden).length);
  }

  function describe(shown: number): void {
    const more = catalogue.complete() ? '' : '+';
    const count = `${shown}${more} ${shown === 1 && !more ? 'title' : 'titles'}`;
    status.textContent = cards.length || !more ? count : 'Loading…';
    if (shown || !catalogue.complete()) return;
    notice.hidden = false;
    notice.replaceChildren(...(wanted ? noMatch(wanted) : emptyLibrary()));
  }

  function showFailure(error: Error): void {
    notice.hidden = false;
    if (error instanceof Refusal && error.code === 'unlisted') {
      status.textContent = '';
      notice.replaceChildren(...unlisted());
      return;
    }
    const retry = h('button', { type: 'button', class: 'button' }, 'Try again');
    retry.addEventListener('click', () => void loadMore());
    notice.replaceChildren(
      h('h2', {}, 'The library did not load'),
      h('p', {}, error.message),
      retry,
    );
  }

  return {
    element,
    filter(text) {
      wanted = text;
      notice.hidden = true;
      render();
      void loadMore();
    },
  };
}

/** Letters without case and accents: `Año` is found by `ano`. */
function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function noMatch(wanted: string): HTMLElement[] {
  return [
    h('h2', {}, `No title matches “${wanted}”`),
    h('p', {}, 'Try fewer letters, or clear the filter.'),
  ];
}

function emptyLibrary(): HTMLElement[] {
  return [
    h('h2', {}, 'No titles yet'),
    h('p', {}, 'Put MP4 files into the folder that vod-origin serves, then reload this page.'),
  ];
}

/** A library over HTTP has titles but no list of them: ask for one by its id. */
function unlisted(): HTMLElement[] {
  const name = h('input', {
    id: 'title-id',
    required: true,
    autocomplete: 'off',
    spellcheck: false,
  });
  const form = h(
    'form',
    { class: 'open-title' },
    h('label', { for: 'title-id' }, 'Id of a title'),
    name,
    h('button', { class: 'button' }, 'Open'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    location.hash = titleHash(name.value.trim());
  });
  return [
    h('h2', {}, 'This library has no list of its titles'),
    h(
      'p',
      {},
      'It is read over HTTP, which cannot say what there is, but every title in it plays: ',
      'films/some-film.mp4 has the id “some-film”.',
    ),
    form,
  ];
}

function cardOf(title: Title): HTMLElement {
  const poster = h('div', { class: 'poster' }, h('span', { class: 'poster-name' }, title.name));
  paint(poster, title.id);
  if (title.problem) {
    poster.append(h('span', { class: 'badge problem' }, 'Cannot play'));
  } else {
    poster.append(h('span', { class: 'poster-play' }, icon('play')));
    const length = title.duration === null ? '' : clock(Math.round(title.duration));
    if (length) poster.append(h('span', { class: 'badge' }, length));
  }
  const href = titleHash(title.id);
  const link = h('a', { class: 'card', href, title: title.problem ?? title.name }, poster);
  for (const event of ['pointerenter', 'focus']) {
    link.addEventListener(event, () => prefetch(engineFor('hls', null)), { once: true });
  }
  return h('li', {}, link);
}

function titleHash(id: string): string {
  const engine = engineFor('hls', null);
  const rest = { t: 0, stats: false, quality: '', audio: '', text: '' };
  return watchHash({ view: 'watch', id, format: 'hls', engine, autoplay: true, ...rest });
}
