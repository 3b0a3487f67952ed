// Holding the price and the room of what is chosen for a while: a quote is made, its time is counted down, and what is made then is made
// with it.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { NewQuote, Quote } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { useFilters } from '../../filters.ts';
import { at, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField } from '../../ui/form.tsx';
import { Failure } from '../../ui/state.tsx';
import { Badge } from '../../ui/words.tsx';

const names = ['quote'] as const;
const minutes = ['5', '15', '30', '60'];
const usualMinutes = '15';
const tickMs = 1_000;

/** What is held, and how it is let go of. */
export interface Held {
  /** One that holds still; undefined for none. */
  quote: Quote | undefined;
  /** One whose time is over, or that was used. */
  over: Quote | undefined;
  error: Error | null;
  set(id: string): void;
}

/** The quote of the page's address, so that it is still there when the page is loaded again. */
export function useHeld(kind: Quote['kind']): Held {
  const berth = useBerth();
  const [{ quote: id }, narrow] = useFilters(names);
  const { data, error } = useQuery({
    queryKey: ['quotes', id],
    queryFn: () => berth.quotes.get(id),
    enabled: id !== '',
  });
  const found = id !== '' && data?.id === id && data.kind === kind ? data : undefined;
  // The server's event comes a little later than its time is over.
  const left = useSecondsLeft(found?.expiresAt);
  const isOpen = found?.state === 'open' && left > 0;
  return {
    quote: isOpen ? found : undefined,
    over: found && !isOpen ? found : undefined,
    error: id === '' ? null : error,
    set: (quote) => narrow({ quote }),
  };
}

/** How long it still is until a moment. */
function useSecondsLeft(until: string | undefined): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (until === undefined) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, [until]);
  return until === undefined ? 0 : Math.max(0, Math.ceil((Date.parse(until) - nowMs) / 1000));
}

/** As `14:32`. */
const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

interface HoldProps {
  held: Held;
  /** What would be held, or why it can't be. */
  wanted: NewQuote | string;
  /** Whether enough is known and right to ask. */
  isAskable: boolean;
}

/** The part of the page that holds, and lets go. */
export function Hold({ held, wanted, isAskable }: HoldProps) {
  const berth = useBerth();
  const done = useDone();
  const [busy, act] = useAct();
  const [length, setLength] = useState(usualMinutes);
  const [failure, setFailure] = useState<Error>();
  const { quote, over, error } = held;
  if (quote) {
    const letGo = () =>
      act(async () => {
        await berth.quotes.delete(quote.id);
        held.set('');
        await done('', 'quotes', 'offers', 'capacity', 'estimates');
      }, 'What it held is everybody’s again');
    return (
      <div className="hold">
        <h3>Held for you</h3>
        <Countdown until={quote.expiresAt} />
        <p className="fine">
          {usd(quote.total)} an {quote.unit}, and the room for it, until {at(quote.expiresAt)}.
        </p>
        <Button busy={busy} onClick={() => void letGo()}>
          Let go of it
        </Button>
      </div>
    );
  }
  const hold = async () => {
    if (typeof wanted === 'string') return;
    setFailure(undefined);
    try {
      const made = await berth.quotes.create({ ...wanted, validSeconds: Number(length) * 60 });
      held.set(made.id);
      await done('Held for you', 'quotes', 'offers', 'capacity');
    } catch (caught) {
      setFailure(caught as Error);
    }
  };
  return (
    <div className="hold">
      {error && <Failure error={error} />}
      {over && (
        <p className="note" role="status">
          What was held is {over.state === 'open' ? 'expired' : over.state}
          {over.reason ? `: ${over.reason}` : ''}. The price above is that of now.
        </p>
      )}
      <SelectField
        label="Hold this price and room for"
        hint="It costs nothing, and nobody else gets it meanwhile"
        value={length}
        choices={minutes.map((value) => ({ value, label: `${value} minutes` }))}
        onChange={setLength}
      />
      {failure && <Failure error={failure} />}
      <Button
        reason={isAskable ? (typeof wanted === 'string' ? wanted : null) : 'Its price is not known yet.'}
        onClick={() => void hold()}
      >
        Hold it
      </Button>
    </div>
  );
}

function Countdown({ until }: { until: string }) {
  const left = useSecondsLeft(until);
  return (
    <p>
      <span role="timer" aria-label="Held for" className="hold-clock">
        {clock(left)}
      </span>{' '}
      <Badge tone={left < 60 ? 'bad' : 'good'}>{left < 60 ? 'soon over' : 'held'}</Badge>
    </p>
  );
}
