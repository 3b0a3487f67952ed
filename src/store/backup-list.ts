// Backups with whose they are, as whoever sees the VMs of their disks lists them. One that is being erased is gone for its owner.

import { type Expression, type SqlBool, sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';
import { type BackupRow, columns, toBackup } from './backup.ts';
import type { Database } from './database.ts';
import type { NumberWindow } from './disk-list.ts';
import { inSight } from './sight.ts';

/** A backup, and the VM that has its disk. */
export type SeenBackup = BackupRow & { instanceId: string };

/** Which of the backups in sight are asked for; what is left out does not narrow. */
export interface BackupFilter {
  id?: string | undefined;
  diskId?: string | undefined;
  instanceId?: string | undefined;
  accountId?: string | undefined;
  state?: 'wanted' | 'ready' | undefined;
  /** The first moment that counts, and the first that does not any more. */
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

/** Backups that are in sight and asked for, the oldest first; one more than the window takes, if there is one. */
export async function listSeenBackups(
  database: Database,
  sight: Sight,
  filter: BackupFilter,
  { limit, after }: NumberWindow,
): Promise<SeenBackup[]> {
  const { id, diskId, instanceId, accountId, state, createdAfter, createdBefore } = filter;
  const rows = await database
    .selectFrom('backup')
    .innerJoin('disk', 'disk.id', 'backup.disk_id')
    .innerJoin('instance', 'instance.id', 'disk.instance_id')
    .where('kind', '=', 'vm')
    .where('status', 'not in', ['deleting', 'deleted'])
    .where('state', '!=', 'erasing')
    .where(inSight(sight))
    .where((eb) => {
      const conditions: Expression<SqlBool>[] = [];
      if (id !== undefined) conditions.push(eb('backup.id', '=', id));
      if (diskId !== undefined) conditions.push(eb('backup.disk_id', '=', diskId));
      if (instanceId !== undefined) conditions.push(eb('disk.instance_id', '=', instanceId));
      if (accountId !== undefined) conditions.push(eb('instance.account_id', '=', accountId));
      if (state !== undefined) conditions.push(eb('backup.state', state === 'ready' ? '=' : '!=', 'ready'));
      if (createdAfter !== undefined) conditions.push(eb('backup.created_at', '>=', createdAfter));
      if (createdBefore !== undefined) conditions.push(eb('backup.created_at', '<', createdBefore));
      if (after !== null) conditions.push(eb('backup.number', '>', after));
      return eb.and(conditions);
    })
    .select(columns.map((column) => `backup.${column}` as const))
    .select(sql<string>`disk.instance_id`.as('of_instance'))
    .orderBy('backup.number')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({ ...toBackup(row), instanceId: row.of_instance }));
}
