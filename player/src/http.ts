/** Requests to our own server, and its refusals (problem details, RFC 9457) as errors. */

import { words } from './words';

/** `code` is the server's stable name of the problem; `body` all that it said. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: Record<string, unknown>,
  ) {
    super(message);
  }
}

const MOST_RETRIES = 2;
const LONGEST_WAIT = 5; // seconds

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const IDEMPOTENT: readonly Method[] = ['GET', 'PUT', 'DELETE']; // RFC 9110 section 9.2.2

/**
 * The JSON answered, `undefined` for an answer without a body. `repeatable`: twice is as good as
 * once, should the server be too busy the first time.
 */
export async function ask<T>(
  method: Method,
  url: string,
  body?: object,
  options: RequestInit = {},
  repeatable = IDEMPOTENT.includes(method),
): Promise<T> {
  const sent =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await patiently(url, { method, ...sent, ...options }, repeatable);
  if (!response.ok) throw await refusalOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** What the server has no time for now is asked again when it says. */
async function patiently(url: string, init: RequestInit, repeatable: boolean): Promise<Response> {
  for (let left = repeatable ? MOST_RETRIES : 0; ; left--) {
    const response = await reach(url, init);
    const seconds = Number(response.headers.get('Retry-After'));
    if (response.status !== 503 || left === 0 || seconds > LONGEST_WAIT) return response;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

/** Any answer at all; that there is none is an error in words for a person. */
export async function reach(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if ((error as DOMException).name === 'AbortError') throw error;
    throw new Error(words.unreachable);
  }
}

/** A refusal in our words where we have some for its code, else in the server's. */
export async function refusalOf(response: Response): Promise<Refusal> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const code = typeof body.code === 'string' ? body.code : '';
  return new Refusal(
    response.status,
    code,
    words.problem(code) ?? inItsWords(response, body),
    body,
  );
}

function inItsWords(response: Response, body: Record<string, unknown>): string {
  const status = words.answered(`${response.status} ${response.statusText}`.trim());
  const detail = body.detail ?? body.title;
  return detail ? `${status}: ${String(detail)}` : `${status}.`;
}
