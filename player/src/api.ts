/** The library as the origin lists it: `GET /api/library`. */

import { ask, reach, Refusal, refusalOf } from './http';
import { words } from './words';

export interface Title {
  id: string;
  name: string;
  hls: string;
  dash: string;
  /** Seconds; `null` until the title has been indexed. */
  duration: number | null;
  /** Why it cannot be played, in words for a person; `null` when it can. */
  problem: string | null;
}

export interface Page {
  titles: Title[];
  next: string | null;
}

export function fetchPage(cursor: string | null): Promise<Page> {
  const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
  return ask<Page>('GET', `api/library${query}`);
}

/** One title, or `undefined` where there is none of that id. */
export async function fetchTitle(id: string): Promise<Title | undefined> {
  try {
    return await ask<Title>('GET', `api/library/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}

/** What went wrong, and what the viewer can do next. */
export interface Complaint {
  reason: string;
  next: string;
}

export function problemOf(title: Title): Complaint | null {
  return title.problem === null ? null : { reason: title.problem, next: words.mendTheFile };
}

/** What the server has against `url`; `null` if it answers there as it should. */
export async function complaintAbout(url: string): Promise<Complaint | null> {
  try {
    const response = await reach(url);
    if (response.ok) return null;
    const next = response.status === 422 ? words.mendTheFile : words.tryLater;
    return { reason: (await refusalOf(response)).message, next };
  } catch (error) {
    return { reason: (error as Error).message, next: words.tryLater };
  }
}
