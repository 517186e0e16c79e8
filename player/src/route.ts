/**
 * What the page shows is in the URL's hash, so a link reproduces it:
 *
 *     #/?filter=bunny
 *     #/title/{id}?format=dash&engine=shaka&autoplay=1&stats=1&t=12&quality=720&audio=es&text=en
 */

import { enginesFor, type EngineId, type Format } from './engines';

export interface LibraryRoute {
  view: 'library';
  filter: string;
}

export interface WatchRoute {
  view: 'watch';
  id: string;
  format: Format;
  engine: EngineId;
  /** Start without waiting for a press of Play. */
  autoplay: boolean;
  /** Show the overlay of playback figures. */
  stats: boolean;
  /** Where to start, in seconds. */
  t: number;
  quality: string;
  audio: string;
  text: string;
}

export type Route = LibraryRoute | WatchRoute;

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const wanted = new URLSearchParams(query);
  const id = titleId(path);
  if (id === null) return { view: 'library', filter: wanted.get('filter') ?? '' };
  return watchRoute(id, wanted);
}

/** How a title is to be played, as the query of a hash says it. */
export function watchRoute(id: string, wanted: URLSearchParams): WatchRoute {
  const format: Format = wanted.get('format') === 'dash' ? 'dash' : 'hls';
  const t = Number(wanted.get('t'));
  return {
    view: 'watch',
    id,
    format,
    engine: engineFor(format, wanted.get('engine')),
    autoplay: wanted.get('autoplay') === '1',
    stats: wanted.get('stats') === '1',
    t: t > 0 ? t : 0,
    quality: wanted.get('quality') ?? '',
    audio: wanted.get('audio') ?? '',
    text: wanted.get('text') ?? '',
  };
}

/** `null` for a path that names no title, be it another one or a broken link. */
function titleId(path: string): string | null {
  const encoded = /^\/title\/(.+)$/.exec(path)?.[1];
  try {
    return encoded === undefined ? null : decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

/** The engine of that name if it plays `format` in this browser, else the first that does. */
export function engineFor(format: Format, name: string | null): EngineId {
  const able = enginesFor(format);
  return (able.find(({ id }) => id === name) ?? able[0]!).id;
}

export function libraryHash(filter: string): string {
  return filter ? `#/?filter=${encodeURIComponent(filter)}` : '#/';
}

/** `path`: what leads to the player; a title has a page of its own where there are accounts. */
export function watchHash(route: WatchRoute, path: 'title' | 'watch' = 'title'): string {
  const query = new URLSearchParams({ engine: route.engine, format: route.format });
  if (route.autoplay) query.set('autoplay', '1');
  if (route.stats) query.set('stats', '1');
  if (route.t) query.set('t', String(Math.floor(route.t)));
  for (const name of ['quality', 'audio', 'text'] as const) {
    if (route[name]) query.set(name, route[name]);
  }
  return `#/${path}/${encodeURIComponent(route.id)}?${query}`;
}
