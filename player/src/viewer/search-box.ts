/** The search field of the top bar: titles as one types (WAI-ARIA combobox with a list box). */

import { h, icon } from '../dom';
import { language, words } from '../words';
import { announce } from './announce';
import { api, type Card } from './api';
import { artwork, facts } from './card';
import { hashes } from './route';
import { viewer } from './viewer';

const SHOWN = 6;
const PAUSE_MS = 150; // between the last letter and the question
const LIST = 'search-list';

export function searchBox(): HTMLElement {
  const input = h('input', {
    id: 'search',
    type: 'search',
    role: 'combobox',
    placeholder: words.search,
    autocomplete: 'off',
    spellcheck: false,
    enterkeyhint: 'search',
    'aria-label': words.search,
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': LIST,
  });
  const list = h('div', { id: LIST, role: 'listbox', 'aria-label': words.search, hidden: true });
  const element = h('search', { class: 'search' }, icon('search'), input, list);
  let asking = new AbortController();
  let timer = 0;
  let active = -1;

  const options = () => [...list.querySelectorAll<HTMLElement>('[role=option]')];

  function close(): void {
    asking.abort();
    clearTimeout(timer);
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    activate(-1);
  }

  function activate(place: number): void {
    active = place;
    options().forEach((option, i) => option.setAttribute('aria-selected', String(i === place)));
    const option = options()[place];
    if (option) {
      input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  }

  async function suggest(): Promise<void> {
    const wanted = input.value.trim();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const { titles, next } = await api.search(wanted, viewer.profile().id, language, null, signal);
      if (signal.aborted || input.value.trim() !== wanted) return;
      list.replaceChildren(...titles.slice(0, SHOWN).map(optionOf));
      list.hidden = titles.length === 0;
      input.setAttribute('aria-expanded', String(titles.length > 0));
      activate(-1);
      announce(titles.length ? words.found(titles.length, next !== null) : words.noMatch(wanted));
    } catch {
      close(); // Enter asks again, and says what is wrong
    }
  }

  function go(hash: string): void {
    close();
    location.hash = hash;
  }

  input.addEventListener('input', () => {
    asking.abort();
    clearTimeout(timer);
    if (input.value.trim()) timer = window.setTimeout(() => void suggest(), PAUSE_MS);
    else close();
  });
  input.addEventListener('keydown', (event) => {
    const count = list.hidden ? 0 : options().length;
    if (event.key === 'ArrowDown' && count) activate((active + 1) % count);
    else if (event.key === 'ArrowUp' && count) activate((active - 1 + count) % count);
    else if (event.key === 'Escape' && count) close();
    else if (event.key === 'Enter' && active >= 0) go(options()[active]!.dataset.hash!);
    else if (event.key === 'Enter' && input.value.trim()) go(hashes.search(input.value.trim()));
    else return;
    event.preventDefault();
  });
  // Before the focus leaves the field, and with it the list.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', ({ target }) => {
    const option = (target as Element).closest<HTMLElement>('[role=option]');
    if (option) go(option.dataset.hash!);
  });
  input.addEventListener('blur', close);
  return element;
}

function optionOf(title: Card, place: number): HTMLElement {
  return h(
    'div',
    { role: 'option', id: `${LIST}-${place}`, 'data-hash': hashes.title(title.id) },
    artwork({ ...title, progress: null }, 'wide'),
    h(
      'span',
      {},
      h('span', { class: 'tile-name' }, title.name),
      h('span', { class: 'tile-facts' }, facts(title).join(' · ')),
    ),
  );
}
