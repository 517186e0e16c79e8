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

async function getJson<T>(url: string): Promise<T> {
  const response = await reach(url);
  if (!response.ok) throw new Error(await refusal(response));
  return (await response.json()) as T;
}

/** What the server answers at `url`, in words, or `null` if it has no complaint. */
export async function complaint(url: string): Promise<string | null> {
  try {
    const response = await reach(url);
    return response.ok ? null : await refusal(response);
  } catch (error) {
    return (error as Error).message;
  }
}

async function reach(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch {
    throw new Error('The server does not answer. Check that vod-origin is running.');
  }
}

/** The `detail` of a problem document (RFC 9457), or the status line. */
async function refusal(response: Response): Promise<string> {
  const status = `The server answered ${response.status} ${response.statusText}`.trim();
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  const detail = problem.detail ?? problem.title;
  return detail ? `${status}: ${detail}` : `${status}.`;
}
