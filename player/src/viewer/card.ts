/** A title in a row, a grid or a list of episodes: artwork, name and facts, all one link. */

import { h, icon } from '../dom';
import { prefetch } from '../engines';
import { length } from '../format';
import { paint } from '../poster';
import { engineFor } from '../route';
import { words } from '../words';
import type { Card } from './api';
import { hashes } from './route';

/** An upright poster, or a wide picture that a press plays at once. */
export type Shape = 'upright' | 'wide';

export function cardOf(title: Card, shape: Shape): HTMLAnchorElement {
  const plays = shape === 'wide' && title.kind !== 'series';
  const href = plays ? hashes.watch(title.id) : hashes.title(title.id);
  const link = h(
    'a',
    { class: `tile ${shape}`, href },
    artwork(title, shape, plays),
    h('span', { class: 'tile-name' }, title.name),
    h('span', { class: 'tile-facts' }, facts(title).join(' · ')),
  );
  for (const event of ['pointerenter', 'focus']) {
    link.addEventListener(event, () => prefetch(engineFor('hls', null)), { once: true });
  }
  return link;
}

/** The picture of that shape, or the other, or none but the title's own colours. */
export function artwork(title: Card, shape: Shape, plays = false): HTMLElement {
  const { poster, backdrop } = title.artwork;
  const source = shape === 'upright' ? (poster ?? backdrop) : (backdrop ?? poster);
  const frame = h('span', { class: 'tile-art' });
  paint(frame, title.id);
  if (source) frame.append(picture(source));
  if (plays) frame.append(h('span', { class: 'tile-play' }, icon('play')));
  if (title.progress) frame.append(progress(title.progress));
  return frame;
}

/** Where the picture does not come, the colours behind it stay. */
function picture(source: string): HTMLImageElement {
  const image = h('img', { src: source, alt: '', loading: 'lazy', decoding: 'async' });
  image.addEventListener('error', () => image.remove());
  return image;
}

function progress({ position, duration }: { position: number; duration: number }): HTMLElement {
  const percent = duration ? Math.min(100, Math.round((position / duration) * 100)) : 0;
  const bar = h('span', { class: 'tile-progress' });
  bar.style.setProperty('--watched', `${percent}%`);
  bar.append(h('span', { class: 'visually-hidden' }, words.watched(percent)));
  return bar;
}

/** What there is to say of a title in a line. */
export function facts(title: Card): string[] {
  const place = title.series && words.episode(title.series.season, title.series.episode);
  const kind = title.kind === 'series' ? words.series : null;
  const duration = title.duration === null ? null : length(title.duration);
  const age = title.maturity === null ? null : words.maturity(title.maturity);
  const said = [place, kind, title.year === null ? null : String(title.year), duration, age];
  return said.filter((fact) => fact !== null);
}

export function genreName(genre: string): string {
  const name = words.genre(genre) ?? genre.replace(/[-_]/g, ' ');
  return name.charAt(0).toUpperCase() + name.slice(1);
}
