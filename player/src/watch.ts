/** The page of one title: the stage, its name, and the switches of format and player. */

import type { Title } from './api';
import { h } from './dom';
import { enginesFor, type Format } from './engines';
import { clock } from './format';
import { engineFor, watchHash, type WatchRoute } from './route';
import { stage, type Stage } from './stage';

export interface WatchView {
  element: HTMLElement;
  stage: Stage;
}

const FORMATS: { id: Format; label: string }[] = [
  { id: 'hls', label: 'HLS' },
  { id: 'dash', label: 'DASH' },
];

export function watchView(title: Title, route: WatchRoute): WatchView {
  let settings = route;
  const theStage = stage(title, route, (changes) => {
    settings = { ...settings, ...changes };
    history.replaceState(null, '', watchHash(settings));
  });

  /** Another format or player starts anew, from where this one is. */
  function restart(format: Format, engine: string): void {
    const { video, state } = theStage.playback;
    const autoplay = state !== 'idle';
    const t = video.ended ? 0 : video.currentTime;
    location.replace(
      watchHash({ ...settings, format, engine: engineFor(format, engine), t, autoplay }),
    );
  }

  const format = switches('Format', FORMATS, route.format, (id) =>
    restart(id as Format, route.engine),
  );
  const engine = switches('Player', enginesFor(route.format), route.engine, (id) =>
    restart(route.format, id),
  );
  const facts = [
    title.duration === null ? '' : clock(Math.round(title.duration)),
    address(title[route.format]),
  ];
  const element = h(
    'section',
    { class: 'watch' },
    h('a', { class: 'back', href: '#/' }, '← Library'),
    theStage.element,
    h('h1', {}, title.name),
    h('p', { class: 'facts' }, ...facts.filter((fact) => fact !== '')),
    h('form', { class: 'switches' }, format, engine),
  );
  return { element, stage: theStage };
}

/** For whoever wants to play the stream elsewhere. */
function address(path: string): HTMLElement {
  return h('a', { class: 'address', href: path }, new URL(path, location.href).href);
}

function switches(
  name: string,
  options: readonly { id: string; label: string }[],
  selected: string,
  onChoice: (id: string) => void,
): HTMLElement {
  const choices = options.map(({ id, label }) => {
    const input = h('input', { type: 'radio', name, value: id, checked: id === selected });
    input.addEventListener('change', () => onChoice(id));
    return h('label', {}, input, h('span', {}, label));
  });
  return h('fieldset', {}, h('legend', {}, name), ...choices);
}
