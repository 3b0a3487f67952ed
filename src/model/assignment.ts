// What a host's word about an instance means for the instance: one pure decision, so that lost, repeated and late reports,
// restored databases and forgetful agents can be tested as a table. Only a newer order ends anything (see the docs on
// generations); a report never does.

import type { InstanceKind, InstanceStatus } from './instance.ts';

/**
 * - `pending`: known, not begun · `preparing`: image, disk · `running` · `restarting`: its hypervisor died, back-off
 * - `off`: switched off, from inside or by order · `failed`: given up, with a reason · `gone`: nothing of it is left on the host
 */
export const observedStates = ['pending', 'preparing', 'running', 'restarting', 'off', 'failed', 'gone'] as const;

/** One of {@link observedStates}. */
export type ObservedState = (typeof observedStates)[number];

/** What a host is to make of an instance: it runs; it is off and keeps its disks; nothing of it is there. */
export type Desired = 'running' | 'off' | 'absent';

/** What an instance takes of its host beside its disks. */
export interface Taken {
  vcpus: number;
  memoryMib: number;
}

/**
 * What an instance takes of its host from now on, by the host's word. What runs has what it was started with until it is
 * started anew, so that what was ordered away in between is given back only then.
 * @param held what it has by the newest order, and what is taken for it
 */
export function takenOf(
  held: { generation: number; ordered: Taken; taken: Taken },
  seen: { state: ObservedState; generation: number; boot?: Taken },
): Taken {
  const { ordered, taken } = held;
  // What the host says may be from before the newest order.
  const knows = seen.generation >= held.generation && (seen.state === 'off' || (seen.state === 'running' && seen.boot));
  if (!knows) return taken;
  const has = (part: keyof Taken) => Math.min(taken[part], Math.max(ordered[part], seen.boot?.[part] ?? 0));
  return { vcpus: has('vcpus'), memoryMib: has('memoryMib') };
}

/** What the server holds of an instance when a report about it arrives. */
export interface Held {
  kind: InstanceKind;
  status: InstanceStatus;
  generation: number;
  desired: Desired;
}

/** What the host says. `generation` is the newest order that it has accepted. */
export interface Seen {
  state: ObservedState;
  generation: number;
  reason: string | null;
  failureCode?: string;
}

/** What follows. `release`: the host holds nothing of it any more. `order`: give this order anew, with a newer generation. */
export interface Verdict {
  status: InstanceStatus;
  reason: string | null;
  failureCode: string | null;
  release: boolean;
  order: Desired | null;
}

const statusWhile: Record<Exclude<ObservedState, 'failed' | 'gone'>, InstanceStatus> = {
  pending: 'launching',
  preparing: 'launching',
  running: 'active',
  restarting: 'launching',
  off: 'stopped',
};

/** Ends that are not the customer's wish: the status tells of them until the customer deletes the instance. */
const keepsStatus: ReadonlySet<InstanceStatus> = new Set(['failed', 'terminated']);

/** Decides what a host's word about an instance means. */
export function judge(held: Held, seen: Seen): Verdict {
  const unchanged: Verdict = { status: held.status, reason: null, failureCode: null, release: false, order: null };
  if (held.desired === 'absent') {
    if (seen.state === 'gone' && seen.generation >= held.generation) {
      return { ...unchanged, status: keepsStatus.has(held.status) ? held.status : 'deleted', release: true };
    }
    // A host that is ahead of this database would take the order for an old one.
    return seen.state !== 'gone' && seen.generation > held.generation ? { ...unchanged, order: 'absent' } : unchanged;
  }
  // Its owner sees it no more, and there is nothing left to bring back.
  const isHidden = held.status === 'soft-deleted';
  if (seen.state === 'gone') {
    // A host says so only after an order to erase, and an erased instance never comes back under the same id.
    const reason = 'Its host had erased it on a later order, which this database has lost.';
    return { ...unchanged, status: isHidden ? 'deleted' : 'failed', reason, release: true };
  }
  if (seen.state === 'failed') {
    const reason = seen.reason ?? 'It could not be started.';
    const status = isHidden ? 'deleting' : 'failed';
    return { ...unchanged, status, reason, failureCode: seen.failureCode ?? null, order: 'absent' };
  }
  // A VM that was switched off keeps its place; a container that has done its work is over.
  if (seen.state === 'off' && held.kind === 'container') {
    return { ...unchanged, status: 'deleting', reason: seen.reason ?? 'It ended by itself.', order: 'absent' };
  }
  // What the host said before it heard of the newest order may be the very thing that the order is to change.
  const isStale = seen.state === 'off' && seen.generation < held.generation;
  // One that was never switched on does not come up because its host has yet to look at it.
  const isIdle = seen.state === 'pending' && held.desired === 'off';
  const keeps = isStale || isIdle || isHidden;
  return {
    ...unchanged,
    status: keeps ? held.status : statusWhile[seen.state],
    reason: keeps ? null : seen.reason,
    order: seen.generation > held.generation ? held.desired : null,
  };
}

/** Two tellings of one run differ by what the way takes and how clocks drift; a restart takes longer. */
const sameRunMsMax = 30_000;

/**
 * What a report says of an instance's run.
 * @param held what was told before
 * @param seen what is told now; agents from before `runningMs` leave it out
 * @returns since when it runs, null while it does not; and whether the run that was told before is over
 */
export function runOf(
  held: { observedState: string | null; runningSince: Date | null },
  seen: { state: ObservedState; runningMs?: number | null },
  now: Date,
): { runningSince: Date | null; ended: boolean } {
  const ran = held.observedState === 'running' ? held.runningSince : null;
  if (seen.state !== 'running') return { runningSince: null, ended: ran !== null };
  if (seen.runningMs == null) return { runningSince: ran ?? now, ended: false };
  const since = new Date(now.getTime() - seen.runningMs);
  if (ran && Math.abs(ran.getTime() - since.getTime()) <= sameRunMsMax) return { runningSince: ran, ended: false };
  return { runningSince: since, ended: ran !== null };
}
