/** The page without accounts: the library, and a player for each title of it, as the URL's hash asks. */

import { catalogue } from './catalogue';
import { h } from './dom';
import { prefetch } from './engines';
import { libraryView, type LibraryView } from './library';
import { probe } from './probe';
import { libraryHash, parseRoute, type LibraryRoute, type WatchRoute } from './route';
import { watchView, type WatchView } from './watch';

const main = document.querySelector<HTMLElement>('#main')!;
const filter = document.querySelector<HTMLInputElement>('#filter')!;
let library: LibraryView;
let watching: WatchView | null = null;
let libraryScroll = 0;

function show(): void {
  const route = parseRoute(location.hash);
  leave();
  filter.value = route.view === 'library' ? route.filter : '';
  if (route.view === 'watch') void watch(route);
  else browse(route);
}

function browse(route: LibraryRoute): void {
  document.title = 'vod-origin';
  main.replaceChildren(library.element);
  library.filter(route.filter);
  scrollTo(0, libraryScroll);
}

function leave(): void {
  if (library.element.isConnected) libraryScroll = scrollY;
  watching?.stage.destroy();
  watching = null;
  window.vodPlayer = null;
}

async function watch(route: WatchRoute): Promise<void> {
  const asked = location.hash;
  prefetch(route.engine);
  main.replaceChildren(h('p', { class: 'message', role: 'status' }, 'Loading…'));
  scrollTo(0, 0);
  try {
    const title = await catalogue.find(route.id);
    if (location.hash !== asked) return;
    if (!title) throw new Error(`No title in this library has the id “${route.id}”.`);
    document.title = `${title.name} · vod-origin`;
    watching = watchView(title, route);
    window.vodPlayer = probe(watching.stage.playback);
    main.replaceChildren(watching.element);
  } catch (error) {
    main.replaceChildren(missing((error as Error).message));
  }
}

function missing(reason: string): HTMLElement {
  const back = h('a', { class: 'button', href: '#/' }, 'Go to the library');
  return h(
    'div',
    { class: 'message', role: 'alert' },
    h('h2', {}, 'Nothing to play here'),
    h('p', {}, reason),
    back,
  );
}

export function startListing(): void {
  library = libraryView();
  filter.closest('label')!.hidden = false;
  filter.addEventListener('input', () => {
    const hash = libraryHash(filter.value.trim());
    if (library.element.isConnected) {
      history.replaceState(null, '', hash);
      library.filter(filter.value.trim());
    } else {
      location.hash = hash;
    }
  });
  addEventListener('hashchange', show);
  show();
}
