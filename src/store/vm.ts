// VMs by the names and numbers that Bytemark's tools give them.

import type { InstanceStatus } from '../model/instance.ts';
import type { Database } from './database.ts';

/** Which VM it is and where it stands. */
export interface VmHandle {
  id: string;
  number: bigint;
  accountId: string;
  groupId: bigint;
  deploymentId: string;
  hostId: string;
  name: string;
  status: InstanceStatus;
}

/**
 * One VM that is not gone: by its id or number, or by its group and name. Where several bear one name, as those that were deployed
 * together do, it is one that lives, and the oldest of these.
 */
export async function findVm(
  database: Database,
  by: { id: string } | { number: bigint } | { groupId: bigint; name: string },
): Promise<VmHandle | undefined> {
  const query = database
    .selectFrom('instance')
    .where('kind', '=', 'vm')
    .where('status', 'not in', ['deleting', 'deleted'])
    .select(['id', 'number', 'account_id', 'group_id', 'deployment_id', 'host_id', 'name', 'status']);
  const found =
    'id' in by
      ? query.where('id', '=', by.id)
      : 'number' in by
        ? query.where('number', '=', by.number)
        : query
            .where('group_id', '=', by.groupId)
            .where('name', '=', by.name)
            .orderBy((eb) => eb('status', 'in', ['failed', 'terminated']))
            .orderBy('number');
  const row = await found.limit(1).executeTakeFirst();
  return (
    row && {
      id: row.id,
      number: row.number,
      accountId: row.account_id,
      groupId: row.group_id,
      deploymentId: row.deployment_id,
      hostId: row.host_id,
      name: row.name,
      status: row.status,
    }
  );
}
