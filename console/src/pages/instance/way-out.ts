// Terminals and screens take every key, Tab too. One chord leads out of them, so that nobody who has only a keyboard is caught.

interface Chord {
  ctrlKey: boolean;
  shiftKey: boolean;
  key: string;
}

/** Whether somebody wants out. */
export const isWayOut = ({ ctrlKey, shiftKey, key }: Chord): boolean => ctrlKey && shiftKey && key === 'Home';

/** How it is told. */
export const wayOutWords = 'It takes every key while it has the focus. Ctrl+Shift+Home leads out of it.';
