// What it will cost, as it is chosen: the price, what is taken at once, and whether the account has it.

import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { RefusedError } from '../../../../sdk/error.ts';
import type { Estimate, Quote } from '../../../../sdk/generated/types.ts';
import { epochWord, many, mib, perHour, perMonth, usd } from '../../format.ts';
import { useEpochSeconds } from '../../money.ts';
import { offersPath } from '../../paths.ts';
import { Facts } from '../../ui/page.tsx';
import { Failure } from '../../ui/state.tsx';
import type { Estimated } from './estimate.ts';

const hourSeconds = 3_600;

interface CostProps {
  estimated: Estimated;
  /** What is held for it. */
  held?: Quote | undefined;
  /** Why it can't be made with that. */
  refusal?: Error | null;
  /** Whether what is wrong stands at a field already. */
  isToldElsewhere: boolean;
  /** What to look for in the market where there is no place; left out where that would not help. */
  search?: Record<string, string> | undefined;
  /** What there is to say while nothing can be asked. */
  before: string;
  /** What stands below the price. */
  children?: ReactNode;
}

/** The part of the page with the price. */
export function Cost({ estimated, held, refusal, isToldElsewhere, search, before, children }: CostProps) {
  const { estimate, error, isStale } = estimated;
  return (
    <section className="card cost" aria-labelledby="cost">
      <h2 id="cost">What it costs</h2>
      <div aria-live="polite" aria-busy={isStale} className={isStale ? 'stale' : undefined}>
        {held ? (
          <Quoted quote={held} refusal={isToldElsewhere ? null : (refusal ?? null)} />
        ) : error ? (
          <Unpriced error={error} isToldElsewhere={isToldElsewhere} search={search} />
        ) : estimate ? (
          <Priced estimate={estimate} />
        ) : (
          <p className="fine">{before}</p>
        )}
      </div>
      {children}
    </section>
  );
}

/** The price, for the time that it is for and for others. */
function Figure({ of: { total, unit } }: { of: Pick<Estimate | Quote, 'total' | 'unit'> }) {
  const epochSeconds = useEpochSeconds();
  const seconds = unit === 'hour' ? hourSeconds : epochSeconds;
  return (
    <>
      <p className="figure">
        {usd(total)} <span className="per">{seconds === hourSeconds ? 'an hour' : `a ${epochWord(seconds)}`}</span>
      </p>
      <p className="fine">
        {perHour(total, seconds)} an hour, {perMonth(total, seconds)} in 30 days
      </p>
    </>
  );
}

/** What there is for it. */
function contentOf({ kind, count, vcpus, memoryMib, diskGib }: Estimate | Quote): string {
  const each = count > 1 ? `${many(count, kind === 'vm' ? 'VM' : 'container')}, each ` : '';
  return `${each}${vcpus} vCPU, ${mib(memoryMib)} of memory, ${diskGib} GiB of disk`;
}

/** The price that is held, and whether what is chosen keeps within it. */
function Quoted({ quote, refusal }: { quote: Quote; refusal: Error | null }) {
  return (
    <>
      <Figure of={quote} />
      <Facts
        facts={[
          ['What is held', contentOf(quote)],
          ['Has to be there', usd(quote.needed)],
        ]}
      />
      {refusal && <Failure error={refusal} />}
    </>
  );
}

function Unpriced({
  error,
  isToldElsewhere,
  search,
}: { error: Error } & Pick<CostProps, 'isToldElsewhere' | 'search'>) {
  const isOfMarket = error instanceof RefusedError && /offer/.test(error.code);
  if (isToldElsewhere) return <p className="fine">Told as soon as what is marked is right.</p>;
  if (!isOfMarket) return <Failure error={error} />;
  return (
    <div className="note note-bad" role="alert">
      <p>Nothing on the market fits this now.</p>
      {search && (
        <p>
          <Link to={offersPath} search={search as never}>
            See why, and what would fit
          </Link>
        </p>
      )}
    </div>
  );
}

function Priced({ estimate }: { estimate: Estimate }) {
  const { sufficient, needed, available } = estimate;
  return (
    <>
      <Figure of={estimate} />
      <Facts
        facts={[
          ['What you get', contentOf(estimate)],
          ['Charged at once', usd(estimate.firstCharge)],
          ['Held as a deposit', usd(estimate.deposit)],
          ['Your balance', usd(available)],
        ]}
      />
      {!sufficient && (
        <p className="note note-bad" role="alert">
          That needs {usd(needed)}, and the account has {usd(available)}. Add money first, or choose less.
        </p>
      )}
    </>
  );
}
