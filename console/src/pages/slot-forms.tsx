// Forms of slots: a new one, and what one costs.

import { useQuery } from '@tanstack/react-query';
import type { Slot } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { useBerth } from '../session.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../ui/form.tsx';

/** A number as it was typed; what is none goes to the server as nothing, which says what it wants. */
const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** Slices a host. */
export function AddSlot({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const { data: hosts = [] } = useQuery({ queryKey: ['hosts', 'all'], queryFn: () => berth.hosts.list().all() });
  const initial = { host: '', name: '', vcpus: '', memoryGib: '', diskGib: '', hour: '', epoch: '' };
  const form = useForm({ ...initial, gpus: [] as string[] }, async (values) => {
    const { host, name, vcpus, memoryGib, diskGib, gpus, hour, epoch } = values;
    await berth.slots.create({
      ...{ host, name, vcpus: numberOf(vcpus), memoryGib: numberOf(memoryGib), diskGib: numberOf(diskGib) },
      ...(gpus.length > 0 ? { gpus } : {}),
      prices: { ...(hour ? { hour } : {}), ...(epoch ? { epoch } : {}) },
    });
    await done(`${name} is let`, 'slots', 'hosts');
    onClose();
  });
  const gpus = hosts.find(({ id }) => id === form.values.host)?.machine?.gpus.filter(({ id }) => id !== null) ?? [];
  const choices = [{ value: '', label: 'Choose' }, ...hosts.map(({ id, name }) => ({ value: id, label: name }))];
  return (
    <Dialog title="Add a slot" onClose={onClose}>
      <Form form={form} act="Add" onCancel={onClose}>
        <SelectField label="Host" choices={choices} {...form.field('host')} />
        <TextField label="Name" hint="Tells slots of a host apart" spellCheck={false} {...form.field('name')} />
        <div className="fields">
          <TextField label="vCPUs" inputMode="numeric" {...form.field('vcpus')} />
          <TextField label="Memory, GiB" inputMode="numeric" {...form.field('memoryGib')} />
          <TextField label="Storage, GiB" inputMode="numeric" {...form.field('diskGib')} />
        </div>
        {gpus.length > 0 && (
          <fieldset className="choices">
            <legend>GPUs</legend>
            {gpus.map(({ id, name }) => (
              <label key={id}>
                <input
                  type="checkbox"
                  checked={form.values.gpus.includes(id ?? '')}
                  onChange={({ target }) => {
                    const others = form.values.gpus.filter((one) => one !== id);
                    form.set('gpus', target.checked && id ? [...others, id] : others);
                  }}
                />{' '}
                {name} ({id})
              </label>
            ))}
          </fieldset>
        )}
        <div className="fields">
          <TextField label="US dollars an hour" inputMode="decimal" {...form.field('hour')} />
          <TextField label="US dollars an epoch" hint="24 hours" inputMode="decimal" {...form.field('epoch')} />
        </div>
        <p className="fine">One of both at least; billed by the second.</p>
      </Form>
    </Dialog>
  );
}

/** What a slot costs from now on. */
export function PriceSlot({ slot, onClose }: { slot: Slot; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const now = (unit: string) => slot.prices.find((price) => price.unit === unit)?.amount ?? '';
  const form = useForm({ hour: now('hour'), epoch: now('epoch') }, async ({ hour, epoch }) => {
    await berth.slots.update(slot.id, { prices: { hour: hour || null, epoch: epoch || null } });
    await done('The price is changed', 'slots');
    onClose();
  });
  return (
    <Dialog title={`What ${slot.operated?.name ?? slot.id} costs`} onClose={onClose}>
      <Form form={form} act="Save" onCancel={onClose}>
        <TextField label="US dollars an hour" inputMode="decimal" {...form.field('hour')} />
        <TextField label="US dollars an epoch" hint="24 hours" inputMode="decimal" {...form.field('epoch')} />
        <p className="fine">Who rents it keeps the price it was rented at. One of both has to be left.</p>
      </Form>
    </Dialog>
  );
}
