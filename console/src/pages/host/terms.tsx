// On which terms a host is sold, and what its operator says of its hardware.

import type { Host } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { useBerth } from '../../session.tsx';
import { Form, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { PlaceField, PriceField } from './enrol.tsx';

/** A number as it was typed; what is none goes to the server as it is, which says what it wants. */
const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** Price, place and how far it is sold over. */
export function TermsForm({ host }: { host: Host }) {
  const berth = useBerth();
  const done = useDone();
  const initial = {
    price: host.price,
    datacenter: host.datacenter ?? '',
    additionalDiskGibMax: host.additionalDiskGibMax === null ? '' : String(host.additionalDiskGibMax),
    cpu: String(host.overcommit.cpu),
    memory: String(host.overcommit.memory),
    disk: String(host.overcommit.disk),
  };
  const form = useForm(initial, async ({ price, datacenter, additionalDiskGibMax, cpu, memory, disk }) => {
    await berth.hosts.update(host.id, {
      price,
      datacenter: datacenter || null,
      additionalDiskGibMax: additionalDiskGibMax === '' ? null : numberOf(additionalDiskGibMax),
      overcommit: { cpu: numberOf(cpu), memory: numberOf(memory), disk: numberOf(disk) },
    });
    await done('What is deployed from now on is on these terms', 'hosts', 'offers', 'capacity');
  });
  return (
    <Section title="Terms">
      <Form form={form} act="Save terms">
        <PriceField {...form.field('price')} />
        <PlaceField {...form.field('datacenter')} />
        <div className="fields">
          <TextField label="vCPUs sold per core" inputMode="decimal" {...form.field('cpu')} />
          <TextField label="Memory sold over" inputMode="decimal" {...form.field('memory')} />
          <TextField label="Storage sold over" inputMode="decimal" {...form.field('disk')} />
          <TextField
            label="Additional storage, GiB"
            hint="For one instance at most; empty for no limit"
            inputMode="numeric"
            {...form.field('additionalDiskGibMax')}
          />
        </div>
        <p className="fine">What runs already keeps its price.</p>
      </Form>
    </Section>
  );
}

const parts = [
  ['cpuManufacturer', 'CPU manufacturer'],
  ['cpuBrand', 'CPU brand'],
  ['cpuArchitecture', 'CPU architecture'],
  ['cpuGeneration', 'CPU generation'],
  ['memoryType', 'Memory type'],
  ['memoryGeneration', 'Memory generation'],
  ['storageType', 'Storage type'],
] as const;

type Part = (typeof parts)[number][0];

/** What goes before what was found. */
export function HardwareForm({ host }: { host: Host }) {
  const berth = useBerth();
  const done = useDone();
  const initial = Object.fromEntries(parts.map(([name]) => [name, host.hardwareOverrides[name] ?? ''])) as Record<
    Part,
    string
  >;
  const form = useForm(initial, async (values) => {
    const hardware = Object.fromEntries(parts.map(([name]) => [name, values[name].trim() || null]));
    await berth.hosts.update(host.id, { hardware });
    await done('What you say of its hardware counts', 'hosts', 'offers');
  });
  return (
    <Section title="Hardware, as you state it">
      <Form form={form} act="Save hardware">
        <div className="fields">
          {parts.map(([name, label]) => (
            <TextField
              key={name}
              label={label}
              placeholder={host.hardware?.[name] ?? 'not known'}
              {...form.field(name)}
            />
          ))}
        </div>
        <p className="fine">Only where the machine tells it wrong; what is left empty is as it was found.</p>
      </Form>
    </Section>
  );
}
