// Single words and figures, the same wherever they stand.

import { useEffect, useState } from 'react';
import type { Instance } from '../../../sdk/generated/types.ts';
import { ago, at } from '../format.ts';
import { Icon } from './icon.tsx';
import { useToast } from './toast.tsx';

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

/** Something to copy: an address, a command, a secret. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const say = useToast();
  const copy = async () => {
    // Browsers have no clipboard where a page came by HTTP from elsewhere.
    if (!navigator.clipboard) return say('This browser copies only over HTTPS: select it by hand.');
    await navigator.clipboard.writeText(text);
    say(`${label} copied`);
  };
  return (
    <span className="copyable">
      <code>{text}</code>
      <button type="button" className="icon-button" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        <Icon name="copy" />
      </button>
    </span>
  );
}
