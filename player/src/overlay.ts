/** Figures of the running playback, over the picture. */

import { h } from './dom';
import { bitrate } from './format';
import { bufferedAhead, type Meter } from './meter';
import { words } from './words';

export interface Overlay {
  element: HTMLElement;
  update(): void;
}

export function overlay(
  video: HTMLVideoElement,
  meter: Meter,
  player: string,
  declaredBitrate: () => number | null,
): Overlay {
  const rows: [string, () => string][] = [
    [words.player, () => player],
    [words.startUp, () => (meter.startupMs === null ? '–' : `${meter.startupMs} ms`)],
    [words.picture, () => (video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '–')],
    [words.bitrate, () => text(declaredBitrate(), bitrate)],
    [words.bufferAhead, () => `${bufferedAhead(video).toFixed(1)} s`],
    [words.droppedFrames, () => droppedFrames(video)],
    [words.stalls, () => String(meter.stalls)],
    [words.errors, () => String(meter.errors.length)],
  ];
  const values = rows.map(() => h('dd'));
  const element = h('dl', { class: 'overlay', 'aria-label': words.figures });
  rows.forEach(([name], i) => element.append(h('dt', {}, name), values[i]!));
  return {
    element,
    update() {
      rows.forEach(([, read], i) => (values[i]!.textContent = read()));
    },
  };
}

function text(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}

function droppedFrames(video: HTMLVideoElement): string {
  const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality();
  return words.droppedOf(droppedVideoFrames, totalVideoFrames);
}
