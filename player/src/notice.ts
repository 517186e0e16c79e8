/** What a viewer is told when a title does not play. */

import { complaintAbout, problemOf, type Complaint, type Title } from './api';
import { h } from './dom';
import { words } from './words';

export interface Notice {
  element: HTMLElement;
  /** Show why; `playerSays` is what is left to say if the server has no complaint. */
  explain(playerSays: string): Promise<void>;
}

export function notice(title: Title, url: string): Notice {
  const element = h('div', { class: 'notice', role: 'alert', hidden: true });
  return {
    element,
    async explain(playerSays) {
      const server = problemOf(title) ?? (await complaintAbout(url));
      const { reason, next }: Complaint = server ?? { reason: playerSays, next: words.tryAnother };
      element.replaceChildren(
        h('h2', {}, words.cannotPlay),
        h('p', {}, reason),
        h('p', { class: 'next' }, next),
      );
      element.hidden = false;
    },
  };
}
