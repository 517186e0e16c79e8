/** The titles fetched so far; more come a page at a time. */

import { fetchPage, fetchTitle, type Title } from './api';

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

  /** The title of that id, asked for by itself where its page is not in yet. */
  async find(id: string): Promise<Title | undefined> {
    return titles.find((title) => title.id === id) ?? (await fetchTitle(id));
  },
};

async function nextPage(): Promise<void> {
  if (complete) return;
  const page = await fetchPage(cursor);
  titles.push(...page.titles);
  cursor = page.next;
  complete = page.next === null;
}
