/** A title being watched: the stage, what comes next, and what the server may have against it. */

import { h, icon } from '../dom';
import { prefetch } from '../engines';
import { Refusal } from '../http';
import type { State } from '../playback';
import { probe } from '../probe';
import { watchHash, type WatchRoute } from '../route';
import { stage } from '../stage';
import { address, playerSwitches } from '../watch';
import { words } from '../words';
import { announce } from './announce';
import type { Card, Started, Stream } from './api';
import { artwork, facts } from './card';
import { question } from './dialog';
import { hashes } from './route';
import { begin, follow, type Session } from './session';
import { link, messageView, type View } from './view';
import { viewer } from './viewer';

const AGAIN = 'again';
const BACK = 'back';

/** `again` shows the same once more: with another try at a place among the devices. */
export async function watchView(
  route: WatchRoute,
  signal: AbortSignal,
  again: () => void,
): Promise<View> {
  prefetch(route.engine);
  try {
    const started = await begin(route.id, viewer.profile().id);
    return playing(started, { ...route, t: route.t || started.resume }, signal, again);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 409) return tooMany(route, error, signal, again);
    if (error.status !== 403) throw error;
    const toTitle = link(words.back, hashes.title(route.id), 'button');
    return messageView(words.cannotPlay, error.message, toTitle);
  }
}

function playing(
  started: Started,
  route: WatchRoute,
  signal: AbortSignal,
  again: () => void,
): View {
  const { title, next } = started;
  let settings: WatchRoute = { ...route, t: 0 };
  const keep = (changes: Partial<WatchRoute>) => {
    settings = { ...settings, ...changes };
    history.replaceState(null, '', watchHash(settings, 'watch'));
  };
  // Where it goes on is the server's to say, at the next visit.
  keep({});

  const upNext = next ? nextPanel(next) : null;
  let session: Session | null = null;

  const theStage = stage(
    {
      id: title.id,
      name: title.name,
      hls: started.hls,
      dash: started.dash,
      duration: null,
      problem: null,
    },
    { ...route, autoplay: true },
    keep,
    onState,
  );
  const { video } = theStage.playback;
  session = follow(started, video, (refusal) => {
    video.pause();
    if (refusal.status === 409) again();
    else void stopped(refusal.code);
  });
  window.vodPlayer = probe(theStage.playback);
  if (upNext) theStage.element.append(upNext);

  function onState(state: State): void {
    if (state === 'failed') session?.beat();
    if (upNext) upNext.hidden = state !== 'ended';
    if (state === 'ended' && next) {
      announce(`${words.upNext}: ${next.name}`);
      upNext?.querySelector('a')?.focus();
    }
  }

  async function stopped(code: string): Promise<void> {
    const reason = h('p', {}, code === 'revoked' ? words.revoked : words.ended);
    const answers = [
      { id: AGAIN, text: words.continueHere },
      { id: BACK, text: words.back },
    ];
    const answer = await question(words.stopped, [reason], answers, signal);
    if (signal.aborted) return;
    if (answer === AGAIN) again();
    else location.hash = hashes.title(title.id);
  }

  const element = h(
    'section',
    { class: 'watch' },
    backLink(title),
    theStage.element,
    h(
      'div',
      { class: 'heading' },
      h('div', {}, h('h1', {}, title.name), h('p', { class: 'facts' }, facts(title).join(' · '))),
      ...(next ? [nextLink(next)] : []),
    ),
    h(
      'details',
      { class: 'player-settings' },
      h('summary', {}, words.playerSettings),
      h('p', { class: 'facts' }, address(started[route.format])),
      playerSwitches(route, theStage, (changes) => {
        location.replace(watchHash({ ...settings, ...changes }, 'watch'));
      }),
    ),
  );
  return {
    title: title.name,
    element,
    async leave() {
      // Read the position before the player lets go of the picture.
      const told = session?.end();
      theStage.destroy();
      window.vodPlayer = null;
      await told;
    },
  };
}

/** An episode is a part of its series. */
function backLink({ id, name, series }: Card): HTMLElement {
  const back = link(words.back, hashes.title(series?.id ?? id), 'back');
  back.prepend(icon('back'));
  back.title = name;
  return back;
}

function nextLink(next: Card): HTMLElement {
  const on = link(words.nextEpisode, hashes.watch(next.id), 'button quiet next');
  on.append(icon('on'));
  on.title = next.name;
  return on;
}

/** Over the last picture. */
function nextPanel(next: Card): HTMLElement {
  const play = link('', hashes.watch(next.id), 'button');
  play.append(icon('play'), words.playNext);
  return h(
    'div',
    { class: 'up-next', hidden: true },
    artwork({ ...next, progress: null }, 'wide'),
    h('p', {}, h('span', { class: 'tile-facts' }, words.upNext), h('strong', {}, next.name)),
    play,
  );
}

function tooMany(
  route: WatchRoute,
  refusal: Refusal,
  signal: AbortSignal,
  again: () => void,
): View {
  const streams = (refusal.body.streams ?? []) as Stream[];
  const list = h('ul', { class: 'streams' }, ...streams.map(streamOf));
  const hint = h('p', {}, words.tooManyDevicesHint(viewer.now()!.account.streams));
  const element = h(
    'section',
    { class: 'watch' },
    h('h1', { class: 'visually-hidden' }, words.tooManyDevices),
  );
  const answers = [
    { id: AGAIN, text: words.tryAgain },
    { id: BACK, text: words.back },
  ];
  // Once the view it stands over is there.
  queueMicrotask(async () => {
    const answer = await question(words.tooManyDevices, [list, hint], answers, signal);
    if (signal.aborted) return;
    if (answer === AGAIN) again();
    else location.hash = hashes.title(route.id);
  });
  return { title: words.tooManyDevices, element };
}

function streamOf({ title, device, since }: Stream): HTMLElement {
  const began = new Date(typeof since === 'number' ? since * 1000 : since);
  const time = began.toLocaleTimeString(document.documentElement.lang, { timeStyle: 'short' });
  return h(
    'li',
    {},
    h('strong', {}, words.watchingThere(title, device)),
    h('span', { class: 'tile-facts' }, words.since(time)),
  );
}
