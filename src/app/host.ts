// Hosts: enrolling their agents, and telling them what changed.

import type { Size } from '../model/configuration.ts';
import { BerthError } from '../model/errors.ts';
import { newSecret } from '../model/id.ts';
import { type AssignmentRow, listAssignments } from '../store/assignment.ts';
import { inTransaction } from '../store/database.ts';
import {
  countHostsSeenSince,
  insertEnrolment,
  readRevision,
  redeemEnrolment,
  updateLimits,
  writeHealth,
} from '../store/host.ts';
import { sha256 } from './authenticate.ts';
import type { Context } from './context.ts';

/** A host that has not reported for this long is out of reach and gets no new instances. */
export const silenceMsMax = 30_000;
const enrolmentValidMs = 60 * 60 * 1000;
/** A waiting poll looks for itself this often, for the wake-up that got lost. */
const slowPollMs = 2_000;

/** Makes a one-time token that enrols an agent as this host within an hour. */
export async function makeEnrolmentToken(context: Context, hostId: string): Promise<string> {
  const token = newSecret('enrol', context.entropy);
  const expiresAt = new Date(context.clock.now().getTime() + enrolmentValidMs);
  await inTransaction(context.database, (tx) => insertEnrolment(tx, { tokenSha256: sha256(token), hostId, expiresAt }));
  return token;
}

/**
 * Enrols an agent: uses up its token and gives it a credential, of which only a hash is kept.
 * @throws BerthError `unauthenticated` when the token is unknown, used or expired
 */
export async function enrol(
  context: Context,
  token: string,
  inventory: Record<string, unknown> & { cores: number; memoryMib: number; diskGib: number },
): Promise<{ hostId: string; credential: string }> {
  const credential = newSecret('agent', context.entropy);
  const now = context.clock.now();
  const hostId = await inTransaction(context.database, (tx) =>
    redeemEnrolment(tx, { tokenSha256: sha256(token), credentialSha256: sha256(credential), now }),
  );
  if (!hostId)
    throw new BerthError('unauthenticated', 'This enrolment token is unknown, used or expired; make a new one.');
  await noteHealth(context, hostId, inventory, []);
  return { hostId, credential };
}

/** Notes that a host was heard of, and what it can hold. */
export async function noteHealth(
  context: Context,
  hostId: string,
  inventory: Record<string, unknown> & { cores: number; memoryMib: number; diskGib: number },
  strays: readonly string[],
): Promise<void> {
  const capacity: Size = { vcpus: inventory.cores, memoryMib: inventory.memoryMib, diskGib: inventory.diskGib };
  await updateLimits(context.database, hostId, capacity);
  await writeHealth(context.database, { hostId, seenAt: context.clock.now(), inventory, strays });
}

/** The answer to a host's poll. */
export interface HostAssignments {
  revision: number;
  full: boolean;
  assignments: AssignmentRow[];
}

/**
 * Waits until something about a host changed after a revision, and tells it; or tells everything, when `after` is left out
 * or is ahead of this database (which then is an older copy).
 * @param waitMs how long to wait at most; nothing new by then is an empty answer
 */
export async function pollAssignments(
  context: Context,
  hostId: string,
  after: bigint | undefined,
  waitMs: number,
  signal: AbortSignal,
): Promise<HostAssignments> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const leftMs = deadline - performance.now();
    // Listening begins before looking: a change in between would otherwise wait for the next slow look.
    const looked = new AbortController();
    const heard = AbortSignal.any([signal, looked.signal]);
    const woken = context.wakeups.next(hostId, Math.min(slowPollMs, Math.max(0, leftMs)), heard);
    try {
      const news = await newsAfter(context, hostId, after, leftMs <= 0);
      if (news) return news;
      await woken;
    } finally {
      looked.abort();
    }
    if (signal.aborted) return { revision: Number(after), full: false, assignments: [] };
  }
}

/** What changed after a revision; undefined when nothing did, unless an answer without news is asked for. */
async function newsAfter(
  context: Context,
  hostId: string,
  after: bigint | undefined,
  answerAnyway: boolean,
): Promise<HostAssignments | undefined> {
  // The revision is read before the rows: a row that comes in between is told twice rather than never.
  const revision = await readRevision(context.database, hostId);
  if (revision === undefined) throw new BerthError('not_found', 'There is no such host.', hostId);
  const full = after === undefined || after > revision;
  if (!full && revision === after && !answerAnyway) return undefined;
  const since = full ? 0n : after;
  const assignments = full || revision > after ? await listAssignments(context.database, hostId, since) : [];
  return { revision: Number(revision), full, assignments };
}

/** Whether at least one host could take an instance now. */
export async function isReadyToDeploy(context: Context): Promise<boolean> {
  const since = new Date(context.clock.now().getTime() - silenceMsMax);
  return (await countHostsSeenSince(context.database, since)) > 0;
}
