/** Everything drawn over the picture: the bar, the menus, the figures, and what went wrong. */

import type { Title } from './api';
import { controls, type Actions } from './controls';
import { h, icon } from './dom';
import { enginesFor, prefetch } from './engines';
import { shortcuts } from './keyboard';
import { menu, type Menu } from './menu';
import { notice } from './notice';
import { overlay } from './overlay';
import { CHOICES, Playback, type Choice, type State } from './playback';
import { paint } from './poster';
import type { WatchRoute } from './route';
import { words } from './words';

export interface Stage {
  element: HTMLElement;
  playback: Playback;
  destroy(): void;
}

/**
 * `remember` is told what the viewer sets, to keep it in the address of the page; `onState` each
 * state of the playback.
 */
export function stage(
  title: Title,
  route: WatchRoute,
  remember: (settings: Partial<WatchRoute>) => void,
  onState: (state: State) => void = () => {},
): Stage {
  const closing = new AbortController();
  const { signal } = closing;
  const label = enginesFor(route.format).find(({ id }) => id === route.engine)!.label;
  const element = h('div', { class: 'stage', 'data-state': 'idle' });
  const trouble = notice(title, title[route.format]);
  const menus = menusFor((name, id) => playback.choose(name, id));
  const listener = {
    stateChanged(state: State) {
      element.dataset.state = state;
      onState(state);
    },
    tracksChanged: () => bind(menus, playback),
    failed: (message: string) => void trouble.explain(words.engineStopped(label, message)),
    chose: (name: Choice, id: string) => remember({ [name]: id }),
  };
  const playback = new Playback(title, route, listener, signal);
  const { video, meter } = playback;
  const player = `${label} · ${route.format.toUpperCase()}`;
  const figures = overlay(video, meter, player, () => playback.engine?.stats().bitrate ?? null);
  figures.element.hidden = !route.stats;

  const actions: Actions = {
    toggle: () => playback.toggle(),
    seekBy: (seconds) => playback.seekBy(seconds),
    changeVolume: (step) => playback.changeVolume(step),
    mute: () => playback.toggleMute(),
    captions: () => playback.toggleCaptions(),
    fullscreen: () => toggleFullscreen(element),
    stats() {
      figures.element.hidden = !figures.element.hidden;
      remember({ stats: !figures.element.hidden });
    },
  };
  const bar = controls(
    video,
    actions,
    CHOICES.map((name) => menus[name].element),
    signal,
  );
  const playLabel = {
    type: 'button',
    class: 'big-play',
    'aria-label': words.playTitle(title.name),
  };
  const bigPlay = h('button', playLabel, icon('play'));
  const spinner = h('div', { class: 'spinner', 'aria-hidden': true });
  element.append(video, figures.element, spinner, bigPlay, trouble.element, bar);
  paint(element, title.id);

  bigPlay.addEventListener('click', actions.toggle);
  video.addEventListener('click', actions.toggle);
  video.addEventListener('resize', () => element.classList.toggle('picture', video.videoWidth > 0));
  shortcuts(actions, signal);
  hideWhenIdle(element, signal);
  const ticking = setInterval(figures.update, 250);

  if (title.problem) playback.failed(title.problem, true);
  else if (route.autoplay) void playback.start();
  else prefetch(route.engine);

  return {
    element,
    playback,
    destroy() {
      closing.abort();
      clearInterval(ticking);
      playback.destroy();
    },
  };
}

function menusFor(choose: (name: Choice, id: string) => void): Record<Choice, Menu> {
  return {
    quality: menu('quality', words.quality, (id) => choose('quality', id)),
    audio: menu('audio', words.audio, (id) => choose('audio', id)),
    text: menu('text', words.subtitles, (id) => choose('text', id)),
  };
}

function bind(menus: Record<Choice, Menu>, playback: Playback): void {
  for (const name of CHOICES) {
    const selection = playback.selection(name);
    if (selection) menus[name].bind(selection);
  }
}

function toggleFullscreen(element: HTMLElement): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void element.requestFullscreen?.();
}

/** The bar and the pointer go away while the picture runs and nobody moves. */
function hideWhenIdle(element: HTMLElement, signal: AbortSignal): void {
  let timer = 0;
  const wake = () => {
    element.classList.remove('idle');
    clearTimeout(timer);
    timer = window.setTimeout(() => element.classList.add('idle'), 3000);
  };
  document.addEventListener('keydown', wake, { signal });
  for (const event of ['pointermove', 'pointerdown', 'focusin']) {
    element.addEventListener(event, wake, { signal });
  }
  wake();
}
