// Operations: what was asked of an instance and takes its host a while. How one goes follows from where the instance stands, so
// nothing has to be kept in step with it. Pure.

import type { ActOutcome } from './act.ts';
import { hasReached, isOff, type PowerState } from './power.ts';

/**
 * What can be done about a VM's power.
 * - `start`: it is switched on
 * - `stop`: its plug is pulled
 * - `shutdown`: its power button is pressed, and its system shuts down
 * - `reset`: its reset button is pressed
 * - `cycle`: its plug is pulled and put in again
 * - `restart`: the same, and one that is off is switched on
 */
export const powerActions = ['start', 'stop', 'shutdown', 'reset', 'cycle', 'restart'] as const;

/** One of {@link powerActions}. */
export type PowerAction = (typeof powerActions)[number];

/** What operations are about. */
export const operationKinds = ['create', ...powerActions, 'reimage', 'delete', 'purge', 'send-keys'] as const;

/** One of {@link operationKinds}. */
export type OperationKind = (typeof operationKinds)[number];

/** How operations stand. */
export const operationStatuses = ['running', 'succeeded', 'failed'] as const;

/** One of {@link operationStatuses}. */
export type OperationStatus = (typeof operationStatuses)[number];

/**
 * What is waited for.
 * - `power`: the instance is on, or off, by this order
 * - `act`: its host has pressed the button
 * - `off`: its host has pressed the button, and then its guest has switched itself off
 * - `gone`: its host holds nothing of it any more
 */
export type Goal =
  | { is: 'power'; on: boolean; generation: number; bootNumber: number }
  | { is: 'act' | 'off'; actId: string }
  | { is: 'gone' };

/** Why an operation did not come to its goal: a word for programs, and a sentence. */
export const operationErrors = ['superseded', 'not_started', 'not_on', 'no_answer', 'ignored'] as const;

/** An operation that did not come to its goal. */
export interface OperationError {
  code: (typeof operationErrors)[number];
  message: string;
}

/** What there is to judge an operation by. */
export interface OperationSigns {
  createdAt: Date;
  status: PowerState['status'];
  statusReason: string | null;
  /** Null when its host holds nothing of the instance any more. */
  power: PowerState | null;
  /** Since when it runs, by its host's word. */
  runningSince: Date | null;
  /** How the act went; null while its host has not said, and where the act is not there any more. */
  outcome: ActOutcome | null;
  /** Up to when its host may begin with the act; null where it is not there any more. */
  actExpiresAt: Date | null;
}

/** A system that is told to shut down has this long for its services. */
const guestHasMs = 10 * 60 * 1000;

/** Whether an operation is over; with an error where it did not come to its goal. */
export type Verdict = { isOver: false } | { isOver: true; error: OperationError | null };

const goesOn: Verdict = { isOver: false };
const done: Verdict = { isOver: true, error: null };
const failed = (code: OperationError['code'], message: string): Verdict => ({ isOver: true, error: { code, message } });

/** Judges how an operation goes. */
export function judgeOperation(goal: Goal, signs: OperationSigns, now: Date): Verdict {
  if (goal.is === 'gone') return signs.power === null ? done : goesOn;
  if (goal.is === 'power') return judgePower(goal, signs);
  const { power, outcome, actExpiresAt, createdAt, runningSince } = signs;
  if (outcome === 'not-running') return failed('not_on', 'It was not on any more.');
  const isLate = actExpiresAt === null || actExpiresAt <= now;
  const hasNoAnswer = outcome === 'failed' || (outcome === null && isLate);
  if (goal.is === 'act') {
    if (outcome === 'done') return done;
    return hasNoAnswer ? failed('no_answer', 'Its host did not do it in time; nothing was done.') : goesOn;
  }
  if (power === null) return failed('superseded', 'It was deleted meanwhile.');
  // One that comes back up by itself may be on again before anybody looks.
  if (isOff(power) || (runningSince !== null && runningSince > createdAt)) return done;
  // An act that was done is forgotten a while later; the guest may still be at it.
  if (hasNoAnswer && actExpiresAt !== null)
    return failed('no_answer', 'Its host did not press its power button in time.');
  const isIgnored = now.getTime() - createdAt.getTime() > guestHasMs;
  return isIgnored ? failed('ignored', 'Its system did not shut down when its power button was pressed.') : goesOn;
}

function judgePower(goal: Goal & { is: 'power' }, { power, status, statusReason }: OperationSigns): Verdict {
  if (status === 'failed' || status === 'terminated') {
    return failed('not_started', statusReason ?? 'It could not be started.');
  }
  if (power === null) return failed('superseded', 'It was deleted meanwhile.');
  const isOverruled = power.desired !== (goal.on ? 'running' : 'off') || power.bootNumber !== goal.bootNumber;
  if (isOverruled) return failed('superseded', 'Another order about its power came in between.');
  return hasReached(power, goal) ? done : goesOn;
}
