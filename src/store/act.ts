// Acts on their way to a host, and what it says of them. Nothing in here is kept longer than somebody waits for it.

import { sql } from 'kysely';
import type { Act, ActOutcome } from '../model/act.ts';
import type { Database, Tx } from './database.ts';

/** An act that is to be done. */
export interface NewAct {
  id: string;
  hostId: string;
  instanceId: string;
  act: Act;
  expiresAt: Date;
}

/** An act as its host is told of it. */
export interface OfferedAct {
  id: string;
  instanceId: string;
  kind: Act['kind'];
  keys: string[];
  /** The host has this long to begin with it. */
  expiresInMs: number;
}

/** Writes an act, unless `waitingMax` acts on the same instance are waiting. @returns whether it was written */
export async function insertAct(tx: Tx, row: NewAct, waitingMax: number, now: Date): Promise<boolean> {
  const waiting = await tx
    .selectFrom('act')
    .where('instance_id', '=', row.instanceId)
    .where('host_id', '=', row.hostId)
    .where('expires_at', '>', now)
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(waiting.count) >= waitingMax) return false;
  const { kind } = row.act;
  await tx
    .insertInto('act')
    .values({
      id: row.id,
      host_id: row.hostId,
      instance_id: row.instanceId,
      kind,
      keys: row.act.kind === 'sendkey' ? [...row.act.keys] : [],
      offered_at: null,
      outcome: null,
      expires_at: row.expiresAt,
    })
    .execute();
  return true;
}

/** A host's acts that it has not spoken of, and was not told of since `offeredBefore`. It counts as told now. */
export async function offerActs(
  database: Database,
  hostId: string,
  now: Date,
  offeredBefore: Date,
): Promise<OfferedAct[]> {
  const rows = await database
    .updateTable('act')
    .set({ offered_at: now })
    .where('host_id', '=', hostId)
    .where('outcome', 'is', null)
    .where('expires_at', '>', now)
    .where(({ or, eb }) => or([eb('offered_at', 'is', null), eb('offered_at', '<', offeredBefore)]))
    .returning(['id', 'instance_id', 'kind', 'keys', 'expires_at'])
    .execute();
  return rows.map(({ id, instance_id: instanceId, kind, keys, expires_at: expiresAt }) => {
    return { id, instanceId, kind, keys, expiresInMs: expiresAt.getTime() - now.getTime() };
  });
}

/** Notes what a host says of its acts. */
export async function settleActs(
  database: Database,
  hostId: string,
  outcomes: readonly { id: string; outcome: ActOutcome }[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await sql`
    update act set outcome = said.outcome
    from jsonb_to_recordset(${JSON.stringify(outcomes)}::jsonb) as said (id uuid, outcome text)
    where act.id = said.id and act.host_id = ${hostId}::uuid and act.outcome is null`.execute(database);
}

/** How an act went; null while the host has not said. */
export async function readOutcome(database: Database, id: string): Promise<ActOutcome | null> {
  const row = await database.selectFrom('act').where('id', '=', id).select('outcome').executeTakeFirst();
  return row?.outcome ?? null;
}

/** Takes an act away, so that its host is not told of it any more. @returns how it went, where the host has said */
export async function removeAct(database: Database, id: string): Promise<ActOutcome | null> {
  const row = await database.deleteFrom('act').where('id', '=', id).returning('outcome').executeTakeFirst();
  return row?.outcome ?? null;
}

/** Forgets acts whose server was killed while it waited. */
export async function forgetActs(database: Database, now: Date): Promise<void> {
  await database.deleteFrom('act').where('expires_at', '<', now).execute();
}
