/** The titles fetched so far; more come a page at a time. */

import { fetchPage, type Title } from './api';

const titles: Title[] = [];
let cursor: string | null = null;
let complete = false;
let pending: Promise<void> | null = null;

export const catalogue = {
  titles: titles as readonly Title[],

  /** True once the last page is in. */
  complete: () => complete,

  /** Fetch the next page. Callers that overlap share one request. */
  more(): Promise<void> {
    pending ??= nextPage().finally(() => (pending = null));
    return pending;
  },

  /** The title of that id, from pages fetched until it appears. */
  async find(id: string): Promise<Title | undefined> {
    for (;;) {
      const found = titles.find((title) => title.id === id);
      if (found || complete) return found;
      await this.more();
    }
  },
};

async function nextPage(): Promise<void> {
  if (complete) return;
  const page = await fetchPage(cursor);
  titles.push(...page.titles);
  cursor = page.next;
  complete = page.next === null;
}
