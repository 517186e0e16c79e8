/** A gradient that is always the same for a title: its stand-in for artwork. */
export function paint(element: HTMLElement, id: string): void {
  let hash = 0;
  for (const letter of id) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) >>> 0;
  element.style.setProperty('--hue', String(hash % 360));
  element.style.setProperty('--turn', `${100 + ((hash >>> 9) % 80)}deg`);
}
