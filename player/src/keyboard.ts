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
      if (!action || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
}

/** Whether the focused element has its own use for the key. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.matches('input[type=search], [role^=menu]')) return true;
  if (target.matches('input[type=radio], .volume')) return key.startsWith('Arrow');
  return key === ' ' && target.matches('button, a');
}
