// A whole request of Berth's own API as one transaction: what it does, and the answer that is kept for repeats, are there
// together or not at all. A dry run is the same transaction, taken back at the end.

import { BerthError } from '../model/errors.ts';
import { Turns } from '../model/turns.ts';
import { type Database, inTransaction, type Tx } from '../store/database.ts';
import { claimAnswer, findKeptAnswer, type KeptAnswer, keepAnswer } from '../store/kept-answer.ts';
import type { Context } from './context.ts';
import { Wakeups } from './wakeups.ts';

/** An answer as HTTP gives it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** A request that is to be done once. */
export interface OnceRequest {
  /** Whose idempotency keys these are. */
  caller: string;
  idempotencyKey: string | undefined;
  /** What tells this request from another one. */
  digest: Uint8Array;
  isDryRun: boolean;
  /** Whether it goes by what the caller has seen: then nothing may change between the look at it and the change. */
  isConditional: boolean;
  /** Whether the answer holds something that is kept nowhere else. */
  isSecret: boolean;
}

/**
 * Requests that are under way hold a connection each, and some need another one for a moment; so they leave half of the pool.
 */
const atOnceMax = 5;
const turnsOf = new WeakMap<Database, Turns>();

/**
 * Does a request, or answers as its first sending was answered.
 * @param act what the request does, in the transaction of the context that it is given; called again after a deadlock
 * @returns the answer, durable unless it is a dry run's
 * @throws BerthError `idempotency_key_reused`, and what `act` throws; then nothing was done
 */
export async function once(
  context: Context,
  request: OnceRequest,
  act: (inside: Context) => Promise<Answer>,
): Promise<Answer & { isRepeat: boolean }> {
  return turnsAt(context).run(async () => {
    const apart: Parameters<NonNullable<Context['apart']>>[0][] = [];
    let news = new HeldNews();
    try {
      const answer = await inTransaction(
        context.database,
        async (tx) => {
          apart.length = 0;
          news = new HeldNews();
          const inside: Context = {
            ...context,
            ...{ database: tx, wakeups: news, outside: context },
            apart: (work) => {
              apart.push(work);
            },
          };
          return perform(inside, tx, request, act);
        },
        request.isConditional ? 'repeatable read' : 'read committed',
      );
      context.wakeups.changed(news.hostIds);
      return answer;
    } catch (thrown) {
      if (thrown instanceof TakenBack) return { ...thrown.answer, isRepeat: false };
      throw thrown;
    } finally {
      for (const work of apart) await workApart(context, work);
    }
  });
}

/** What is done apart is no part of the answer, and neither is its failure. */
async function workApart(context: Context, work: (outside: Context) => Promise<void>): Promise<void> {
  await work(context).catch((error: unknown) =>
    context.logger.warn({ err: error }, 'something beside a request failed'),
  );
}

function turnsAt({ database }: Context): Turns {
  const turns = turnsOf.get(database) ?? new Turns(atOnceMax);
  turnsOf.set(database, turns);
  return turns;
}

async function perform(
  inside: Context,
  tx: Tx,
  request: OnceRequest,
  act: (inside: Context) => Promise<Answer>,
): Promise<Answer & { isRepeat: boolean }> {
  const { caller, idempotencyKey, digest, isDryRun, isSecret } = request;
  const by = idempotencyKey === undefined ? undefined : { caller, key: idempotencyKey };
  if (by && !(await claimAnswer(tx, { ...by, requestSha256: digest, now: inside.clock.now() }))) {
    const kept = await findKeptAnswer(tx, by);
    if (kept) return { ...answerAgain(inside, kept, digest), isRepeat: true };
  }
  const answer = await act(inside);
  if (isDryRun) throw new TakenBack(answer);
  if (by) {
    const text = JSON.stringify(answer);
    await keepAnswer(tx, by, isSecret ? sealed(inside, text) : { answer: text, sealedAnswer: null });
  }
  return { ...answer, isRepeat: false };
}

const sealed = ({ vault }: Context, text: string) => ({ answer: null, sealedAnswer: vault.seal(text) });

function answerAgain({ vault }: Context, kept: KeptAnswer, digest: Uint8Array): Answer {
  if (!Buffer.from(kept.requestSha256).equals(digest)) {
    const message = 'This Idempotency-Key was used for a different request; use a new one.';
    throw new BerthError('idempotency_key_reused', message, 'Idempotency-Key');
  }
  return (kept.sealedAnswer ? JSON.parse(vault.open(kept.sealedAnswer)) : kept.answer) as Answer;
}

/** Thrown at the end of a dry run, to undo it. */
class TakenBack extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('a dry run was taken back');
    this.answer = answer;
  }
}

/** Keeps what hosts are to be woken for until it is committed. */
class HeldNews extends Wakeups {
  readonly hostIds = new Set<string>();

  constructor() {
    super(async () => {});
  }

  override changed(hostIds: Iterable<string>): void {
    for (const id of hostIds) this.hostIds.add(id);
  }

  override changedHere(id: string): void {
    this.hostIds.add(id);
  }
}
