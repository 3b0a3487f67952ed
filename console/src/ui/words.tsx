// Single words and figures, the same wherever they stand.

import { type RefObject, useEffect, useRef, useState } from 'react';
import type { Instance } from '../../../sdk/generated/types.ts';
import { ago, at } from '../format.ts';
import { Icon } from './icon.tsx';

const tickMs = 10_000;

/** A moment as it lies from now, with its date for who points at it. */
export function When({ time }: { time: string }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), tickMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={time} title={at(time)}>
      {ago(time)}
    </time>
  );
}

type Tone = 'good' | 'busy' | 'bad' | 'quiet';

/** A word with a colour; the word alone says it all. */
export const Badge = ({ tone, children }: { tone: Tone; children: string }) => (
  <span className={`badge badge-${tone}`}>{children}</span>
);

const toneOf: Record<Instance['status'], Tone> = {
  active: 'good',
  launching: 'busy',
  deleting: 'busy',
  stopped: 'quiet',
  'soft-deleted': 'quiet',
  deleted: 'quiet',
  failed: 'bad',
  terminated: 'bad',
};

/** What an instance is now. */
export const Status = ({ of }: { of: Instance['status'] }) => <Badge tone={toneOf[of]}>{of}</Badge>;

/** So long a button says that it has copied. */
const copiedMs = 2_000;

/** Something to copy: an address, a command, a secret. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const shown = useRef<HTMLElement>(null);
  return (
    <span className="copyable">
      <code ref={shown}>{text}</code>
      <CopyButton text={text} label={label} shown={shown} />
    </span>
  );
}

/** Several lines to copy: a command with all that belongs to it. */
export function CopyableBlock({ text, label }: { text: string; label: string }) {
  const shown = useRef<HTMLPreElement>(null);
  return (
    <div className="copyable-block">
      <section aria-label={label}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the page is read by scrolling it */}
        <pre ref={shown} tabIndex={0}>
          {text}
        </pre>
      </section>
      <CopyButton text={text} label={label} shown={shown} />
    </div>
  );
}

interface CopyButtonProps {
  text: string;
  label: string;
  /** Where it is shown. */
  shown: RefObject<HTMLElement | null>;
}

function CopyButton({ text, label, shown }: CopyButtonProps) {
  const [state, setState] = useState<'copied' | 'chosen'>();
  useEffect(() => {
    if (!state) return;
    const timer = setTimeout(() => setState(undefined), copiedMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setState(copied || copyChosen(shown.current) ? 'copied' : 'chosen');
  };
  return (
    <>
      <button type="button" className="icon-button" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        <Icon name={state === 'copied' ? 'check' : 'copy'} />
      </button>
      {/* Here and not at the edge of the page, which a dialog hides from everybody. */}
      <span className={state === 'chosen' ? 'fine' : 'unseen'} role="status">
        {state === 'copied' && 'Copied'}
        {state === 'chosen' && 'Press Ctrl+C'}
      </span>
    </>
  );
}

/** Chooses an element's text and copies it the old way: browsers have no clipboard where a page came by HTTP from elsewhere. */
function copyChosen(element: HTMLElement | null): boolean {
  if (!element) return false;
  getSelection()?.selectAllChildren(element);
  return document.execCommand('copy');
}
