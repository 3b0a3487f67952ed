// Which slot a container rents: one of those that are free, each with what it has and what it costs.

import { useQuery } from '@tanstack/react-query';
import type { Slot } from '../../../../sdk/generated/types.ts';
import { gib, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Empty, Failure, Loading } from '../../ui/state.tsx';
import { countryName } from '../offers/search-form.tsx';

interface SlotFieldProps {
  value: string;
  error: string | undefined;
  onChange(id: string): void;
}

/** The slots that can be rented now. */
export function useFreeSlots() {
  const berth = useBerth();
  return useQuery({
    queryKey: ['slots', 'free'],
    queryFn: async () => (await berth.slots.list({ limit: 200 }).all()).filter(({ status }) => status === 'available'),
  });
}

const gpusOf = ({ gpus }: Slot) => gpus.map(({ name, count }) => (count > 1 ? `${count} × ${name}` : name)).join(', ');

/** The prices of a slot in a few words. */
const pricesOf = ({ prices }: Slot): string =>
  prices.map(({ unit, amount }) => `${usd(amount)} an ${unit}`).join(' or ');

/** The field. */
export function SlotField({ value, error, onChange }: SlotFieldProps) {
  const { data, error: failure, refetch } = useFreeSlots();
  if (failure) return <Failure error={failure} onRetry={() => refetch()} />;
  if (!data) return <Loading what="Reading slots" />;
  if (data.length === 0) {
    return (
      <Empty title="No slot is free now">
        <p>Slots are let by who runs this market. What is free appears here by itself.</p>
      </Empty>
    );
  }
  return (
    <fieldset className="plain-fieldset slots">
      <legend className="unseen">Slot</legend>
      {data.map((slot) => (
        <label key={slot.id} className="slot">
          <input type="radio" name="slot" checked={value === slot.id} onChange={() => onChange(slot.id)} />
          <span>
            <strong>
              {slot.vcpus} vCPU · {gib(slot.memoryGib)} · {gib(slot.diskGib)} disk
              {slot.gpus.length > 0 && ` · ${gpusOf(slot)}`}
            </strong>
            <span className="fine">
              {[slot.cpuName, slot.country && countryName(slot.country), slot.city].filter(Boolean).join(', ')}
            </span>
          </span>
          <span>{pricesOf(slot)}</span>
        </label>
      ))}
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
