/** What stays around the views: the bar at the top, with what the viewer may do by then. */

import { h } from '../dom';
import { LANGUAGES, language, words, type Language } from '../words';
import { avatar } from './profiles';
import { hashes } from './route';
import { searchBox } from './search-box';
import { button, link } from './view';
import { viewer } from './viewer';

export interface FrameActions {
  speak(language: Language): Promise<void>;
  signOut(): Promise<void>;
}

export interface Frame {
  /** Draw the bar anew: who watches or the language has changed. */
  draw(): void;
  /** Mark the section that a hash belongs to, and show what is searched for. */
  follow(hash: string, query: string): void;
}

export function frame(actions: FrameActions): Frame {
  const top = document.querySelector<HTMLElement>('.top')!;
  const brand = top.querySelector<HTMLElement>('.brand')!;
  const skip = document.querySelector<HTMLAnchorElement>('.skip')!;

  return {
    draw() {
      skip.textContent = words.skip;
      const viewing = viewer.now();
      const parts = viewing?.profile
        ? [sections(), searchBox(), personMenu(actions)]
        : [languageSwitch(actions), ...(viewing ? [signOutButton(actions)] : [])];
      top.replaceChildren(brand, ...parts);
      top.classList.toggle('full', Boolean(viewing?.profile));
    },
    follow(hash, query) {
      for (const section of top.querySelectorAll('.sections a')) {
        if (section.getAttribute('href') === hash) section.setAttribute('aria-current', 'page');
        else section.removeAttribute('aria-current');
      }
      const field = top.querySelector<HTMLInputElement>('#search');
      if (field && field !== document.activeElement) field.value = query;
    },
  };
}

function sections(): HTMLElement {
  const places: [string, string][] = [
    [words.home, '#/'],
    [words.movies, hashes.kind('movie')],
    [words.series, hashes.kind('series')],
    [words.myList, '#/my-list'],
  ];
  const items = places.map(([name, hash]) => h('li', {}, link(name, hash)));
  return h(
    'nav',
    { class: 'sections', 'aria-label': words.mainMenu },
    h('ul', { role: 'list' }, ...items),
  );
}

/** A disclosure: other profiles, the account, the language, the way out. */
function personMenu(actions: FrameActions): HTMLElement {
  const { profiles } = viewer.now()!;
  const profile = viewer.profile();
  const opener = button('', () => open(panel.hidden !== false), 'person');
  opener.append(avatar(profile));
  opener.setAttribute('aria-label', words.profileMenu(profile.name));
  opener.setAttribute('aria-controls', 'person-panel');
  const others = profiles
    .filter(({ id }) => id !== profile.id)
    .map((other) => {
      const choice = button(
        '',
        () => {
          viewer.choose(other);
          if (location.hash === '#/') dispatchEvent(new HashChangeEvent('hashchange'));
          else location.hash = '#/';
        },
        'line',
      );
      choice.append(avatar(other), other.name);
      return choice;
    });
  const panel = h(
    'div',
    { id: 'person-panel', class: 'person-panel', hidden: true },
    ...others,
    link(words.manageProfiles, '#/profiles', 'line'),
    link(words.account, '#/account', 'line'),
    languageSwitch(actions),
    button(words.signOut, actions.signOut, 'line'),
  );
  const element = h('div', { class: 'person-menu' }, opener, panel);

  function open(isOpen: boolean): void {
    panel.hidden = !isOpen;
    opener.setAttribute('aria-expanded', String(isOpen));
  }
  open(false);
  panel.addEventListener('click', ({ target }) => (target as Element).closest('a') && open(false));
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (!element.contains(relatedTarget as Node | null)) open(false);
  });
  element.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || panel.hidden) return;
    open(false);
    opener.focus();
  });
  return element;
}

function languageSwitch(actions: FrameActions): HTMLElement {
  const choices = LANGUAGES.map(({ id, name }) => {
    const choice = button(name, () => actions.speak(id), 'language');
    choice.lang = id;
    choice.setAttribute('aria-pressed', String(id === language));
    return choice;
  });
  return h('div', { class: 'languages', role: 'group', 'aria-label': words.language }, ...choices);
}

function signOutButton(actions: FrameActions): HTMLElement {
  return button(words.signOut, actions.signOut, 'button quiet');
}
