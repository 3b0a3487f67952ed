// Enrols a machine as a host: a token for it, the command to run there, and then word of it as soon as it is heard of.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { EnrolmentToken } from '../../../../sdk/generated/types.ts';
import { useRefresh } from '../../done.ts';
import { at } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form, SelectField, TextAreaField, TextField, useForm } from '../../ui/form.tsx';
import { ratesLine } from '../../ui/rates.tsx';
import { Badge, Copyable } from '../../ui/words.tsx';

interface EnrolProps {
  /** Of a host that is there, which is enrolled again. */
  name?: string;
  onClose(): void;
}

/** The dialog for it. */
export function EnrolHost({ name, onClose }: EnrolProps) {
  const [token, setToken] = useState<EnrolmentToken>();
  return (
    <Dialog title={name ? `Enrol ${name} again` : 'Enrol a host'} onClose={onClose}>
      {token ? <Waiting token={token} onClose={onClose} /> : <Terms name={name} onMade={setToken} onClose={onClose} />}
    </Dialog>
  );
}

function Terms({
  name,
  onMade,
  onClose,
}: {
  name?: string | undefined;
  onMade(token: EnrolmentToken): void;
  onClose(): void;
}) {
  const berth = useBerth();
  const refresh = useRefresh();
  const initial = { name: name ?? '', datacenter: '', price: '', addressPools: '' };
  const form = useForm(initial, async ({ name: called, datacenter, price, addressPools }) => {
    const pools = addressPools.split(/[\s,]+/).filter(Boolean);
    const token = await berth.hosts.createEnrolmentToken({
      name: called,
      ...(datacenter ? { datacenter } : {}),
      ...(price ? { price } : {}),
      ...(pools.length > 0 ? { addressPools: pools } : {}),
    });
    await refresh('hosts');
    onMade(token);
  });
  return (
    <Form form={form} act="Make the command" onCancel={onClose}>
      {name ? (
        <p>It keeps its terms. The command takes its place over from the machine that has it now.</p>
      ) : (
        <>
          <TextField label="Name" hint="As it is to be called here" spellCheck={false} {...form.field('name')} />
          <PlaceField {...form.field('datacenter')} />
          <PriceField none="As the settings say" {...form.field('price')} />
          <TextAreaField
            label="Address pools"
            hint="Ranges of IPv4 addresses for its instances, such as 203.0.113.0/24, a line each; they can be added later"
            rows={2}
            spellCheck={false}
            {...form.field('addressPools')}
          />
        </>
      )}
    </Form>
  );
}

interface ChoiceProps {
  value: string;
  error?: string | undefined;
  onChange(value: string): void;
}

/** Chooses a datacenter, or none. */
export function PlaceField(props: ChoiceProps) {
  const berth = useBerth();
  const { data = [] } = useQuery({ queryKey: ['datacenters', 'all'], queryFn: () => berth.datacenters.list().all() });
  const choices = [{ value: '', label: 'None' }, ...data.map(({ id, slug }) => ({ value: id, label: slug }))];
  return <SelectField label="Datacenter" {...props} choices={choices} />;
}

/** Chooses a rate card. */
export function PriceField({ none, ...props }: ChoiceProps & { none?: string }) {
  const berth = useBerth();
  const { data = [] } = useQuery({ queryKey: ['prices', 'all'], queryFn: () => berth.prices.list().all() });
  const choices = [
    ...(none ? [{ value: '', label: none }] : []),
    ...data.map(({ id, rates }) => ({ value: id, label: ratesLine(rates) })),
  ];
  return <SelectField label="Price" hint="For an epoch" {...props} choices={choices} />;
}

function Waiting({ token, onClose }: { token: EnrolmentToken; onClose(): void }) {
  const berth = useBerth();
  // The event stream says when it is heard of.
  const { data: host } = useQuery({ queryKey: ['hosts', token.host], queryFn: () => berth.hosts.get(token.host) });
  return (
    <>
      <p>Run this as root on the machine:</p>
      <p>
        <Copyable text={token.command} label="command" />
      </p>
      <p className="fine">
        The token in it is good for one machine, until {at(token.expiresAt)}, and is not shown again.
      </p>
      <p role="status">
        {host?.reachable ? (
          <>
            <Badge tone="good">reachable</Badge> {token.name} is here:{' '}
            <Link to="/console/hosts/$host" params={{ host: token.host }}>
              look at it
            </Link>
            .
          </>
        ) : (
          <>
            <Badge tone="busy">waiting</Badge> Nothing was heard of {token.name} yet.
          </>
        )}
      </p>
      <div className="buttons">
        <Button onClick={onClose}>Close</Button>
      </div>
    </>
  );
}
