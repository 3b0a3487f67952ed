// Operations: what takes an instance's host a while, for whoever wants to see how it goes. The order itself is written by the use
// case; an operation only says what was asked and what is waited for.

import { BerthError } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import {
  type Goal,
  judgeOperation,
  type OperationError,
  type OperationKind,
  type OperationStatus,
} from '../model/operation.ts';
import { sightOf } from '../model/privilege.ts';
import type { Tx } from '../store/database.ts';
import {
  finishOperations,
  insertOperation,
  listUnderWay,
  type OperationFilter,
  type OperationRow,
  type OperationWindow,
  listOperations as read,
} from '../store/operation.ts';
import type { Caller } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

/** An operation as it stands now. */
export interface OperationView {
  id: string;
  accountId: string;
  instanceId: string;
  kind: OperationKind;
  status: OperationStatus;
  error: OperationError | null;
  actor: string;
  createdAt: Date;
  /** When it was seen to be over; null until then. */
  finishedAt: Date | null;
}

/** Rows that one pass looks at in a go. */
const batchMax = 500;

/**
 * Notes that something was asked of an instance which its host is to bring about, in the transaction of the order.
 * @param asked `goal` as the order came to it
 * @returns the operation, which is over at once where there was nothing to do
 */
export async function startOperation(
  context: Context,
  tx: Tx,
  { accountId, actor }: Pick<Principal, 'accountId' | 'actor'>,
  asked: { instanceId: string; kind: OperationKind; goal: Goal },
): Promise<OperationView> {
  const now = context.clock.now();
  const row = { id: newUuid(context.entropy), accountId, actor, createdAt: now, ...asked };
  await insertOperation(tx, row);
  const [written] = await read(tx, 'everything', { id: row.id }, { limit: 1, before: null });
  if (!written) throw new Error(`The operation ${row.id} was written to an instance of another account.`);
  const [end] = endsOf([written], now);
  if (!end) return viewOf(written, now);
  await finishOperations(tx, [end], now);
  return viewOf({ ...written, finishedAt: now, error: end.error }, now);
}

/** Notes which operations of an instance are over, before an order makes its state say nothing of them any more. */
export async function settleOperationsOf({ clock }: Context, tx: Tx, instanceId: string): Promise<void> {
  const now = clock.now();
  await finishOperations(tx, endsOf(await listUnderWay(tx, { instanceId, limit: batchMax }), now), now);
}

/** Notes which operations are over, of all. */
export async function settleOperations({ database, clock }: Context): Promise<void> {
  let after: { createdAt: Date; id: string } | undefined;
  for (;;) {
    const rows = await listUnderWay(database, { limit: batchMax, ...(after ? { after } : {}) });
    const now = clock.now();
    await finishOperations(database, endsOf(rows, now), now);
    after = rows.at(-1);
    if (rows.length < batchMax) return;
  }
}

function endsOf(rows: readonly OperationRow[], now: Date): { id: string; error: OperationError | null }[] {
  return rows.flatMap(({ id, goal, signs }) => {
    const verdict = judgeOperation(goal, signs, now);
    return verdict.isOver ? [{ id, error: verdict.error }] : [];
  });
}

function viewOf({ goal, signs, ...row }: OperationRow, now: Date): OperationView {
  if (row.finishedAt !== null) return { ...row, status: row.error ? 'failed' : 'succeeded' };
  const verdict = judgeOperation(goal, signs, now);
  if (!verdict.isOver) return { ...row, status: 'running' };
  return { ...row, status: verdict.error ? 'failed' : 'succeeded', error: verdict.error, finishedAt: now };
}

/** The operations that a caller sees, the newest first: those of the instances that he sees. */
export async function listOperations(
  { database, clock }: Context,
  { grants }: Caller,
  filter: OperationFilter,
  window: OperationWindow,
): Promise<OperationView[]> {
  const now = clock.now();
  const look = () => read(database, sightOf(grants), filter, window);
  const rows = await look();
  const ends = endsOf(
    rows.filter(({ finishedAt }) => finishedAt === null),
    now,
  );
  if (ends.length === 0) return rows.map((row) => viewOf(row, now));
  // Noted here and now, so that everybody is told the same moment from now on.
  await finishOperations(database, ends, now);
  return (await look()).map((row) => viewOf(row, now));
}

/** One operation that a caller sees. @throws BerthError `not_found` */
export async function findOperation(context: Context, caller: Caller, id: string): Promise<OperationView> {
  const [found] = await listOperations(context, caller, { id }, { limit: 1, before: null });
  if (!found) throw new BerthError('not_found', 'There is no such operation.');
  return found;
}
