/** Forms with a label to each field, and one place where it is said what is wrong. */

import { h } from '../dom';

interface Field {
  name: string;
  label: string;
  type?: string;
  autocomplete?: string;
  hint?: string;
  value?: string;
  minlength?: number;
}

/** `submit` throws what is to be said to the viewer. */
export function form(
  fields: readonly Field[],
  action: string,
  submit: (value: (name: string) => string) => Promise<void>,
): HTMLFormElement {
  const trouble = h('p', { class: 'trouble', role: 'alert' });
  const send = h('button', { class: 'button' }, action);
  const element = h('form', { class: 'form' }, trouble, ...fields.map(rowOf), send);
  const value = (name: string) =>
    (element.elements.namedItem(name) as HTMLInputElement | null)?.value ?? '';

  element.addEventListener('submit', (event) => {
    event.preventDefault();
    trouble.textContent = '';
    send.disabled = true;
    submit(value)
      .catch((error: Error) => {
        trouble.textContent = error.message;
        element.querySelector('input')?.focus();
      })
      .finally(() => (send.disabled = false));
  });
  return element;
}

function rowOf({ name, label, hint, type = 'text', ...rest }: Field): HTMLElement {
  const id = `field-${name}`;
  const input = h('input', { id, name, type, required: true, ...rest });
  const row = h('div', { class: 'field' }, h('label', { for: id }, label), input);
  if (hint) {
    input.setAttribute('aria-describedby', `${id}-hint`);
    row.append(h('p', { class: 'hint', id: `${id}-hint` }, hint));
  }
  return row;
}
