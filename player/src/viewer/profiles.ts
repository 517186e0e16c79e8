/** Who watches: choosing a profile, and making, changing and removing them. */

import { h, icon } from '../dom';
import { LANGUAGES, language, words } from '../words';
import { api, type NewProfile, type Profile } from './api';
import { question } from './dialog';
import { form } from './form';
import { hashes } from './route';
import { button, link, notFoundView, type View } from './view';
import { viewer } from './viewer';

export const COLOURS = ['#8b9aff', '#4fd1c5', '#f6ad55', '#fc8fb0', '#9ae67a', '#c79bff'] as const;
const NEW = 'new';

export function profilesView(): View {
  const { profiles } = viewer.now()!;
  let managing = false;
  const list = h('ul', { class: 'profiles', role: 'list' });
  const manage = button('', turn, 'button quiet');
  const element = h(
    'section',
    { class: 'gate wide' },
    h('h1', {}, words.whoWatches),
    list,
    h('div', { class: 'actions' }, manage),
  );

  function show(): void {
    const items = profiles.map((profile) => (managing ? editLink(profile) : chooser(profile)));
    list.replaceChildren(...[...items, addLink()].map((item) => h('li', {}, item)));
    manage.textContent = managing ? words.done : words.manageProfiles;
    manage.setAttribute('aria-pressed', String(managing));
  }
  function turn(): void {
    managing = !managing;
    show();
  }
  show();
  return { title: words.whoWatches, element };
}

function chooser(profile: Profile): HTMLElement {
  const choice = button(
    '',
    () => {
      viewer.choose(profile);
      location.hash = '#/';
    },
    'profile',
  );
  choice.append(avatar(profile), h('span', {}, profile.name));
  return choice;
}

function editLink(profile: Profile): HTMLElement {
  const edit = link('', hashes.profile(profile.id), 'profile');
  edit.setAttribute('aria-label', words.editProfile(profile.name));
  edit.append(avatar(profile), h('span', {}, profile.name));
  return edit;
}

function addLink(): HTMLElement {
  const add = link('', hashes.profile(NEW), 'profile');
  const sign = h('span', { class: 'avatar add', 'aria-hidden': true }, icon('plus'));
  add.append(sign, h('span', {}, words.addProfile));
  return add;
}

export function avatar({ name, colour }: Pick<Profile, 'name' | 'colour'>): HTMLElement {
  const face = h('span', { class: 'avatar', 'aria-hidden': true }, name.trim().charAt(0) || '·');
  face.style.setProperty('--tint', colour);
  return face;
}

/** One profile to change, or to make where `id` is "new". */
export function profileView(id: string): View {
  const known = viewer.now()!.profiles.find((profile) => profile.id === id);
  if (!known && id !== NEW) return notFoundView();
  const title = known ? words.editProfile(known.name) : words.addProfile;
  const wanted = known ?? { name: '', colour: COLOURS[0], language, kids: false };
  const fields = form(
    [{ name: 'name', label: words.profileName, value: wanted.name, autocomplete: 'off' }],
    words.save,
    async () => {
      const draft = read(fields);
      viewer.keep(await (known ? api.changeProfile(known.id, draft) : api.addProfile(draft)));
      location.hash = '#/profiles';
    },
  );
  fields.lastElementChild!.before(
    colours(wanted.colour),
    languages(wanted.language),
    kids(wanted.kids),
  );
  const leave = h('div', { class: 'actions' }, link(words.cancel, '#/profiles', 'button quiet'));
  if (known && viewer.now()!.profiles.length > 1) leave.append(remover(known));
  return { title, element: h('section', { class: 'gate' }, h('h1', {}, title), fields, leave) };
}

function read(fields: HTMLFormElement): NewProfile {
  const said = new FormData(fields);
  return {
    name: String(said.get('name')).trim(),
    colour: String(said.get('colour')),
    language: String(said.get('language')),
    kids: said.has('kids'),
  };
}

function colours(chosen: string): HTMLElement {
  const known: readonly string[] = COLOURS;
  const offered = known.includes(chosen) ? known : [chosen, ...known];
  const swatches = offered.map((colour, i) => {
    const input = h('input', {
      type: 'radio',
      name: 'colour',
      value: colour,
      checked: colour === chosen,
    });
    input.setAttribute('aria-label', words.colourNumber(i + 1));
    const swatch = h('span', { class: 'swatch' });
    swatch.style.setProperty('--tint', colour);
    return h('label', {}, input, swatch);
  });
  return h('fieldset', { class: 'swatches' }, h('legend', {}, words.colour), ...swatches);
}

function languages(chosen: string): HTMLElement {
  const select = h('select', { id: 'field-language', name: 'language' });
  for (const { id, name } of LANGUAGES) {
    select.append(h('option', { value: id, lang: id, selected: id === chosen }, name));
  }
  return h(
    'div',
    { class: 'field' },
    h('label', { for: 'field-language' }, words.language),
    select,
  );
}

function kids(checked: boolean): HTMLElement {
  const box = h('input', { type: 'checkbox', name: 'kids', checked });
  return h('label', { class: 'tick' }, box, words.kids);
}

function remover(profile: Profile): HTMLElement {
  return button(
    words.deleteProfile,
    async () => {
      const answers = [
        { id: 'delete', text: words.deleteProfile },
        { id: 'cancel', text: words.cancel },
      ];
      const sure = h('p', {}, words.deleteProfileSure(profile.name));
      if ((await question(words.deleteProfile, [sure], answers)) !== 'delete') return;
      await api.removeProfile(profile.id);
      viewer.drop(profile);
      location.hash = '#/profiles';
    },
    'button bad',
  );
}
