// Which of a host's storage pools takes a disk, as far as that takes looking at the database.

import { gibTaken } from '../model/configuration.ts';
import { defaultPoolLabel, type Pool, poolsFor } from '../model/storage-pool.ts';
import type { Tx } from '../store/database.ts';
import { listPools, takeDiskRoom } from '../store/storage-pool.ts';

/** How rows name a pool: a disk of none is in the default one. */
export const poolIdOf = ({ id, label }: Pick<Pool, 'id' | 'label'>) => (label === defaultPoolLabel ? null : id);

/**
 * Takes room for a disk of an instance in the first pool of its host for such disks that has it. The caller holds the host's
 * row.
 * @returns undefined where none has
 */
export async function takeFromPools(
  tx: Tx,
  { id, hostId }: { id: string; hostId: string },
  grade: string,
  sizeMib: number,
): Promise<Pool | undefined> {
  for (const pool of poolsFor(await listPools(tx, hostId), grade)) {
    if (await takeDiskRoom(tx, id, poolIdOf(pool), gibTaken([sizeMib]))) return pool;
  }
  return undefined;
}
