// Operations as they were asked for, each with what there is to judge it by.

import { sql } from 'kysely';
import type { Goal, OperationError, OperationKind, OperationSigns, OperationStatus } from '../model/operation.ts';
import type { Sight } from '../model/privilege.ts';
import type { Database, Tx } from './database.ts';

/** An operation that is to be written. */
export interface NewOperation {
  id: string;
  accountId: string;
  instanceId: string;
  kind: OperationKind;
  goal: Goal;
  actor: string;
  createdAt: Date;
}

/** An operation with what there is to judge it by. */
export interface OperationRow extends NewOperation {
  finishedAt: Date | null;
  error: OperationError | null;
  signs: OperationSigns;
}

/** Which of the operations in sight are asked for; what is left out does not narrow. */
export interface OperationFilter {
  id?: string | undefined;
  accountId?: string | undefined;
  instanceId?: string | undefined;
  status?: OperationStatus | undefined;
  kind?: OperationKind | undefined;
  /** The first moment that counts, and the first that does not any more. */
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

/** Rows of a list: at most `limit`, from before the one with this moment and id. */
export interface OperationWindow {
  limit: number;
  before: { at: string; id: string } | null;
}

/** Writes an operation. */
export async function insertOperation(tx: Tx, row: NewOperation): Promise<void> {
  await tx
    .insertInto('operation')
    .values({
      ...{ id: row.id, account_id: row.accountId, instance_id: row.instanceId, kind: row.kind },
      ...{ goal: JSON.stringify(row.goal), actor: row.actor, created_at: row.createdAt },
    })
    .execute();
}

/** What operations are read from. What was asked of an instance that another account has now is shown to neither. */
const operationsOf = (database: Database) =>
  database
    .selectFrom('operation')
    .innerJoin('instance', (join) =>
      join.onRef('instance.id', '=', 'operation.instance_id').onRef('instance.account_id', '=', 'operation.account_id'),
    )
    .leftJoin('assignment', 'assignment.instance_id', 'operation.instance_id')
    .leftJoin('act', (join) => join.on('act.id', '=', sql<string>`(operation.goal ->> 'actId')::uuid`))
    .select([
      ...(['operation.id', 'operation.account_id', 'operation.instance_id', 'operation.kind', 'goal'] as const),
      ...(['operation.actor', 'operation.created_at', 'finished_at', 'error_code', 'error'] as const),
      ...(['status', 'status_reason', 'desired', 'generation', 'boot_number'] as const),
      ...(['observed_generation', 'observed_state', 'observed_boot_number', 'running_since'] as const),
      ...(['act.outcome', 'act.expires_at as act_expires_at'] as const),
    ]);

type Row = Awaited<ReturnType<ReturnType<typeof operationsOf>['executeTakeFirstOrThrow']>>;

function toOperation(row: Row): OperationRow {
  const { status } = row;
  const { desired, generation, boot_number: bootNumber, observed_generation: observedGeneration } = row;
  const isHeld = desired !== null && generation !== null && bootNumber !== null && observedGeneration !== null;
  const observed = { observedState: row.observed_state, observedBootNumber: row.observed_boot_number };
  return {
    ...{ id: row.id, accountId: row.account_id, instanceId: row.instance_id, kind: row.kind, goal: row.goal },
    ...{ actor: row.actor, createdAt: row.created_at, finishedAt: row.finished_at },
    error: row.error_code !== null && row.error !== null ? { code: row.error_code, message: row.error } : null,
    signs: {
      ...{ createdAt: row.created_at, status, statusReason: row.status_reason, runningSince: row.running_since },
      power: isHeld ? { status, desired, generation, bootNumber, observedGeneration, ...observed } : null,
      ...{ outcome: row.outcome, actExpiresAt: row.act_expires_at },
    },
  };
}

/** The operations in sight that are asked for, the newest first. */
export async function listOperations(
  database: Database,
  sight: Sight,
  { id, accountId, instanceId, status, kind, createdAfter, createdBefore }: OperationFilter,
  { limit, before }: OperationWindow,
): Promise<OperationRow[]> {
  let query = operationsOf(database)
    .orderBy('operation.created_at', 'desc')
    .orderBy('operation.id', 'desc')
    .limit(limit);
  if (id !== undefined) query = query.where('operation.id', '=', id);
  if (accountId !== undefined) query = query.where('operation.account_id', '=', accountId);
  if (instanceId !== undefined) query = query.where('operation.instance_id', '=', instanceId);
  if (kind !== undefined) query = query.where('operation.kind', '=', kind);
  if (createdAfter !== undefined) query = query.where('operation.created_at', '>=', createdAfter);
  if (createdBefore !== undefined) query = query.where('operation.created_at', '<', createdBefore);
  if (status !== undefined) query = query.where('finished_at', status === 'running' ? 'is' : 'is not', null);
  if (status === 'succeeded' || status === 'failed') {
    query = query.where('error', status === 'failed' ? 'is not' : 'is', null);
  }
  if (before) {
    query = query.where(
      sql<boolean>`(operation.created_at, operation.id) < (${before.at}::timestamptz, ${before.id}::uuid)`,
    );
  }
  if (sight !== 'everything') {
    const { accountIds, groupIds, instanceIds } = sight;
    const [only, ...others] = accountIds;
    const isOneAccount = only !== undefined && [others, groupIds, instanceIds].every(({ length }) => length === 0);
    query = isOneAccount
      ? query.where('operation.account_id', '=', only)
      : query.where(
          sql<boolean>`(operation.account_id = any(${accountIds}::uuid[]) or instance.group_id = any(${groupIds}::bigint[])
            or instance.id = any(${instanceIds}::text[]))`,
        );
  }
  return (await query.execute()).map(toOperation);
}

/** Operations that nobody has seen the end of, the oldest first; those of one instance where one is named. */
export async function listUnderWay(
  database: Database,
  { instanceId, after, limit }: { instanceId?: string; after?: { createdAt: Date; id: string }; limit: number },
): Promise<OperationRow[]> {
  let query = operationsOf(database)
    .where('finished_at', 'is', null)
    .orderBy('operation.created_at')
    .orderBy('operation.id')
    .limit(limit);
  if (instanceId !== undefined) query = query.where('operation.instance_id', '=', instanceId);
  if (after) {
    query = query.where(
      sql<boolean>`(operation.created_at, operation.id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`,
    );
  }
  return (await query.execute()).map(toOperation);
}

/** Notes that operations are over; one that is over already stays as it is. */
export async function finishOperations(
  database: Database,
  ends: readonly { id: string; error: OperationError | null }[],
  now: Date,
): Promise<void> {
  if (ends.length === 0) return;
  const rows = ends.map(({ id, error }) => ({ id, code: error?.code ?? null, message: error?.message ?? null }));
  await sql`
    update operation set finished_at = ${now}::timestamptz, error_code = ends.code, error = ends.message
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as ends (id uuid, code text, message text)
    where operation.id = ends.id and finished_at is null`.execute(database);
}

/** Forgets operations from before `before`. @returns how many, at most `limit` */
export async function forgetOperations(tx: Tx, before: Date, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('operation')
    .where('id', 'in', (eb) =>
      eb.selectFrom('operation').where('created_at', '<', before).orderBy('created_at').limit(limit).select('id'),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
