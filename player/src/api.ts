/** The library as the origin lists it: `GET /api/library`. */

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
  return getJson<Page>(`api/library${query}`);
}

/** One title, or `undefined` where there is none of that id. */
export async function fetchTitle(id: string): Promise<Title | undefined> {
  const response = await reach(`api/library/${encodeURIComponent(id)}`);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(await refusal(response));
  return (await response.json()) as Title;
}

async function getJson<T>(url: string): Promise<T> {
  const response = await reach(url);
  if (!response.ok) throw new Error(await refusal(response));
  return (await response.json()) as T;
}

/** What went wrong, and what the viewer can do next. */
export interface Complaint {
  reason: string;
  next: string;
}

const MEND_THE_FILE =
  'Correct or replace the file in the library, then reload this page. ' +
  'The command “vod-origin check” says more about it.';
const TRY_AGAIN = 'Reload this page. If it stays so, the log of vod-origin says more.';
const UNREACHABLE = 'The server does not answer. Check that vod-origin is running, and try again.';

export function problemOf(title: Title): Complaint | null {
  return title.problem === null ? null : { reason: title.problem, next: MEND_THE_FILE };
}

/** What the server has against `url`; `null` if it answers there as it should. */
export async function complaintAbout(url: string): Promise<Complaint | null> {
  try {
    const response = await reach(url);
    if (response.ok) return null;
    const next = response.status === 422 ? MEND_THE_FILE : TRY_AGAIN;
    return { reason: await refusal(response), next };
  } catch (error) {
    return { reason: (error as Error).message, next: TRY_AGAIN };
  }
}

async function reach(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch {
    throw new Error(UNREACHABLE);
  }
}

/** The `detail` of a problem document (RFC 9457), or the status line. */
async function refusal(response: Response): Promise<string> {
  const status = `The server answered ${response.status} ${response.statusText}`.trim();
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  const detail = problem.detail ?? problem.title;
  return detail ? `${status}: ${detail}` : `${status}.`;
}
