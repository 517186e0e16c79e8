/** Rows of cards that scroll sideways; ↑ and ↓ go from row to row, as on a television. */

import { h, iconButton } from '../dom';
import { words } from '../words';
import type { Row } from './api';
import { cardOf } from './card';
import { roving, type Roving } from './roving';

interface Shelf {
  element: HTMLElement;
  stop: Roving;
}

export function shelves(rows: readonly Row[]): HTMLElement {
  const all = rows.filter(({ titles }) => titles.length > 0).map(shelfOf);
  const element = h('div', { class: 'shelves' }, ...all.map((shelf) => shelf.element));
  element.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = all.findIndex((shelf) => shelf.element.contains(event.target as Node));
    const next = step === undefined ? undefined : all[at + step];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.stop.focus();
  });
  return element;
}

function shelfOf(row: Row): Shelf {
  const shape = row.id === 'continue' ? 'wide' : 'upright';
  const cards = row.titles.map((title) => cardOf(title, shape));
  const list = h(
    'ul',
    { class: 'shelf-list', role: 'list' },
    ...cards.map((card) => h('li', {}, card)),
  );
  const name = h('h2', { id: `row-${row.id}` }, row.name);
  const head = h('div', { class: 'shelf-head' }, name, arrows(list));
  const element = h(
    'section',
    { class: 'shelf', 'aria-labelledby': name.id, 'data-row': row.id },
    head,
    list,
  );
  return { element, stop: roving(list, cards) };
}

/** For pointers: the keyboard has its arrows, and fingers swipe. */
function arrows(list: HTMLElement): HTMLElement {
  const scroll = (sign: number) => () => list.scrollBy({ left: sign * list.clientWidth * 0.8 });
  const back = iconButton('back', words.scrollBack, 'shelf-arrow');
  const on = iconButton('on', words.scrollOn, 'shelf-arrow');
  back.addEventListener('click', scroll(-1));
  on.addEventListener('click', scroll(1));
  back.tabIndex = on.tabIndex = -1;

  function show(): void {
    const end = list.scrollWidth - list.clientWidth;
    back.disabled = list.scrollLeft <= 1;
    on.disabled = list.scrollLeft >= end - 1;
    group.hidden = end <= 1;
  }
  const group = h('div', { class: 'shelf-arrows' }, back, on);
  list.addEventListener('scroll', show, { passive: true });
  new ResizeObserver(show).observe(list);
  return group;
}
