/**
 * What a viewer is shown is in the URL's hash:
 *
 *     #/                        #/sign-in?next=…       #/profiles      #/profiles/{id}
 *     #/title/{id}              #/sign-up?next=…       #/account
 *     #/watch/{id}?format=…     #/search?q=…           #/browse?kind=series&genre=drama
 *     #/my-list
 */

import { watchRoute, type WatchRoute } from '../route';

export type Route =
  | { view: 'home' | 'my-list' | 'profiles' | 'account' | 'unknown' }
  | { view: 'sign-in' | 'sign-up'; next: string }
  | { view: 'profile' | 'title'; id: string }
  | { view: 'search'; q: string }
  | { view: 'browse'; kind: string | null; genre: string | null }
  | WatchRoute;

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const wanted = new URLSearchParams(query);
  const [, view = '', id] = path.split('/', 3).map(decoded);
  if (id) {
    if (view === 'title') return { view, id };
    if (view === 'watch') return watchRoute(id, wanted);
    return view === 'profiles' ? { view: 'profile', id } : { view: 'unknown' };
  }
  switch (view) {
    case '':
      return { view: 'home' };
    case 'my-list':
    case 'profiles':
    case 'account':
      return { view };
    case 'sign-in':
    case 'sign-up':
      return { view, next: wanted.get('next') ?? '#/' };
    case 'search':
      return { view, q: wanted.get('q') ?? '' };
    case 'browse':
      return { view, kind: wanted.get('kind'), genre: wanted.get('genre') };
    default:
      return { view: 'unknown' };
  }
}

export const hashes = {
  title: (id: string) => `#/title/${encodeURIComponent(id)}`,
  watch: (id: string) => `#/watch/${encodeURIComponent(id)}`,
  profile: (id: string) => `#/profiles/${encodeURIComponent(id)}`,
  search: (q: string) => `#/search?${new URLSearchParams({ q })}`,
  genre: (genre: string) => `#/browse?${new URLSearchParams({ genre })}`,
  kind: (kind: string) => `#/browse?${new URLSearchParams({ kind })}`,
  signIn: (next: string) => `#/sign-in?${new URLSearchParams({ next })}`,
  signUp: (next: string) => `#/sign-up?${new URLSearchParams({ next })}`,
};

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
