/** A gradient that is always the same for a title: its stand-in for artwork. */
export function paint(element: HTMLElement, id: string): void {
  const hash = digest(id);
  element.style.setProperty('--hue', String(hash % 360));
  element.style.setProperty('--turn', `${100 + ((hash >>> 9) % 80)}deg`);
}

/** FNV-1a, its bits mixed once more so that ids that differ in the last letter look different. */
function digest(id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
}
