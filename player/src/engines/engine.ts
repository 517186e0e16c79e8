/**
 * An engine plays one manifest in one `<video>`. The page knows players only by this interface.
 *
 * Options carry the same ids in every engine (a language, a picture height), so that a link or a
 * change of engine keeps the viewer's choice.
 */

import { bitrate, canonicalLanguage, languageName } from '../format';
import { words } from '../words';

export interface Option {
  id: string;
  label: string;
}

export interface Selection {
  options(): Option[];
  selected(): string;
  select(id: string): void;
}

export interface EngineStats {
  /** Bits per second the manifest declares for the rung in use; `null` if the engine cannot say. */
  bitrate: number | null;
}

export interface Engine {
  /** Resolves once `video.play()` may be called; what fails is told to the listener. */
  load(url: string, startAt: number): Promise<void>;
  readonly qualities: Selection;
  readonly audio: Selection;
  readonly text: Selection;
  stats(): EngineStats;
  destroy(): void;
}

export interface EngineListener {
  /** Options, or what is selected, may have changed. */
  tracksChanged(): void;
  failed(message: string, fatal: boolean): void;
}

/** `sid`: the session id (CMCD) that the engine's requests carry. */
export type CreateEngine = (
  video: HTMLVideoElement,
  listener: EngineListener,
  sid: string,
) => Engine;

/** Their labels are in the language of the moment. */
export const AUTO: Option = {
  id: 'auto',
  get label() {
    return words.automatic;
  },
};
export const OFF: Option = {
  id: 'off',
  get label() {
    return words.off;
  },
};

/** A list of an engine's own things, each with the option that stands for it. */
export type Named<T> = { option: Option; item: T }[];

interface Rung {
  height?: number | null | undefined;
  bitrate: number;
}

/** Rungs, best first; the id is the height, with a serial number where heights repeat. */
export function nameRungs<T>(items: readonly T[], describe: (item: T) => Rung): Named<T> {
  const best = [...items].sort((a, b) => describe(b).bitrate - describe(a).bitrate);
  return named(best, (item) => {
    const rung = describe(item);
    const height = rung.height ? `${rung.height}p · ` : '';
    return { id: String(rung.height ?? rung.bitrate), label: `${height}${bitrate(rung.bitrate)}` };
  });
}

interface Spoken {
  language?: string | null | undefined;
  label?: string | null | undefined;
}

/** Tracks in the manifest's order; the id is the language, numbered where languages repeat. */
export function nameTracks<T>(items: readonly T[], describe: (item: T) => Spoken): Named<T> {
  return named(items, (item) => {
    const { language, label } = describe(item);
    const id = canonicalLanguage(language || 'und');
    const spoken = label && canonicalLanguage(label) !== id ? label : languageName(id);
    return { id, label: spoken };
  });
}

function named<T>(items: readonly T[], describe: (item: T) => Option): Named<T> {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const option = describe(item);
    const serial = (seen.get(option.id) ?? 0) + 1;
    seen.set(option.id, serial);
    return { item, option: serial === 1 ? option : { ...option, id: `${option.id}-${serial}` } };
  });
}

/**
 * A selection over an engine's own list. `lead` is the choice that stands for none of them
 * (automatic quality, no subtitles): `apply` takes `null` for it.
 */
export function selection<T>(parts: {
  list: () => Named<T>;
  isSelected: (item: T) => boolean;
  apply: (item: T | null) => void;
  lead?: Option;
}): Selection {
  return {
    options() {
      const options = parts.list().map(({ option }) => option);
      // Automatic among one rung is no choice.
      const leads = parts.lead && (parts.lead !== AUTO || options.length > 1);
      return leads ? [parts.lead!, ...options] : options;
    },
    selected() {
      const match = parts.list().find(({ item }) => parts.isSelected(item));
      return match?.option.id ?? parts.lead?.id ?? '';
    },
    select(id) {
      parts.apply(parts.list().find(({ option }) => option.id === id)?.item ?? null);
    },
  };
}
