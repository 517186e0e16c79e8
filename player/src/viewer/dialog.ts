/** A question over the page (`<dialog>`: the focus stays in it, Escape is the last answer). */

import { h } from '../dom';
import { button } from './view';

export interface Answer {
  id: string;
  text: string;
}

/** Resolves with the id of the answer; with the last one when it is dismissed or made vain. */
export function question(
  title: string,
  body: HTMLElement[],
  answers: readonly Answer[],
  signal?: AbortSignal,
): Promise<string> {
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' });
  const buttons = answers.map(({ id, text }, i) =>
    button(text, () => dialog.close(id), i === 0 ? 'button' : 'button quiet'),
  );
  dialog.append(
    h('h2', { id: 'dialog-title' }, title),
    ...body,
    h('div', { class: 'actions' }, ...buttons),
  );
  document.body.append(dialog);
  signal?.addEventListener('abort', () => dialog.close());
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue || answers.at(-1)!.id);
    });
    dialog.showModal();
  });
}
