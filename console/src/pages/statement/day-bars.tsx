// What each day of a month cost, as bars; each has its figure for who points at it or can't see it.

import type { Spend } from '../../../../sdk/generated/types.ts';
import { usd } from '../../format.ts';
import { daysOf } from './month.ts';

const dayLabelEvery = 5;

/** The picture. */
export function DayBars({ month, spend }: { month: string; spend: Spend }) {
  const spent = new Map(spend.days.map((one) => [one.day, one.spent]));
  const most = Math.max(...spend.days.map((one) => Number(one.spent)), 0);
  return (
    <>
      <p className="figure">{usd(spend.total)}</p>
      {most > 0 ? (
        <ol className="day-bars" aria-label="Spent day by day">
          {daysOf(month).map((day, index) => {
            const amount = spent.get(day) ?? '0';
            const share = Math.max(0, Number(amount)) / most;
            return (
              <li key={day} title={`${day}: ${usd(amount)}`}>
                <span className="unseen">
                  {day}: {usd(amount)}
                </span>
                <span className="day-bar" style={{ height: `${share * 100}%` }} aria-hidden="true" />
                <span className="day-label" aria-hidden="true">
                  {index === 0 || (index + 1) % dayLabelEvery === 0 ? index + 1 : ''}
                </span>
              </li>
            );
          })}
        </ol>
      ) : (
        <p className="fine">Nothing was charged in this month.</p>
      )}
    </>
  );
}
