/** Figures of the running playback, over the picture. */

import { h } from './dom';
import { bitrate } from './format';
import { bufferedAhead, type Meter } from './meter';

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
    ['Player', () => player],
    ['Start-up', () => (meter.startupMs === null ? '–' : `${meter.startupMs} ms`)],
    ['Picture', () => (video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '–')],
    ['Bitrate', () => text(declaredBitrate(), bitrate)],
    ['Buffer ahead', () => `${bufferedAhead(video).toFixed(1)} s`],
    ['Dropped frames', () => droppedFrames(video)],
    ['Stalls', () => String(meter.stalls)],
    ['Errors', () => String(meter.errors.length)],
  ];
  const values = rows.map(() => h('dd'));
  const element = h('dl', { class: 'overlay', 'aria-label': 'Playback figures' });
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
  return `${droppedVideoFrames} of ${totalVideoFrames}`;
}
