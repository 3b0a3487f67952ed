// Hosts and their storage pools as an operator sees them over the network, and whether they take anything new. All of it needs a
// privilege on the cluster, which the callers have made sure of.

import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { parseReference } from '../model/reference.ts';
import { poolName } from '../model/storage-pool.ts';
import { notListed } from '../model/vm.ts';
import {
  type HostOverviewRow,
  listHostOverviews,
  listPoolOverviews,
  type PoolOverviewRow,
} from '../store/host-overview.ts';
import { type DiskRow, listVms, type VmRow } from '../store/overview.ts';
import type { Context } from './context.ts';
import { changeHost, type HostFields, setHostState } from './host-terms.ts';

export type { HostOverviewRow, PoolOverviewRow } from '../store/host-overview.ts';

/** The usage strategy of what takes nothing new; what does take it has none. */
export const drainStrategy = 'drain';

/** As many VMs as a list of the newest shows. */
const newestMax = 50;

/** Every host. */
export const listHeads = ({ database }: Context): Promise<HostOverviewRow[]> => listHostOverviews(database);

/** One host, by its number, name or id. @throws BerthError `not_found` */
export async function readHead(context: Context, reference: string): Promise<HostOverviewRow> {
  const by = parseReference(reference);
  const head = (await listHeads(context)).find(({ number, name, id }) => [number, name, id].some((own) => own === by));
  return head ?? nothing('host', reference);
}

/** Every storage pool. */
export const listPools = ({ database }: Context): Promise<PoolOverviewRow[]> => listPoolOverviews(database);

/** One storage pool, by its number or name. @throws BerthError `not_found` */
export async function readPool(context: Context, reference: string): Promise<PoolOverviewRow> {
  const by = parseReference(reference);
  const isIt = ({ id, host, label }: PoolOverviewRow) => by === id || by === poolName(host, label);
  return (await listPools(context)).find(isIt) ?? nothing('storage pool', reference);
}

function nothing(what: string, reference: string): never {
  throw new BerthError('not_found', `There is no ${what} ${shown(reference)}.`, reference);
}

/** The VMs on a host, also those that are deleted and can be restored. */
export const listVmsOf = ({ database }: Context, { id }: HostOverviewRow): Promise<VmRow[]> =>
  listVms(database, 'everything', { hostId: id, includeDeleted: true });

/** The VMs that have a disk in a pool. */
export async function listVmsIn({ database }: Context, pool: PoolOverviewRow): Promise<VmRow[]> {
  const vms = await listVms(database, 'everything', { hostId: pool.hostId, includeDeleted: true });
  return vms.filter(({ disks }) => disks.some(isIn(pool)));
}

/** The disks in a pool. */
export async function listDisksIn(context: Context, pool: PoolOverviewRow): Promise<DiskRow[]> {
  return (await listVmsIn(context, pool)).flatMap(({ disks }) => disks.filter(isIn(pool)));
}

const isIn =
  ({ host, label }: PoolOverviewRow) =>
  ({ pool }: DiskRow) =>
    pool === poolName(host, label);

/** The VMs that should be on and are not yet. */
export const listWaitingVms = ({ database }: Context): Promise<VmRow[]> =>
  listVms(database, 'everything', { isWaiting: true, includeDeleted: false });

/** The VMs that were made last, the newest first. */
export async function listNewestVms({ database }: Context): Promise<VmRow[]> {
  const vms = await listVms(database, 'everything', { newest: newestMax, includeDeleted: true });
  return vms.toReversed();
}

/** What an operator may change; what is undefined stays. */
export interface UsageChanges {
  /** Null or empty takes new instances; {@link drainStrategy} takes none. */
  usageStrategy?: string | null | undefined;
  /** How far memory, or storage, is sold over, in per cent. */
  overcommitPercent?: { memory?: number | undefined; disk?: number | undefined };
}

const ratioField = 'overcommit_ratio';
const fields: HostFields = {
  overcommit: { cpu: ratioField, memory: ratioField, disk: ratioField },
  additionalDiskGibMax: 'additional_disk_gib_max',
  hardware: (part, name) => `${part}.${name}`,
};

/**
 * Changes how a host is used.
 * @throws InvalidFields; BerthError `invalid_value`
 */
export async function changeUsage(
  context: Context,
  hostId: string,
  { usageStrategy, overcommitPercent = {} }: UsageChanges,
  actor: string,
): Promise<void> {
  const isDraining = usageStrategy === drainStrategy;
  if (usageStrategy && !isDraining) throw new InvalidFields({ usage_strategy: [notListed] });
  const { memory, disk } = overcommitPercent;
  if (memory !== undefined || disk !== undefined) {
    const overcommit = { memory: ratioOf(memory), disk: ratioOf(disk) };
    await changeHost(context, hostId, { overcommit }, fields, actor);
  }
  if (usageStrategy !== undefined) await setHostState(context, hostId, isDraining ? 'drained' : 'open', actor);
}

const ratioOf = (percent: number | undefined) => (percent === undefined ? undefined : percent / 100);
