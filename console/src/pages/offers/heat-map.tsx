// A picture of what is free where: a row for each datacenter, a column for each size, the darker the more of it fits.

import { useQuery } from '@tanstack/react-query';
import type { Capacity } from '../../../../sdk/generated/types.ts';
import { mib, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import type { Asked } from './asked.ts';

/** How many shades there are, beside the one for nothing. */
const shades = 4;

/** The shade of a count among others: each is twice as much or more. */
function shadeOf(available: number, most: number): number {
  if (available === 0) return 0;
  return Math.max(1, Math.ceil((Math.log2(available + 1) / Math.log2(most + 1)) * shades));
}

/** The picture. What is pressed in it is asked for. */
export function HeatMap({ asked, ask }: { asked: Asked; ask(change: Partial<Asked>): void }) {
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['capacity'],
    queryFn: () => berth.offers.listCapacity({ limit: 200 }).all(),
  });
  if (error) return <Failure error={error} onRetry={() => refetch()} />;
  if (!data) return <Loading what="Reading what is free" />;
  if (data.length === 0) return <p className="fine">There are no hosts on this market yet.</p>;
  const places = [...Map.groupBy(data, ({ datacenter }) => datacenter?.slug ?? '')];
  const sizes = places[0]?.[1].map(({ configuration }) => configuration) ?? [];
  const most = Math.max(...data.map(({ available }) => available), 1);
  return (
    <>
      <div className="heat-box">
        <table className="heat">
          <caption className="unseen">How many instances of each size still fit into each datacenter</caption>
          <thead>
            <tr>
              <th scope="col">Datacenter</th>
              {sizes.map(({ slug, vcpus, memoryMib, diskGib }) => (
                <th key={slug} scope="col">
                  {vcpus} vCPU
                  <br />
                  {mib(memoryMib)}
                  <br />
                  <span className="fine">{diskGib} GiB disk</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {places.map(([slug, row]) => (
              <tr key={slug}>
                <th scope="row">{slug || 'Elsewhere'}</th>
                {row.map((cell) => (
                  <Cell key={cell.configuration.slug} cell={cell} most={most} asked={asked} ask={ask} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="fine heat-legend" aria-hidden="true">
        none <span className="heat-0" />
        {Array.from({ length: shades }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: shades have no other name
          <span key={index} className={`heat-${index + 1}`} />
        ))}{' '}
        {most.toLocaleString('en-US')}
      </p>
    </>
  );
}

interface CellProps {
  cell: Capacity;
  most: number;
  asked: Asked;
  ask(change: Partial<Asked>): void;
}

function Cell({ cell: { datacenter, configuration, available, pricePerEpochFrom }, most, asked, ask }: CellProps) {
  const wanted = { datacenter: datacenter?.slug ?? '', configuration: configuration.slug };
  const isAsked = asked.datacenter === wanted.datacenter && asked.configuration === wanted.configuration;
  const cost = pricePerEpochFrom === null ? '' : usd(pricePerEpochFrom);
  return (
    <td className={`heat-${shadeOf(available, most)}`}>
      <button
        type="button"
        aria-pressed={isAsked}
        title={cost ? `from ${cost} an epoch` : 'none fits now'}
        onClick={() => ask(isAsked ? { datacenter: '', configuration: '' } : { ...wanted, country: '', city: '' })}
      >
        {available.toLocaleString('en-US')}
        {cost && <span className="heat-price">{cost}</span>}
      </button>
    </td>
  );
}
