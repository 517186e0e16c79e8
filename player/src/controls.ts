/** The bar under the picture: play, seek, time, volume, and a place for the menus. */

import { h, iconButton, relabel } from './dom';
import { clock } from './format';
import { bufferedAhead } from './meter';
import { words } from './words';

export interface Actions {
  /** Play, pause, or start from the beginning after the end. */
  toggle(): void;
  seekBy(seconds: number): void;
  changeVolume(step: number): void;
  mute(): void;
  fullscreen(): void;
  captions(): void;
  stats(): void;
}

export function controls(
  video: HTMLVideoElement,
  actions: Actions,
  menus: HTMLElement[],
  signal: AbortSignal,
): HTMLElement {
  const play = iconButton('play', words.keys(words.play, words.space));
  const mute = iconButton('volume', words.keys(words.mute, 'm'));
  const stats = iconButton('stats', words.keys(words.figures, 'i'), 'stats');
  const full = iconButton('fullscreen', words.keys(words.fullScreen, 'f'));
  const seek = h('input', {
    type: 'range',
    class: 'seek',
    min: 0,
    max: 0,
    step: 0.1,
    value: 0,
    'aria-label': words.seek,
  });
  const volume = h('input', {
    type: 'range',
    class: 'volume',
    min: 0,
    max: 1,
    step: 0.05,
    'aria-label': words.volume,
  });
  const time = h('span', { class: 'time' });

  play.addEventListener('click', actions.toggle);
  mute.addEventListener('click', actions.mute);
  stats.addEventListener('click', actions.stats);
  full.addEventListener('click', actions.fullscreen);
  seek.addEventListener('input', () => (video.currentTime = Number(seek.value)));
  volume.addEventListener('input', () => {
    video.volume = Number(volume.value);
    video.muted = false;
  });

  function showTime(): void {
    const duration = Number.isFinite(video.duration) ? video.duration : 0;
    const progress = `${clock(video.currentTime)} / ${clock(duration ? Math.round(duration) : null)}`;
    seek.max = String(duration);
    seek.value = String(video.currentTime);
    seek.setAttribute('aria-valuetext', progress);
    time.textContent = progress;
    fill(seek, '--played', video.currentTime, duration);
    fill(seek, '--buffered', video.currentTime + bufferedAhead(video), duration);
  }

  function showPlaying(): void {
    if (video.ended) relabel(play, 'replay', words.keys(words.playAgain, words.space));
    else if (video.paused) relabel(play, 'play', words.keys(words.play, words.space));
    else relabel(play, 'pause', words.keys(words.pause, words.space));
  }

  function showVolume(): void {
    const level = video.muted ? 0 : video.volume;
    relabel(mute, level ? 'volume' : 'muted', words.keys(level ? words.mute : words.unmute, 'm'));
    volume.value = String(level);
    fill(volume, '--played', level, 1);
  }

  const on = (events: string[], show: () => void) => {
    for (const event of events) video.addEventListener(event, show, { signal });
    show();
  };
  on(['timeupdate', 'progress', 'durationchange', 'seeking', 'seeked'], showTime);
  on(['play', 'pause', 'ended', 'seeked'], showPlaying);
  on(['volumechange'], showVolume);

  const left = h('div', { class: 'group' }, play, mute, volume, time);
  const right = h('div', { class: 'group' }, ...menus, stats, full);
  return h('div', { class: 'controls' }, seek, h('div', { class: 'row' }, left, right));
}

function fill(range: HTMLInputElement, property: string, value: number, max: number): void {
  range.style.setProperty(property, `${max ? Math.min(100, (value / max) * 100) : 0}%`);
}
