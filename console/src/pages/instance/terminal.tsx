// A terminal on an open door of an instance. xterm.js is large, so this module is loaded only where one is shown.

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef, useState } from 'react';
import type { TerminalDoor } from '../../../../sdk/doors.ts';
import { type DoorState, DoorView } from './door-view.tsx';
import { isWayOut } from './way-out.ts';

/** What scrolled out of sight is kept for so many lines. */
const scrollback = 5_000;

const colours = { background: '#0d1314', foreground: '#dfe7e7', cursor: '#4cc4c9' };

interface TerminalViewProps {
  label: string;
  /** Opens the door; what it says first is what is shown first. */
  open(size: { columns: number; rows: number }, signal: AbortSignal): Promise<TerminalDoor>;
}

/**
 * Lets through the page's policy the style elements that are made meanwhile. xterm.js has an option for that, `documentOverride`, but
 * its scrollbar asks the window for its document all the same.
 */
function withStyleNonce(work: () => void): void {
  const { nonce } = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]') ?? { nonce: '' };
  const make = document.createElement.bind(document);
  document.createElement = (tag: string, options?: ElementCreationOptions) => {
    const element: HTMLElement = make(tag, options);
    if (tag === 'style' && nonce) element.nonce = nonce;
    return element;
  };
  try {
    work();
  } finally {
    Reflect.deleteProperty(document, 'createElement');
  }
}

/** A terminal that opens its door as it is shown, and again when it was closed and that is asked for. */
export default function TerminalView({ label, open }: TerminalViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const wayOut = useRef<HTMLParagraphElement>(null);
  const [state, setState] = useState<DoorState>({ is: 'opening' });
  const [attempt, setAttempt] = useState(0);
  const opener = useRef(open);
  opener.current = open;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt is a new terminal
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const gone = new AbortController();
    const terminal = new Terminal({
      ...{ cursorBlink: true, scrollback, theme: colours, screenReaderMode: true, fontSize: 14 },
      // Some fonts have their underscores below a line of the font's own height.
      lineHeight: 1.15,
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    withStyleNonce(() => terminal.open(target));
    terminal.textarea?.setAttribute('aria-label', label);
    terminal.attachCustomKeyEventHandler((event) => {
      if (!isWayOut(event)) return true;
      if (event.type === 'keydown') wayOut.current?.focus();
      return false;
    });
    fit.fit();
    setState({ is: 'opening' });
    const follow = async () => {
      const door = await opener.current({ columns: terminal.cols, rows: terminal.rows }, gone.signal);
      gone.signal.addEventListener('abort', () => door.close());
      if (gone.signal.aborted) return door.close();
      setState({ is: 'open' });
      door.onData((bytes) => terminal.write(bytes));
      terminal.onData((text) => door.write(text));
      terminal.onResize(({ cols, rows }) => door.resize(cols, rows));
      terminal.focus();
      const { code, reason } = await door.closed;
      const ended = code === 1000 ? `It has ended${exitWords(await door.exitCode)}.` : 'The connection is closed.';
      if (!gone.signal.aborted) setState({ is: 'closed', why: reason || ended });
    };
    follow().catch((error: unknown) => {
      if (!gone.signal.aborted) setState({ is: 'closed', why: (error as Error).message });
    });
    const resized = new ResizeObserver(() => fit.fit());
    resized.observe(target);
    return () => {
      gone.abort();
      resized.disconnect();
      terminal.dispose();
    };
  }, [attempt, label]);

  return (
    <DoorView
      className="terminal-box"
      box={box}
      wayOut={wayOut}
      state={state}
      onAgain={() => setAttempt(attempt + 1)}
    />
  );
}

const exitWords = (code: number | null) => (code === null || code === 0 ? '' : ` with ${code}`);
