/** The front page: one title large, then rows. */

import { h } from '../dom';
import { language, words } from '../words';
import { api, type Card, type Row } from './api';
import { artwork, facts } from './card';
import { hashes } from './route';
import { shelves } from './shelf';
import { link, messageView, type View } from './view';
import { viewer } from './viewer';

export async function homeView(): Promise<View> {
  const { rows } = await api.home(viewer.profile().id, language);
  if (rows.every(({ titles }) => titles.length === 0)) {
    return messageView(words.nothingYet, words.emptyCatalogue);
  }
  const first = featured(rows);
  const element = h('div', { class: 'home' });
  if (first) element.append(hero(first));
  else element.append(h('h1', { class: 'visually-hidden' }, words.home));
  element.append(shelves(rows));
  return { title: words.home, element };
}

/** The newest title with a wide picture. */
function featured(rows: readonly Row[]): Card | undefined {
  const news = rows.find(({ id }) => id === 'new') ?? rows[0];
  return news?.titles.find(({ artwork }) => artwork.backdrop !== null);
}

function hero(title: Card): HTMLElement {
  const synopsis = h('p', { class: 'synopsis' });
  // The words come after the picture; without them the rest still stands.
  api.title(title.id, viewer.profile().id, language).then(
    (detail) => (synopsis.textContent = detail.synopsis),
    () => {},
  );
  const play = title.kind === 'series' ? null : link(words.play, hashes.watch(title.id), 'button');
  const more = link(words.moreInfo, hashes.title(title.id), 'button quiet');
  return h(
    'section',
    { class: 'hero', 'aria-labelledby': 'hero-name' },
    artwork({ ...title, progress: null }, 'wide'),
    h(
      'div',
      { class: 'hero-words' },
      h('h1', { id: 'hero-name' }, title.name),
      h('p', { class: 'facts' }, facts(title).join(' · ')),
      synopsis,
      h('div', { class: 'actions' }, ...(play ? [play] : []), more),
    ),
  );
}
