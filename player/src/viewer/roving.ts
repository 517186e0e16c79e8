/**
 * One stop of the Tab key for many things: arrows move the focus among them, Home and End to the
 * first and the last (WAI-ARIA, roving tabindex).
 */

export interface Roving {
  /** Move the focus to the thing that has the stop. */
  focus(): void;
}

export function roving(container: HTMLElement, items: readonly HTMLElement[]): Roving {
  let current = 0;
  items.forEach((item, i) => (item.tabIndex = i === current ? 0 : -1));

  function stopAt(place: number): void {
    items[current]?.setAttribute('tabindex', '-1');
    current = place;
    items[current]?.setAttribute('tabindex', '0');
  }

  container.addEventListener('focusin', ({ target }) => {
    const place = items.findIndex((item) => item === target);
    if (place >= 0) stopAt(place);
  });
  container.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = items.length - 1;
    const place = {
      ArrowRight: Math.min(current + 1, last),
      ArrowLeft: Math.max(current - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (place === undefined) return;
    event.preventDefault();
    items[place]?.focus();
  });
  return { focus: () => items[current]?.focus() };
}
