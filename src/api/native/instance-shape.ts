// An instance as this API shows it, VM or container.

import Type, { type Static } from 'typebox';
import { reachOf } from '../../app/container.ts';
import type { InstanceView } from '../../app/instance-list.ts';
import type { Datacenter } from '../../model/datacenter.ts';
import { type InstanceAct, instanceActs, instanceStatuses, whyNotOf } from '../../model/instance.ts';
import { Id, toId, toIdOrNull } from './id.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull, toUsd, Usd, Whole } from './shape.ts';

/** What instances are. */
export const instanceKinds = ['vm', 'container'] as const;

/** One open port. */
export const PortSchema = Shape('Port', {
  port: Whole(443, '1 to 65535, but not 10250'),
  protocol: OneOf(['tcp', 'udp']),
});

const AddressSchema = Shape('InstanceAddress', {
  ip: Text('203.0.113.7'),
  family: Whole(4, '4 or 6'),
  additional: Type.Boolean({ description: 'Leads to the main address of its family', examples: [false] }),
});

/** Where something stands. */
export const PlaceSchema = Shape('InstanceDatacenter', {
  id: Id('datacenter'),
  slug: Text('pl-poz-1'),
  country: Text('PL', 'ISO 3166-1'),
  city: Text('POZ', "The city's part of its UN/LOCODE"),
});

const VmSchema = Shape(
  'InstanceVm',
  {
    hardwareProfile: Text('virtio2013'),
    hardwareProfileLocked: Type.Boolean({ examples: [false] }),
    autoreboot: Type.Boolean({ description: 'Comes back on when it was switched off', examples: [false] }),
    cdromUrl: Nullable(Text('https://images.example.com/rescue.iso')),
    keymap: Nullable(Text('en-gb')),
    lastImagedWith: Nullable(Text('debian-13')),
    managementAddress: Nullable(Text('10.64.0.7', 'Where its consoles are reached by SSH')),
    restorableDays: Type.Number({ description: 'Once deleted, it can be brought back for so long', examples: [21] }),
  },
  'What only a VM has',
);

const ContainerSchema = Shape(
  'InstanceContainer',
  {
    slot: Nullable(Id('slot')),
    externalId: Nullable(Text('job-17', 'As it was started with')),
    metadata: Type.Record(Type.String(), Type.String(), { examples: [{ team: 'web' }] }),
    publicPorts: Type.Array(
      Shape('PublicPort', {
        port: Whole(8080),
        protocol: OneOf(['tcp', 'https']),
        url: Nullable(Text('https://8080-3b1c5f0a.apps.example.com', 'Where an HTTPS port is reached')),
      }),
    ),
    ssh: Nullable(
      Shape('ContainerSsh', { host: Text('203.0.113.7'), port: Whole(22), user: Text('root') }, 'A way in by SSH'),
    ),
    failureCode: Nullable(Text('IMAGE_PULL_FAILED', 'Why it failed, for programs')),
  },
  'What only a container has',
);

/** `change-disks` as `changeDisks`. */
const camel = (act: string) => act.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());

/** Every act with its name here. */
const namedActs = instanceActs.map((act): [string, InstanceAct] => [camel(act), act]);

const Reason = Nullable(Type.String({ examples: [null] }));
const AllowedSchema = Shape(
  'InstanceAllowed',
  Object.fromEntries(namedActs.map(([name]) => [name, Reason])) as Record<string, typeof Reason>,
  'For each act null where it can be done now, else the reason why not',
);

export const InstanceSchema = Shape(
  'Instance',
  {
    id: Id('instance'),
    kind: OneOf(instanceKinds),
    account: Id('account'),
    group: Id('group'),
    deployment: Id('deployment', 'Of what was deployed together'),
    name: Text('web-1'),
    hostname: Text('web-1'),
    status: OneOf(instanceStatuses),
    statusReason: Nullable(Text('Its image could not be fetched.')),
    statusChangedAt: Time(),
    funds: OneOf(['enough', 'small', 'none'], 'Whether its next period can be paid'),
    vcpus: Whole(2),
    memoryMib: Whole(4096),
    diskGib: Whole(25),
    image: Nullable(Text('https://images.example.com/debian-13.qcow2', "A disk image's URL, or a container's image")),
    address: Nullable(Text('203.0.113.7', 'Its main IPv4 address')),
    addresses: Type.Array(AddressSchema),
    ports: Type.Array(PortSchema, { description: 'What is open from outside' }),
    allPortsOpen: Type.Boolean({ description: 'Every port is open, whatever `ports` says', examples: [false] }),
    datacenter: Nullable(PlaceSchema),
    pricePerEpoch: Usd('US dollars for an epoch'),
    held: Usd('Its deposit in US dollars'),
    spent: Usd('US dollars so far'),
    paidUntil: Nullable(Time('Null once nothing is billed any more')),
    nextBillingAt: Nullable(Time('When something is charged next')),
    createdAt: Time(),
    vm: Nullable(VmSchema),
    container: Nullable(ContainerSchema),
    allowed: AllowedSchema,
  },
  'What runs: a VM or a container',
);

/** {@link PlaceSchema} of a datacenter, where there is one. */
export const toPlace = (datacenter: Datacenter | null): Static<typeof PlaceSchema> | null =>
  datacenter && {
    id: toId('datacenter', datacenter.id),
    ...{ slug: datacenter.slug, country: datacenter.countryCode, city: datacenter.cityCode },
  };

/** An instance as it is shown. */
export const toInstance = (row: InstanceView): Static<typeof InstanceSchema> => ({
  id: toId('instance', row.id),
  kind: row.kind,
  account: toId('account', row.accountId),
  group: toId('group', row.groupId),
  deployment: toId('deployment', row.deploymentId),
  ...{ name: row.name, hostname: row.hostname, status: row.status, statusReason: row.statusReason },
  statusChangedAt: toTime(row.statusChangedAt),
  ...{ funds: row.funds, vcpus: row.vcpus, memoryMib: row.memoryMib, diskGib: row.diskGib, image: row.imageUrl },
  ...{ address: row.address, addresses: row.addresses, ports: row.ports },
  allPortsOpen: row.vm?.allPortsOpen ?? false,
  datacenter: toPlace(row.datacenter),
  ...{ pricePerEpoch: toUsd(row.pricePerEpoch), held: toUsd(row.heldMicroUsd), spent: toUsd(row.spentMicroUsd) },
  paidUntil: toTimeOrNull(row.paidUntil),
  nextBillingAt: toTimeOrNull(row.nextBillingAt),
  createdAt: toTime(row.createdAt),
  vm: toVmPart(row),
  container: toContainerPart(row),
  allowed: Object.fromEntries(namedActs.map(([name, act]) => [name, whyNotOf(act, row)])),
});

function toVmPart({ vm, restorableDays }: InstanceView): Static<typeof VmSchema> | null {
  if (!vm) return null;
  const { allPortsOpen: _shownAbove, ...shown } = vm;
  return { ...shown, restorableDays };
}

function toContainerPart(row: InstanceView): Static<typeof ContainerSchema> | null {
  const { container, failureCode, id, status, address } = row;
  if (!container) return null;
  const { slotId, externalId, metadata } = container;
  const { ports, ssh } = reachOf({ ...container, instanceId: id, status, address });
  return {
    ...{ slot: toIdOrNull('slot', slotId), externalId, metadata, ssh, failureCode },
    publicPorts: ports.map(({ hostPort, protocol, url }) => ({ port: hostPort, protocol, url })),
  };
}
