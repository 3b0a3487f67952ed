// What was deployed together, read with its instances: those that are gone stay for the record, as long as instances do.

import { sql } from 'kysely';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { Database } from './database.ts';

/** One of a deployment's instances. */
export interface DeployedInstance {
  id: string;
  groupId: bigint;
  kind: InstanceKind;
  name: string;
  status: InstanceStatus;
}

/** A deployment with its instances, the oldest first. */
export interface DeploymentRow {
  id: string;
  accountId: string;
  createdAt: Date;
  instances: DeployedInstance[];
}

/** A deployment by its id. */
export async function findDeployment(database: Database, id: string): Promise<DeploymentRow | undefined> {
  const rows = await database.selectFrom('deployment').where('id', '=', id).selectAll().execute();
  return (await withInstances(database, rows))[0];
}

/** An account's deployments, the oldest first: at most `limit`, from after the one with this moment and id. */
export async function listDeployments(
  database: Database,
  accountId: string,
  { limit, after }: { limit: number; after: { at: string; id: string } | null },
): Promise<DeploymentRow[]> {
  let query = database
    .selectFrom('deployment')
    .where('account_id', '=', accountId)
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit);
  if (after) query = query.where(sql<boolean>`(created_at, id) > (${after.at}::timestamptz, ${after.id}::uuid)`);
  return withInstances(database, await query.execute());
}

async function withInstances(
  database: Database,
  rows: readonly { id: string; account_id: string; created_at: Date }[],
): Promise<DeploymentRow[]> {
  if (rows.length === 0) return [];
  const instances = await database
    .selectFrom('instance')
    .where(
      'deployment_id',
      'in',
      rows.map(({ id }) => id),
    )
    .select(['id', 'deployment_id', 'group_id', 'kind', 'name', 'status'])
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const byDeployment = Map.groupBy(instances, ({ deployment_id: id }) => id);
  return rows.map(({ id, account_id: accountId, created_at: createdAt }) => ({
    ...{ id, accountId, createdAt },
    instances: (byDeployment.get(id) ?? []).map(({ deployment_id: _, group_id: groupId, ...instance }) => ({
      ...instance,
      groupId,
    })),
  }));
}
