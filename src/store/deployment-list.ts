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

/** Which deployments of an account are asked for, and in which order. */
export interface DeploymentWindow {
  limit: number;
  /** The last one of the page before. */
  after: { at: string; id: string } | null;
  isNewestFirst: boolean;
  /** A part of the name of one of its instances, in small or capital letters. */
  search?: string | undefined;
  /** Only those with an instance in one of these states. */
  statuses?: readonly InstanceStatus[] | undefined;
}

/** An account's deployments, in the order in which they were made. */
export async function listDeployments(
  database: Database,
  accountId: string,
  { limit, after, isNewestFirst, search, statuses }: DeploymentWindow,
): Promise<DeploymentRow[]> {
  const direction = isNewestFirst ? 'desc' : 'asc';
  let query = database
    .selectFrom('deployment')
    .where('account_id', '=', accountId)
    .selectAll()
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .limit(limit);
  if (after) {
    const beyond = isNewestFirst ? sql`<` : sql`>`;
    query = query.where(sql<boolean>`(created_at, id) ${beyond} (${after.at}::timestamptz, ${after.id}::uuid)`);
  }
  if (search !== undefined) {
    query = query.where(
      sql<boolean>`exists (select from instance where deployment_id = deployment.id and strpos(lower(name), ${search.toLowerCase()}) > 0)`,
    );
  }
  if (statuses !== undefined) {
    query = query.where(
      sql<boolean>`exists (select from instance where deployment_id = deployment.id and status = any(${[...statuses]}::text[]))`,
    );
  }
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
