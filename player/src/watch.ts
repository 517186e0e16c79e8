/** The page of one title: the stage, its name, and the switches of format and player. */

import type { Title } from './api';
import { h } from './dom';
import { enginesFor, type Format } from './engines';
import { clock } from './format';
import { engineFor, watchHash, type WatchRoute } from './route';
import { stage, type Stage } from './stage';
import { words } from './words';

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
    playerSwitches(route, theStage, (changes) => {
      location.replace(watchHash({ ...settings, ...changes }));
    }),
  );
  return { element, stage: theStage };
}

/** Another format or player starts anew, from where this one is. */
export function playerSwitches(
  { format, engine }: WatchRoute,
  { playback }: Stage,
  restart: (changes: Partial<WatchRoute>) => void,
): HTMLElement {
  function choose(wanted: Format, name: string): void {
    const { video, state } = playback;
    const t = video.ended ? 0 : video.currentTime;
    restart({ format: wanted, engine: engineFor(wanted, name), t, autoplay: state !== 'idle' });
  }
  return h(
    'form',
    { class: 'switches' },
    switches(words.format, 'format', FORMATS, format, (id) => choose(id as Format, engine)),
    switches(words.player, 'player', enginesFor(format), engine, (id) => choose(format, id)),
  );
}

/** For whoever wants to play the stream elsewhere. */
export function address(path: string): HTMLElement {
  return h('a', { class: 'address', href: path }, new URL(path, location.href).href);
}

function switches(
  label: string,
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
  return h('fieldset', {}, h('legend', {}, label), ...choices);
}
