/** What this browser remembers between visits; nothing, where it forbids that. */

type Name = 'profile' | 'language' | 'device' | 'session';

const PREFIX = 'vod.';

/** A playback session lives as long as its tab; the rest belongs to the browser. */
const area = (name: Name) => (name === 'session' ? sessionStorage : localStorage);

export function recall(name: Name): string | null {
  try {
    return area(name).getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: Name, value: string | null): void {
  try {
    if (value === null) area(name).removeItem(PREFIX + name);
    else area(name).setItem(PREFIX + name, value);
  } catch {
    // Private windows of some browsers: the page works, it only asks again.
  }
}
