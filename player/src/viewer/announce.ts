/** Says a short sentence to those who hear the page (WAI-ARIA live region). */

import { h } from '../dom';
import { words } from '../words';

const region = h('div', { class: 'visually-hidden', 'aria-live': 'polite' });

/** A failure of something that was pressed: shown to all until it is closed or the view changes. */
export function complain(error: Error): void {
  const close = h('button', { type: 'button', class: 'button quiet' }, words.close);
  const toast = h('div', { class: 'toast', role: 'alert' }, h('p', {}, error.message), close);
  const remove = () => toast.remove();
  close.addEventListener('click', remove);
  addEventListener('hashchange', remove, { once: true });
  document.body.append(toast);
}

export function announce(sentence: string): void {
  if (!region.isConnected) document.body.append(region);
  // The same words again are news again.
  region.replaceChildren(h('p', {}, sentence));
}
