// Hosts as this dialect shows them: each is a head, which runs VMs, and a tail, which holds their discs in storage pools.
// (Bytemark API: admin.)

import Type, { type Static } from 'typebox';
import { drainStrategy, type HostOverviewRow, type PoolOverviewRow } from '../../app/host-overview.ts';
import { poolName } from '../../model/storage-pool.ts';
import { IdSchema, Nullable } from './shape.ts';

const machine = {
  id: IdSchema,
  uuid: Type.String(),
  label: Type.String(),
  zone: Nullable(Type.String()),
  cnc_address: Nullable(Type.String({ description: 'Null: hosts call Berth, and are not called' })),
  online: Type.Boolean(),
  usage_strategy: Nullable(Type.String({ description: `"${drainStrategy}" where nothing new is put` })),
};

export const HeadSchema = Type.Object({
  ...machine,
  arch: Type.String(),
  models: Type.Array(Type.String()),
  total_memory: Type.Integer({ description: 'What may be sold of it, in MiB' }),
  free_memory: Type.Integer({ description: 'In MiB' }),
  used_cores: Type.Integer(),
  virtual_machines_count: Type.Integer(),
  virtual_machines: Type.Array(Type.String()),
});

export const TailSchema = Type.Object({ ...machine, pools: Type.Array(Type.String()) });

export const StoragePoolSchema = Type.Object({
  id: IdSchema,
  name: Type.String(),
  label: Type.String(),
  zone: Nullable(Type.String()),
  size: Type.Integer({ description: 'In MiB' }),
  free_space: Type.Integer({ description: 'In MiB' }),
  ceiling: Type.Integer({ description: 'What may be sold of it, in MiB' }),
  alloc: Type.Integer({ description: 'What is sold of it, in MiB' }),
  discs: Type.Integer(),
  backups: Type.Integer(),
  overcommit_ratio: Type.Integer({ description: 'In per cent' }),
  usage_strategy: Nullable(Type.String()),
  grade: Type.String({ description: 'The grades that it is sold as' }),
});

/** All guests are of this one. */
const architecture = 'x86_64';

const machineOf = ({ id, number, name, datacenter, reachable, state }: HostOverviewRow) => ({
  id: Number(number),
  uuid: id,
  label: name,
  zone: datacenter,
  cnc_address: null,
  online: reachable,
  usage_strategy: state === 'open' ? null : drainStrategy,
});

/** A host as what runs VMs. */
export const toHead = (host: HostOverviewRow): Static<typeof HeadSchema> => ({
  ...machineOf(host),
  arch: architecture,
  models: host.cpuModel === null ? [] : [host.cpuModel],
  total_memory: host.memoryMibLimit,
  free_memory: host.memoryMibLimit - host.memoryMibUsed,
  used_cores: host.vcpusUsed,
  virtual_machines_count: host.vms.length,
  virtual_machines: host.vms,
});

/** A host as what holds discs. */
export const toTail = (host: HostOverviewRow): Static<typeof TailSchema> => ({
  ...machineOf(host),
  pools: host.poolLabels.map((label) => poolName(host.name, label)),
});

/** A storage pool. */
export const toStoragePool = (pool: PoolOverviewRow): Static<typeof StoragePoolSchema> => ({
  id: Number(pool.id),
  name: pool.label,
  label: poolName(pool.host, pool.label),
  zone: pool.datacenter,
  size: pool.sizeGib * 1024,
  free_space: pool.freeGib * 1024,
  ceiling: pool.limitGib * 1024,
  alloc: pool.usedGib * 1024,
  discs: pool.disks,
  backups: pool.backups,
  overcommit_ratio: Math.round(pool.overcommit * 100),
  usage_strategy: pool.hostState === 'open' ? null : drainStrategy,
  grade: pool.grades.join(', '),
});
