// Secrets of imagings that have yet to run, sealed.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/** The secret of a VM's next imaging; null where there is none, undefined for a VM that is not the host's. */
export async function findImagingSecret(
  database: Database,
  hostId: string,
  instanceId: string,
): Promise<{ imaging: number; sealed: Uint8Array } | null | undefined> {
  const row = await database
    .selectFrom('assignment')
    .leftJoin('imaging_secret', 'imaging_secret.instance_id', 'assignment.instance_id')
    .where('assignment.instance_id', '=', instanceId)
    .where('host_id', '=', hostId)
    .select(['imaging', 'sealed'])
    .executeTakeFirst();
  if (!row) return undefined;
  return row.sealed === null || row.imaging === null ? null : { imaging: row.imaging, sealed: row.sealed };
}

/** Replaces the secret of a VM's next imaging; null where it has none. */
export async function writeImagingSecret(
  tx: Tx,
  instanceId: string,
  secret: { imaging: number; sealed: Uint8Array } | null,
): Promise<void> {
  await tx.deleteFrom('imaging_secret').where('instance_id', '=', instanceId).execute();
  if (secret) {
    await tx
      .insertInto('imaging_secret')
      .values({ instance_id: instanceId, ...secret })
      .execute();
  }
}

/**
 * Forgets the secrets of those of these VMs that run by the newest order; one that was started with an appliance has not run what is
 * on its disks.
 */
export async function forgetImagingSecrets(tx: Tx, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await sql`
    delete from imaging_secret using vm, assignment
    where imaging_secret.instance_id = any(${[...instanceIds]}::text[])
      and vm.instance_id = imaging_secret.instance_id and assignment.instance_id = imaging_secret.instance_id
      and observed_state = 'running' and observed_generation >= generation
      and coalesce(observed_boot_number, boot_number) >= boot_number
      and (appliance is null or coalesce(appliance_boot_number, boot_number) <> boot_number)`.execute(tx);
}
