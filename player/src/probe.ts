/** `window.vodPlayer`: what is being played, for tests and for the console. See docs/player.md. */

import type { Option } from './engines/engine';
import { bufferedAhead } from './meter';
import type { Choice, Playback, State } from './playback';

export interface Probe {
  readonly state: State;
  readonly startupMs: number | null;
  readonly stalls: number;
  readonly errors: readonly string[];
  readonly levels: Option[];
  readonly audioTracks: Option[];
  readonly textTracks: Option[];
  readonly bufferedAhead: number;
  readonly currentTime: number;
  readonly duration: number;
  readonly ended: boolean;
}

declare global {
  interface Window {
    vodPlayer: Probe | null;
  }
}

export function probe(playback: Playback): Probe {
  const { video, meter } = playback;
  const options = (name: Choice) => playback.selection(name)?.options() ?? [];
  return {
    get state() {
      return playback.state;
    },
    get startupMs() {
      return meter.startupMs;
    },
    get stalls() {
      return meter.stalls;
    },
    get errors() {
      return [...meter.errors];
    },
    get levels() {
      return options('quality');
    },
    get audioTracks() {
      return options('audio');
    },
    get textTracks() {
      return options('text');
    },
    get bufferedAhead() {
      return bufferedAhead(video);
    },
    get currentTime() {
      return video.currentTime;
    },
    get duration() {
      return video.duration;
    },
    get ended() {
      return video.ended;
    },
  };
}
