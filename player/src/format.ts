import { language, words } from './words';

/** `9:56`, `1:02:03`; a dash for what is not known. */
export function clock(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–:––';
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const tail = `${String(rest).padStart(2, '0')}`;
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** `3.1 Mbit/s` or `350 kbit/s`. */
export function bitrate(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

/** The shortest BCP 47 form: `eng` and `en` are one language. */
export function canonicalLanguage(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? 'und';
  } catch {
    return 'und';
  }
}

/** In the language of the page. */
export function languageName(tag: string): string {
  const canonical = canonicalLanguage(tag);
  if (canonical === 'und') return words.unknownLanguage;
  const names = new Intl.DisplayNames([language], { type: 'language', fallback: 'code' });
  return names.of(canonical) ?? canonical;
}

/** How long a title is, in words: `1 h 32 min`, `24 min`, `30 s`. */
export function length(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
