import type { Actions } from './controls';

/** One key each; what a focused field or menu does with a key comes first. */
export function shortcuts(actions: Actions, signal: AbortSignal): void {
  const keys: Record<string, () => void> = {
    ' ': actions.toggle,
    k: actions.toggle,
    ArrowLeft: () => actions.seekBy(-5),
    ArrowRight: () => actions.seekBy(5),
    ArrowUp: () => actions.changeVolume(0.1),
    ArrowDown: () => actions.changeVolume(-0.1),
    m: actions.mute,
    f: actions.fullscreen,
    c: actions.captions,
    i: actions.stats,
  };
  document.addEventListener(
    'keydown',
    (event) => {
      const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || takesKey(event)) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
}

function takesKey({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input, select, textarea, [role^=menu]')) return key.startsWith('Arrow') || typesText(target);
  return key === ' ' && target.matches('button, a, summary');
}

function typesText(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement ? !/^(range|radio|checkbox)$/.test(target.type) : false;
}
