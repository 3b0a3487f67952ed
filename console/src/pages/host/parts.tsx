// What a host has: instances, storage pools, ranges of addresses.

import type { AddressPool } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { gib, mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../../ui/dialog.tsx';
import { Form, TextField, useForm } from '../../ui/form.tsx';
import { List, useList } from '../../ui/list.tsx';
import { AccountName, InstanceName } from '../../ui/names.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty } from '../../ui/state.tsx';
import { Status, When } from '../../ui/words.tsx';

interface OfHost {
  host: string;
}

/** What it holds something of. */
export function HostInstances({ host }: OfHost) {
  const berth = useBerth();
  const list = useList(['hosts', host, 'instances'], () => berth.hosts.listInstances(host));
  return (
    <Section title="Instances">
      <List
        label="Instances on this host"
        list={list}
        keyOf={({ instance }) => instance}
        columns={[
          { title: 'Name', cell: ({ instance }) => <InstanceName id={instance} /> },
          { title: 'Account', cell: ({ account }) => <AccountName id={account} /> },
          { title: 'Status', cell: ({ status }) => <Status of={status} /> },
          {
            title: 'Takes',
            cell: ({ vcpus, memoryMib, diskGib }) => `${vcpus} vCPU, ${mib(memoryMib)}, ${gib(diskGib)}`,
          },
          { title: 'Told to be', cell: ({ desired, generation }) => `${desired} (${generation})` },
          {
            title: 'Is',
            cell: ({ observed, observedGeneration }) =>
              observed ? `${observed} (${observedGeneration})` : 'not heard of',
          },
          { title: 'Heard', cell: ({ observedAt }) => observedAt && <When time={observedAt} /> },
          { title: 'Restarts', numeric: true, cell: ({ restarts }) => restarts },
        ]}
        empty={
          <Empty title="Nothing runs here">
            <p>What is placed here is listed with what the host was told and what it last said.</p>
          </Empty>
        }
      />
    </Section>
  );
}

/** Where disks lie. */
export function StoragePools({ host }: OfHost) {
  const berth = useBerth();
  const list = useList(['hosts', host, 'storage-pools'], () => berth.hosts.listStoragePools(host));
  return (
    <Section title="Storage pools">
      <List
        label="Storage pools"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Label', cell: ({ label }) => label },
          { title: 'Grades', cell: ({ grades }) => grades.join(', ') },
          {
            title: 'Sold',
            numeric: true,
            cell: ({ soldGib, capacityGib }) => `${gib(soldGib)} of ${gib(capacityGib)}`,
          },
          { title: 'Free now', numeric: true, cell: ({ freeGib, sizeGib }) => `${gib(freeGib)} of ${gib(sizeGib)}` },
          { title: 'Disks', numeric: true, cell: ({ disks }) => disks },
          { title: 'Backups', numeric: true, cell: ({ backups }) => backups },
        ]}
        empty={
          <Empty title="No storage pool">
            <p>The host tells of its pools once it is enrolled.</p>
          </Empty>
        }
      />
    </Section>
  );
}

/** The ranges that its instances get their addresses of. */
export function AddressPools({ host }: OfHost) {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['hosts', host, 'address-pools'], () => berth.hosts.listAddressPools(host));
  const remove = ({ id, cidr, used }: AddressPool) =>
    open((close) => (
      <Confirm
        title={`Hand out no more of ${cidr}?`}
        act="Remove range"
        onClose={close}
        onConfirm={async () => {
          await berth.hosts.deleteAddressPool(host, id);
          await done(`Nothing more of ${cidr} is handed out`, 'hosts', 'offers', 'capacity');
        }}
      >
        <p>
          {used === 0 ? 'No instance has an address of it.' : `The ${used} that are held stay with their instances.`}
        </p>
      </Confirm>
    ));
  const add = <Button onClick={() => open((close) => <AddPool host={host} onClose={close} />)}>Add range</Button>;
  return (
    <Section title="Address pools" actions={add}>
      <List
        label="Address pools"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Range', cell: ({ cidr }) => <code>{cidr}</code> },
          { title: 'Held', numeric: true, cell: ({ used, size }) => `${used} of ${size}` },
          {
            title: 'Actions',
            cell: (pool) => (
              <Button aria-label={`Remove ${pool.cidr}`} onClick={() => remove(pool)}>
                Remove
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No range">
            <p>Without addresses, no VM can be placed here.</p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}

function AddPool({ host, onClose }: OfHost & { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ cidr: '' }, async ({ cidr }) => {
    await berth.hosts.createAddressPool(host, { cidr: cidr.trim() });
    await done(`${cidr} is handed out`, 'hosts', 'offers', 'capacity');
    onClose();
  });
  return (
    <Dialog title="Add a range of addresses" onClose={onClose}>
      <Form form={form} act="Add" onCancel={onClose}>
        <TextField
          label="Range"
          hint="Such as 203.0.113.0/24; it has to lead to this host"
          spellCheck={false}
          {...form.field('cidr')}
        />
      </Form>
    </Dialog>
  );
}
