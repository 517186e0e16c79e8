type Attributes = Record<string, string | number | boolean>;

/** An element with attributes (`true` sets an empty one, `false` sets none) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Shapes on a 24 x 24 grid. */
const ICONS = {
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M7 5h3.5v14H7zM13.5 5H17v14h-3.5z',
  replay: 'M12 5V1.5L7 6.5l5 5V8a5.5 5.5 0 1 1-5.5 5.5h-2.5A8 8 0 1 0 12 5z',
  volume:
    'M4 9v6h4l5 5V4L8 9zm12-.5v7a4 4 0 0 0 0-7zm0-4.2v2.2a6 6 0 0 1 0 11v2.2a8.2 8.2 0 0 0 0-15.4z',
  muted:
    'M4 9v6h4l5 5V4L8 9zm17.5.9-1.4-1.4-2.3 2.3-2.3-2.3-1.4 1.4 2.3 2.3-2.3 2.3 1.4 1.4 2.3-2.3 2.3 2.3 1.4-1.4-2.3-2.3z',
  quality:
    'M3 17v2h6v-2zM3 5v2h10V5zm10 16v-2h8v-2h-8v-2h-2v6zM7 9v2H3v2h4v2h2V9zm14 4v-2H11v2zm-6-4h2V7h4V5h-4V3h-2z',
  audio: 'M12 3v10.6A4 4 0 1 0 14 17V7h5V3z',
  text: 'M4 5h16a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 20 19H4a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 4 5zm1.5 6v2h3v-2zm5 0v2h8v-2zm-5 4v2h8v-2zm10 0v2h3v-2z',
  stats: 'M4 20V10h4v10zm6 0V4h4v16zm6 0v-7h4v7z',
  back: 'M15.5 4.5 17 6l-6 6 6 6-1.5 1.5L8 12z',
  on: 'M8.5 4.5 7 6l6 6-6 6 1.5 1.5L16 12z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  check: 'M9.5 17.5 4 12l1.5-1.5 4 4 9-9L20 7z',
  search:
    'M10.5 4a6.5 6.5 0 1 0 4 11.6l4.4 4.4 1.4-1.4-4.4-4.4A6.5 6.5 0 0 0 10.5 4zm0 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z',
  fullscreen: 'M5 5h6v2H7v4H5zm8 0h6v6h-2V7h-4zM5 13h2v4h4v2H5zm12 0h2v6h-6v-2h4z',
} as const;

export type IconName = keyof typeof ICONS;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name: IconName, label: string, className = ''): HTMLButtonElement {
  const attributes = {
    type: 'button',
    'aria-label': label,
    title: label,
    class: `icon ${className}`,
  };
  return h('button', attributes, icon(name));
}

/** Change what a button from `iconButton` shows and says. */
export function relabel(button: HTMLButtonElement, name: IconName, label: string): void {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.replaceChildren(icon(name));
}
