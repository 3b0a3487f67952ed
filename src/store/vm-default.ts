// What tools suggest for new VMs.

import type { Database } from './database.ts';

/** A suggestion, as it is kept. */
export interface VmDefaultRow {
  id: bigint;
  name: string;
  isPublic: boolean;
  serverSettings: Record<string, unknown>;
}

/** Keeps a suggestion. @returns it with its number */
export async function insertVmDefault(
  database: Database,
  row: Omit<VmDefaultRow, 'id'> & { accountId: string; now: Date },
): Promise<VmDefaultRow> {
  const { name, isPublic, serverSettings, accountId, now } = row;
  const { id } = await database
    .insertInto('vm_default')
    .values({
      account_id: accountId,
      name,
      public: isPublic,
      server_settings: JSON.stringify(serverSettings),
      created_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, name, isPublic, serverSettings };
}
