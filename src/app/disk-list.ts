// The disks that a caller sees, listed and one by one. How they change stands in disk.ts.

import { BerthError } from '../model/errors.ts';
import { type PrivilegeLevel, sightOf } from '../model/privilege.ts';
import { type DiskFilter, listSeenDisks, type NumberWindow, type SeenDisk } from '../store/disk-list.ts';
import { type AtVm, type Caller, reachVm } from './access.ts';
import type { Context } from './context.ts';

export type { SeenDisk } from '../store/disk-list.ts';

/** The disks that a caller sees, in the order in which they were made; one more than the window takes, if there is one. */
export function listDisksInSight(
  { database }: Context,
  caller: Caller,
  filter: Omit<DiskFilter, 'id'>,
  window: NumberWindow,
): Promise<SeenDisk[]> {
  return listSeenDisks(database, sightOf(caller.grants), filter, window);
}

/** A disk as a caller reaches it, by the VM that has it. */
export interface AtDisk {
  at: AtVm;
  disk: SeenDisk;
}

/**
 * The disk that a caller names by its id.
 * @throws BerthError `not_found` where there is none that he may see, `forbidden` where he may not act on its VM as `level`
 */
export async function reachDisk(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel | 'see',
): Promise<AtDisk> {
  const [disk] = await listSeenDisks(context.database, sightOf(caller.grants), { id }, { limit: 1, after: null });
  if (!disk) throw new BerthError('not_found', 'There is no such disk.');
  return { at: await reachVm(context, caller, { id: disk.instanceId }, level), disk };
}
