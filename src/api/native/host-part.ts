// What belongs to a host: its instances as it was told and said, what it has and nobody owns, its ranges of addresses, and its
// storage pools.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Context } from '../../app/context.ts';
import { listPools, type PoolOverviewRow } from '../../app/host-overview.ts';
import {
  type AddressPoolRow,
  addPool,
  type HostInstanceRow,
  listInstancesOf,
  removePool,
  showHost,
} from '../../app/host-terms.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { instanceStatuses } from '../../model/instance.ts';
import type { Api } from '../types.ts';
import { Id, readId, toId, toIdOrNull } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTimeOrNull, Whole } from './shape.ts';

const HostInstanceSchema = Shape('HostInstance', {
  instance: Id('instance'),
  account: Id('account'),
  kind: OneOf(['vm', 'container']),
  name: Text('web-1'),
  status: OneOf(instanceStatuses),
  vcpus: Whole(2, 'What it takes of its host'),
  memoryMib: Whole(4_096),
  diskGib: Whole(25),
  slot: Nullable(Id('slot')),
  desired: Text('running', 'What the host was told it should be'),
  generation: Whole(3, 'Of the order that tells it so'),
  observed: Nullable(Text('running', 'What the host last said it is')),
  observedGeneration: Whole(3, 'Of the order that the host had then'),
  observedAt: Nullable(Time()),
  restarts: Whole(0, 'After crashes'),
});

const toHostInstance = (row: HostInstanceRow): Static<typeof HostInstanceSchema> => ({
  instance: toId('instance', row.id),
  account: toId('account', row.accountId),
  ...{ kind: row.kind, name: row.name, status: row.status },
  ...{ vcpus: row.vcpus, memoryMib: row.memoryMib, diskGib: row.diskGib, slot: toIdOrNull('slot', row.slotId) },
  ...{ desired: row.desired, generation: row.generation },
  ...{ observed: row.observedState, observedGeneration: row.observedGeneration },
  observedAt: toTimeOrNull(row.observedAt),
  restarts: row.restarts,
});

const Cidr = Text('192.0.2.0/24', 'An IPv4 range that begins at its first address', { maxLength: 50 });
const AddressPoolSchema = Shape('AddressPool', {
  id: Id('addressPool'),
  cidr: Cidr,
  size: Whole(254, 'Addresses that it gives out'),
  used: Whole(12, 'How many of them are held'),
});

const toAddressPool = ({ id, cidr, size, used }: AddressPoolRow): Static<typeof AddressPoolSchema> => ({
  id: toId('addressPool', id),
  ...{ cidr, size, used },
});

const StoragePoolSchema = Shape('StoragePool', {
  id: Id('storagePool'),
  label: Text('default'),
  grades: Type.Array(Text('sata')),
  sizeGib: Whole(4_000, 'As the host last said'),
  freeGib: Whole(3_200, 'As the host last said'),
  capacityGib: Whole(4_000, 'What may be sold'),
  soldGib: Whole(800, 'What of it is sold'),
  disks: Whole(40),
  backups: Whole(12),
});

const toStoragePool = (row: PoolOverviewRow): Static<typeof StoragePoolSchema> => ({
  id: toId('storagePool', row.id),
  ...{ label: row.label, grades: row.grades, sizeGib: row.sizeGib, freeGib: row.freeGib },
  ...{ capacityGib: row.limitGib, soldGib: row.usedGib, disks: row.disks, backups: row.backups },
});

async function findPool(context: Context, hostId: string, id: string): Promise<AddressPoolRow> {
  const pool = (await showHost(context, hostId)).pools.find((one) => one.id === id);
  if (pool) return pool;
  const text = toId('addressPool', id);
  throw new BerthError('not_found', `There is no address pool ${shown(text)} of this host.`, text);
}

const poolOf = async (context: Context, { host, addressPool }: { host: string; addressPool: string }) =>
  toAddressPool(await findPool(context, readId('host', host), readId('addressPool', addressPool)));

/** Adds the routes. */
export function hostPartRoutes(api: Api): void {
  const forOperators = { tag: 'hosts', isForOperators: true } as const;

  read(
    api,
    {
      ...{ ...forOperators, id: 'listHostInstances', path: '/hosts/{host}/instances' },
      summary: 'What a host holds something of: what it was told, and what it last said',
      query: pageQuery,
      result: PageOf('HostInstancePage', HostInstanceSchema),
    },
    async ({ context, caller, params, query }) => {
      requireCluster(caller);
      const { limit, after } = readWindow(query, 1);
      const rows = await listInstancesOf(context, readId('host', params.host), limit + 1, after?.[0] ?? null);
      return toPage(rows, limit, ({ id }) => [id], toHostInstance);
    },
  );

  read(
    api,
    {
      ...{ ...forOperators, id: 'listStoragePools', path: '/hosts/{host}/storage-pools' },
      summary: 'Where disks lie on a host',
      query: pageQuery,
      result: PageOf('StoragePoolPage', StoragePoolSchema),
    },
    async ({ context, caller, params, query }) => {
      requireCluster(caller);
      const host = await showHost(context, readId('host', params.host));
      const pools = (await listPools(context)).filter(({ hostId }) => hostId === host.id);
      return pageOfAll(pools, query, ({ label }) => label, toStoragePool);
    },
  );

  read(
    api,
    {
      ...{ ...forOperators, id: 'listAddressPools', path: '/hosts/{host}/address-pools' },
      summary: "The ranges of addresses for a host's instances",
      query: pageQuery,
      result: PageOf('AddressPoolPage', AddressPoolSchema),
    },
    async ({ context, caller, params, query }) => {
      requireCluster(caller);
      const { pools } = await showHost(context, readId('host', params.host));
      return pageOfAll(pools, query, ({ cidr }) => cidr, toAddressPool);
    },
  );

  read(
    api,
    {
      ...{ ...forOperators, id: 'getAddressPool', path: '/hosts/{host}/address-pools/{addressPool}' },
      summary: 'A range of addresses of a host',
      result: AddressPoolSchema,
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      return poolOf(context, params);
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'createAddressPool', method: 'POST', path: '/hosts/{host}/address-pools', status: 201 },
      summary: 'Let a host hand out addresses of a range',
      body: Shape('NewAddressPool', { cidr: Cidr }),
      result: AddressPoolSchema,
      refusals: ['name_taken'],
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const id = readId('host', params.host);
      return toAddressPool(await findPool(context, id, await addPool(context, id, body.cidr, 'cidr', caller.actor)));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'deleteAddressPool', method: 'DELETE', status: 204 },
      path: '/hosts/{host}/address-pools/{addressPool}',
      summary: 'Let a host hand out no more addresses of a range; instances keep those they have',
      result: Type.Null(),
      current: async ({ context, caller, params }) => {
        requireCluster(caller);
        return poolOf(context, params);
      },
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      const id = readId('host', params.host);
      const { cidr } = await findPool(context, id, readId('addressPool', params.addressPool));
      await removePool(context, id, cidr, 'addressPool', caller.actor);
      return null;
    },
  );
}
