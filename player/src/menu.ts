/** A button that opens a list of choices, one of them checked (WAI-ARIA menu button pattern). */

import { h, iconButton, type IconName } from './dom';
import type { Option, Selection } from './engines/engine';

export interface Menu {
  element: HTMLElement;
  /** Show what can be chosen now; without a real choice the button is hidden. */
  bind(choices: Selection): void;
}

export function menu(name: IconName, label: string, onChoice: (id: string) => void): Menu {
  const button = iconButton(name, label);
  const list = h('div', { role: 'menu', class: 'menu-list', 'aria-label': label, hidden: true });
  const element = h('div', { class: 'menu', hidden: true, 'data-menu': label }, button, list);
  button.setAttribute('aria-haspopup', 'menu');
  let bound = '';

  function open(isOpen: boolean): void {
    list.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) list.querySelector<HTMLElement>('[aria-checked=true]')?.focus();
  }

  function move(step: number): void {
    const items = [...list.querySelectorAll<HTMLElement>('[role=menuitemradio]')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
  }

  button.addEventListener('click', () => open(list.hidden !== false));
  element.addEventListener('focusout', (event) => {
    if (!element.contains(event.relatedTarget as Node | null)) open(false);
  });
  list.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Escape') leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function leave(): void {
    open(false);
    button.focus();
  }

  function item({ id, label: text }: Option): HTMLElement {
    const attributes = { type: 'button', role: 'menuitemradio', tabindex: -1, 'data-id': id };
    const choice = h('button', attributes, text);
    choice.addEventListener('click', () => {
      leave();
      onChoice(id);
    });
    return choice;
  }

  return {
    element,
    bind(choices) {
      const options = choices.options();
      const offered = JSON.stringify(options);
      if (offered !== bound) list.replaceChildren(...options.map(item));
      bound = offered;
      element.hidden = options.length < 2;
      const selected = choices.selected();
      for (const choice of list.querySelectorAll<HTMLElement>('[role=menuitemradio]')) {
        choice.setAttribute('aria-checked', String(choice.dataset.id === selected));
      }
    },
  };
}
