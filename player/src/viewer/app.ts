/** The page for people with accounts: it shows what the URL's hash asks for, to those who may. */

import { h } from '../dom';
import { Refusal } from '../http';
import { language, words } from '../words';
import { accountView } from './account';
import { api, type Status } from './api';
import { genreName } from './card';
import { frame } from './frame';
import { gridView } from './grid';
import { homeView } from './home';
import { profilesView, profileView } from './profiles';
import { hashes, parseRoute, type Route } from './route';
import { signInView, signUpView } from './sign-in';
import { titleView } from './title';
import { button, messageView, notFoundView, type View } from './view';
import { viewer } from './viewer';
import { watchView } from './watch';

const PUBLIC: readonly Route['view'][] = ['sign-in', 'sign-up'];
const WITHOUT_PROFILE: readonly Route['view'][] = ['profiles', 'profile', 'account'];
const PATIENCE_MS = 250; // before it is said that something is loading

const main = document.querySelector<HTMLElement>('#main')!;
let status: Status;
let shown: View | null = null;
let closing = new AbortController();
/** Why the viewer is asked to sign in, if there is a reason. */
let note = '';
/** The link that was followed out of a hash, to stand on it again after Back. */
const lastLinks = new Map<string, string>();

const bar = frame({
  async speak(next) {
    await viewer.setLanguage(next);
    void show();
  },
  async signOut() {
    await leave();
    await api.signOut();
    note = words.signedOut;
    viewer.leave();
    location.hash = '#/sign-in';
  },
});

export async function startViewer(server: Status): Promise<void> {
  status = server;
  await viewer.load();
  document.addEventListener('click', ({ target }) => {
    const href = (target as Element).closest?.('main a')?.getAttribute('href');
    if (href) lastLinks.set(current, href);
  });
  addEventListener('hashchange', () => void show());
  // A page out of the browser's own cache has given its session back.
  addEventListener('pageshow', ({ persisted }) => persisted && void show());
  await show();
}

let current = '';

/** Show what the address asks for; a later call makes an earlier one vain. */
async function show(): Promise<void> {
  closing.abort();
  closing = new AbortController();
  const { signal } = closing;
  const arriving = current !== '' && current !== location.hash;
  current = location.hash;
  await leave();
  if (signal.aborted) return;

  const route = admitted(parseRoute(location.hash));
  if (!route) return;
  bar.draw();
  bar.follow(location.hash || '#/', route.view === 'search' ? route.q : '');
  const loading = setTimeout(
    () => main.replaceChildren(h('p', { class: 'message' }, words.loading)),
    PATIENCE_MS,
  );
  const view = await viewOf(route, signal).catch((error: Error) => failed(error));
  clearTimeout(loading);
  if (!view) return;
  if (signal.aborted) {
    await view.leave?.();
    return;
  }
  put(view, arriving);
}

async function leave(): Promise<void> {
  const leaving = shown;
  shown = null;
  await leaving?.leave?.();
}

function put(view: View, arriving: boolean): void {
  shown = view;
  document.title = `${view.title} · vod-origin`;
  main.replaceChildren(view.element);
  scrollTo(0, 0);
  if (arriving) focusAnew();
}

/** Those who hear or tab through the page stand where they were, or else at the new heading. */
function focusAnew(): void {
  if (document.querySelector('dialog[open]')) return;
  const href = lastLinks.get(current);
  lastLinks.delete(current);
  const link = href && main.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`);
  const heading = main.querySelector<HTMLElement>('h1');
  if (link) link.focus();
  else if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}

/** The route, or nothing while the address changes to where the viewer has to go first. */
function admitted(route: Route): Route | null {
  if (PUBLIC.includes(route.view)) return route;
  const viewing = viewer.now();
  if (!viewing) return redirect(hashes.signIn(location.hash || '#/'));
  if (!viewing.profile && !WITHOUT_PROFILE.includes(route.view)) return redirect('#/profiles');
  return route;
}

function redirect(hash: string): null {
  location.replace(hash);
  return null;
}

async function viewOf(route: Route, signal: AbortSignal): Promise<View> {
  switch (route.view) {
    case 'home':
      return homeView();
    case 'title':
      return titleView(route.id);
    case 'watch':
      return watchView(route, signal, () => void show());
    case 'search':
      return gridView(searchFor(route.q), signal);
    case 'browse':
      return gridView(browse(route.kind, route.genre), signal);
    case 'my-list':
      return gridView(myList(), signal);
    case 'profiles':
      return profilesView();
    case 'profile':
      return profileView(route.id);
    case 'account':
      return accountView();
    case 'sign-in':
      return signInView(route.next, status.sign_up, taken());
    case 'sign-up':
      return signUpView(route.next);
    default:
      return notFoundView();
  }
}

function taken(): string {
  const said = note;
  note = '';
  return said;
}

function searchFor(q: string) {
  return {
    title: words.searchFor(q),
    page: (cursor: string | null) => api.search(q, viewer.profile().id, language, cursor),
    none: [words.noMatch(q), words.noMatchHint] as [string, string],
  };
}

function browse(kind: string | null, genre: string | null) {
  const kindName = kind === 'series' ? words.series : words.movies;
  return {
    title: genre === null ? kindName : genreName(genre),
    page: (cursor: string | null) => 
      api.titles({ kind, genre }, viewer.profile().id, language, cursor),
    none: [words.nothingYet, words.emptyCatalogue] as [string, string],
  };
}

function myList() {
  return {
    title: words.myList,
    async page() {
      const { rows } = await api.home(viewer.profile().id, language);
      return { titles: rows.find(({ id }) => id === 'my-list')?.titles ?? [], next: null };
    },
    none: [words.nothingYet, words.emptyList] as [string, string],
  };
}

/** What is shown instead; nothing where the viewer has to sign in first. */
function failed(error: Error): View | null {
  if (error instanceof Refusal && error.status === 401) {
    note = words.signInAgain;
    viewer.leave();
    return redirect(hashes.signIn(location.hash));
  }
  if (error instanceof Refusal && error.status === 404) return notFoundView(error.message);
  return messageView(words.didNotLoad, error.message, button(words.tryAgain, show));
}
