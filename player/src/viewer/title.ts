/** All about one title: what it is, where to play it, and a series' seasons. */

import { h, icon } from '../dom';
import { languageName } from '../format';
import { language, words } from '../words';
import { announce } from './announce';
import { api, type Detail, type EpisodeCard } from './api';
import { artwork, cardOf, facts, genreName } from './card';
import { hashes } from './route';
import { button, link, type View } from './view';
import { viewer } from './viewer';

const SEEN = 0.95; // of an episode: what is left are its credits

export async function titleView(id: string): Promise<View> {
  const title = await api.title(id, viewer.profile().id, language);
  const head = h(
    'div',
    { class: 'hero' },
    artwork({ ...title, progress: null }, 'wide'),
    h(
      'div',
      { class: 'hero-words' },
      series(title),
      h('h1', {}, title.name),
      h('p', { class: 'facts' }, facts(title).join(' · ')),
      h('p', { class: 'synopsis' }, title.synopsis ?? ''),
      actions(title),
      particulars(title),
    ),
  );
  const element = h('article', { class: 'title-page' }, head);
  if (title.seasons.length) element.append(seasons(title));
  return { title: title.name, element };
}

/** From an episode back to what it is a part of. */
function series({ series: place }: Detail): HTMLElement | string {
  return place ? link(words.series, hashes.title(place.id), 'back') : '';
}

function actions(title: Detail): HTMLElement {
  const row = h('div', { class: 'actions' });
  const next = toPlay(title);
  if (!title.playable) row.append(h('p', { class: 'notice-line' }, words.notInPlan));
  else if (next) row.append(playLink(next.id, next.progress !== null, episodeName(title, next)));
  row.append(listButton(title));
  return row;
}

function playLink(id: string, resumes: boolean, extra: string): HTMLElement {
  const text = `${resumes ? words.resume : words.play}${extra}`;
  const play = link('', hashes.watch(id), 'button');
  play.append(icon('play'), text);
  return play;
}

/** The title itself; of a series the episode after the last one seen, or that one if unfinished. */
function toPlay(title: Detail): Detail | EpisodeCard | undefined {
  if (title.kind !== 'series') return title;
  const episodes = title.seasons.flatMap((season) => season.episodes);
  const last = episodes.map(({ progress }) => progress !== null).lastIndexOf(true);
  const seen = episodes[last]?.progress;
  const finished = seen && seen.position >= seen.duration * SEEN;
  return (finished && episodes[last + 1]) || episodes[last] || episodes[0];
}

function episodeName(title: Detail, { series }: Detail | EpisodeCard): string {
  if (title.kind !== 'series' || !series) return '';
  return ` ${words.episode(series.season, series.episode)}`;
}

function listButton(title: Detail): HTMLElement {
  let listed = title.in_list;
  const toggle = button('', change, 'button quiet');

  function show(): void {
    toggle.replaceChildren(icon(listed ? 'check' : 'plus'), words.myList);
    toggle.setAttribute('aria-pressed', String(listed));
    toggle.title = listed ? words.inList : words.addToList;
  }

  async function change(): Promise<void> {
    const { id } = viewer.profile();
    await (listed ? api.takeFromList(title.id, id) : api.putInList(title.id, id));
    listed = !listed;
    show();
    announce(listed ? words.addedToList(title.name) : words.removedFromList(title.name));
  }

  show();
  return toggle;
}

function particulars(title: Detail): HTMLElement {
  const list = h('dl', { class: 'particulars' });
  const add = (name: string, ...values: (Node | string)[]) =>
    list.append(h('div', {}, h('dt', {}, name), h('dd', {}, ...values)));
  const languages = (tags: string[]) => tags.map(languageName).join(', ');
  if (title.languages.length) add(words.audio, languages(title.languages));
  if (title.kind !== 'series') {
    add(words.subtitles, languages(title.subtitles) || words.noSubtitles);
  }
  if (title.genres.length) {
    add(words.genres, ...title.genres.map((genre) => link(genreName(genre), hashes.genre(genre))));
  }
  return list;
}

function seasons(title: Detail): HTMLElement {
  const sections = title.seasons.map(({ number, episodes }) =>
    h(
      'section',
      { class: 'season', 'aria-labelledby': `season-${number}` },
      h('h2', { id: `season-${number}` }, words.season(number)),
      h('ol', { class: 'episodes', role: 'list' }, ...episodes.map(episodeOf)),
    ),
  );
  return h('div', { class: 'seasons' }, ...sections);
}

function episodeOf(episode: EpisodeCard): HTMLElement {
  const card = cardOf(episode, 'wide');
  const synopsis = h(
    'span',
    { class: 'synopsis', id: `about-${episode.id}` },
    episode.synopsis ?? '',
  );
  card.setAttribute('aria-label', [episode.name, ...facts(episode)].join(', '));
  card.setAttribute('aria-describedby', synopsis.id);
  card.append(synopsis);
  return h('li', {}, card);
}
