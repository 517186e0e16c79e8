/**
 * What the viewer sees, told to the server (CMCD 2, event mode) and seen on the `<video>`, so it is
 * the same for every engine. The requests of an engine carry the same session id, in header fields:
 * in queries they would be other addresses to the browser's cache.
 */

import { ENOUGH_SECONDS, bufferedAhead } from '../meter';
import type { CreateEngine, Engine, EngineListener } from './engine';

const COLLECTOR = '/cmcd';
const INTERVAL_MS = 30_000;
/** Answers that say that nobody reads this here. */
const NOBODY = [404, 405, 410];

/** Starting, playing, seeking, rebuffering, paused, ended, failed, quit (CTA-5004, `sta`). */
type State = 's' | 'p' | 'k' | 'r' | 'a' | 'e' | 'f' | 'q';
const LAST: readonly State[] = ['e', 'f', 'q'];

/** An engine whose playback is told of; `wantedAt`: when the viewer wished to play. */
export function told(
  create: CreateEngine,
  video: HTMLVideoElement,
  listener: EngineListener,
  wantedAt: number,
): Engine {
  const sid = sessionId();
  const over = new AbortController();
  const become = follow(video, reporter(sid), wantedAt, over.signal);
  const engine = create(
    video,
    {
      tracksChanged: () => listener.tracksChanged(),
      failed(message, fatal) {
        if (fatal) become('f');
        listener.failed(message, fatal);
      },
    },
    sid,
  );
  return {
    ...engine,
    destroy() {
      become('q');
      over.abort();
      engine.destroy();
    },
  };
}

interface Values {
  msd?: number | undefined;
  bsd?: number | undefined;
}
type Report = (event: 'ps' | 't', state: State, values?: Values) => void;

function follow(
  video: HTMLVideoElement,
  report: Report,
  wantedAt: number,
  signal: AbortSignal,
): (next: State) => void {
  let state: State = 's';
  let startup: number | undefined;
  let startupTold = false;
  let waitsSince = 0;

  function become(next: State): void {
    if (next === state || (LAST.includes(state) && next !== 'p')) return;
    const bsd = state === 'r' ? Math.round(performance.now() - waitsSince) : undefined;
    if (next === 'r') waitsSince = performance.now();
    state = next;
    report('ps', state, { msd: due(), bsd });
  }
  /** The start-up time, once. */
  function due(): number | undefined {
    if (startupTold || startup === undefined) return undefined;
    startupTold = true;
    return startup;
  }
  function started(): void {
    startup ??= Math.round(performance.now() - wantedAt);
    if (state === 'p' && !startupTold) report('ps', state, { msd: due() });
    else become('p');
  }

  const on = (event: string, act: () => void) => video.addEventListener(event, act, { signal });
  const frames = 'requestVideoFrameCallback' in video;
  if (frames) video.requestVideoFrameCallback(() => !signal.aborted && started());
  on('playing', () => {
    // No frame will come of a title without pictures, nor tell of itself in an old browser.
    if (startup === undefined && (!frames || !video.videoWidth)) started();
    else if (startup !== undefined) become('p');
  });
  on('waiting', () => {
    const starved = bufferedAhead(video) < ENOUGH_SECONDS;
    if (state === 'p' && starved && !video.seeking && !video.ended) become('r');
  });
  on('seeking', () => startup !== undefined && become('k'));
  on('pause', () => startup !== undefined && !video.ended && become('a'));
  on('ended', () => become('e'));
  addEventListener('pagehide', () => become('q'), { signal });
  const timer = setInterval(() => state === 'p' && report('t', state), INTERVAL_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  report('ps', state);
  return become;
}

function reporter(sid: string): Report {
  let number = 0;
  let anybody = true;
  return (event, state, { msd, bsd } = {}) => {
    if (!anybody) return;
    const body = [
      ...(bsd === undefined ? [] : [`bsd=(${bsd})`]),
      `e=${event}`,
      ...(msd === undefined ? [] : [`msd=${msd}`]),
      `sid="${sid}",sn=${number++},sta=${state},ts=${Date.now()},v=2`,
    ].join(',');
    // It is to arrive when the page is gone; should it not, the viewer is not to be bothered.
    fetch(COLLECTOR, {
      method: 'POST',
      body,
      keepalive: true,
      credentials: 'omit',
      headers: { 'Content-Type': 'application/cmcd' },
    }).then(
      ({ status }) => (anybody &&= !NOBODY.includes(status)),
      () => {},
    );
  };
}

/** `crypto.randomUUID` is missing on pages without TLS. */
function sessionId(): string {
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
