// What the chosen account has, what it spends, and how long that lasts.

import { Link } from '@tanstack/react-router';
import { AccessError } from '../../../../sdk/error.ts';
import type { Balance } from '../../../../sdk/generated/types.ts';
import { at, epochWord, perMonth, usd } from '../../format.ts';
import { useBalance } from '../../money.ts';
import { statementPath } from '../../paths.ts';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import { When } from '../../ui/words.tsx';

/** Less than this, and whoever looks is told to act. */
const soonMs = 3 * 86_400_000;

/** Spend and balance. */
export function MoneyCards({ hasLink = true }: { hasLink?: boolean }) {
  const { data, error, refetch } = useBalance();
  if (error instanceof AccessError)
    return <p className="fine">What this account has is shown to who may read all of it.</p>;
  if (error) return <Failure error={error} onRetry={() => refetch()} />;
  if (!data) return <Loading what="Reading the balance" />;
  return (
    <div className="cards overview-row">
      <Section title="Spend" actions={hasLink && <Link to={statementPath}>Statement</Link>}>
        <p className="figure">
          {usd(data.spendPerEpoch)} <span className="per">a {epochWord(data.epochSeconds)}</span>
        </p>
        <p className="fine">{perMonth(data.spendPerEpoch, data.epochSeconds)} in 30 days, if nothing changes</p>
      </Section>
      <Section title="Balance">
        <p className="figure">{usd(data.available)}</p>
        <p className="fine">{usd(data.held)} held as deposits, one epoch of each instance</p>
        <Lasting balance={data} />
      </Section>
    </div>
  );
}

/** Until when the balance pays for what there is. */
function Lasting({ balance: { lastsUntil, spendPerEpoch, available } }: { balance: Balance }) {
  if (lastsUntil === null) {
    return (
      <p className="fine">{Number(spendPerEpoch) > 0 ? 'Lasts for longer than can be foreseen' : 'Nothing is spent'}</p>
    );
  }
  const isSoon = Date.parse(lastsUntil) - Date.now() < soonMs;
  if (!isSoon) {
    return (
      <p className="fine" title={at(lastsUntil)}>
        Runs out <When time={lastsUntil} />
      </p>
    );
  }
  return (
    <div className="note note-bad" role="alert">
      <p>
        {usd(available)} lasts until {at(lastsUntil)}: add money before that, or instances are stopped.
      </p>
    </div>
  );
}
