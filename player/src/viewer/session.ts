/**
 * The server's knowledge of a playback: it is told where the picture is, holds one of the account's
 * places for it, and may end it. A tab remembers its session, for a reload to give its place back.
 */

import { Refusal } from '../http';
import { api, type Started } from './api';
import { deviceName } from './device';
import { recall, remember } from './store';

export interface Session {
  /** Tell the server now, not only at the next beat. */
  beat(): void;
  /** Give the place back; what the server knows by then is where the viewer goes on. */
  end(): Promise<void>;
}

/** A new session of this tab; the one it had before ends first. */
export async function begin(title: string, profile: string): Promise<Started> {
  const before = recall('session');
  if (before) await api.end(before, null).catch(() => {});
  const started = await api.play(title, profile, deviceName());
  remember('session', started.session);
  return started;
}

/** Beats until `end`; `gone` is told when the server has ended it (410), or given its place away
 * after a long silence (409). */
export function follow(
  started: Started,
  video: HTMLVideoElement,
  gone: (refusal: Refusal) => void,
): Session {
  const closing = new AbortController();
  const { signal } = closing;
  let over = false;

  async function beat(): Promise<void> {
    if (over) return;
    const position = video.readyState ? video.currentTime : started.resume;
    const state = video.ended ? 'ended' : video.paused ? 'paused' : 'playing';
    try {
      await api.beat(started.session, position, state);
    } catch (error) {
      // Whatever else fails may work at the next beat: the picture goes on.
      if (!(error instanceof Refusal) || ![409, 410].includes(error.status) || over) return;
      stop();
      gone(error);
    }
  }

  function stop(): void {
    over = true;
    closing.abort();
    clearInterval(beating);
    if (recall('session') === started.session) remember('session', null);
  }

  async function end(): Promise<void> {
    if (over) return;
    const position = video.readyState ? video.currentTime : null;
    stop();
    await api.end(started.session, position).catch(() => {});
  }

  const beating = setInterval(() => void beat(), started.heartbeat_seconds * 1000);
  for (const event of ['playing', 'pause', 'seeked', 'ended']) {
    video.addEventListener(event, () => void beat(), { signal });
  }
  addEventListener('pagehide', () => void end(), { signal });
  return { beat: () => void beat(), end };
}
