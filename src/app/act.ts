// Acts on a running VM: a request writes one, the VM's host is told of it, does it and says so, and the request is answered.
// Whoever does not hear from the host in time takes the act back, so that it never happens when nobody expects it any more.

import type { Act, ActOutcome } from '../model/act.ts';
import { BerthError } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import type { InstanceStatus } from '../model/instance.ts';
import * as store from '../store/act.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { isReachable } from '../store/host.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

export type { OfferedAct } from '../store/act.ts';

/** A host that is there does an act within a fraction of a second; a customer's program waits longer than this. */
const actLifeMs = 10_000;
/** The answer that told a host of an act may have been lost; the host knows which ones it has begun with. */
const offerAgainMs = 2_000;
/** Whoever waits looks for himself this often, for the wake-up that got lost. */
const slowLookMs = 1_000;
/** A person sends some keys in a row; a program that sends hundreds waits for each. */
const waitingMax = 16;

/** The VM that something is done to. */
export interface ActSubject {
  id: string;
  accountId: string;
  hostId: string;
  name: string;
  status: InstanceStatus;
}

/** What an act is called where people read of it. */
const said: Record<Act['kind'], string> = {
  powerdown: 'Its power button was pressed.',
  reset: 'Its reset button was pressed.',
  sendkey: 'Keys were sent to it.',
};

/**
 * Does something to a running VM, and waits until its host has done it.
 * @throws BerthError `wrong_state` when it is not on, `unavailable` when its host does not answer or can't do it
 */
export async function act(context: Context, principal: Principal, vm: ActSubject, what: Act): Promise<void> {
  const { database, clock } = context;
  const id = await orderAct(context, vm, what);
  const { id: instanceId, accountId, hostId } = vm;
  const outcome = await outcomeOf(context, id);
  if (outcome === 'not-running') throw notOn(vm);
  if (outcome !== 'done') throw noAnswer(vm);
  const event = { accountId, instanceId, hostId, actor: principal.actor, createdAt: clock.now() };
  await inTransaction(database, (tx) =>
    insertEvents(tx, [{ ...event, kind: `vm.${what.kind}`, message: said[what.kind] }]),
  );
}

/**
 * Tells a running VM's host of an act, which it begins within {@link actLifeMs} or never. Whoever does not wait looks for its
 * outcome later.
 * @returns the act's id
 * @throws BerthError `wrong_state` when it is not on, `unavailable` when its host is out of reach, `too_many_requests`
 */
export async function orderAct(context: Context, vm: ActSubject, what: Act): Promise<string> {
  const { database, clock, wakeups } = context;
  if (vm.status !== 'active') throw notOn(vm);
  const id = newUuid(context.entropy);
  const { id: instanceId, hostId } = vm;
  await inTransaction(database, async (tx) => {
    const now = clock.now();
    if (!(await isReachable(tx, hostId))) throw noAnswer(vm);
    const row = { id, hostId, instanceId, act: what, expiresAt: new Date(now.getTime() + actLifeMs) };
    if (!(await store.insertAct(tx, row, waitingMax, now))) {
      throw new BerthError('too_many_requests', `${waitingMax} such requests about ${vm.name} wait for an answer.`);
    }
  });
  wakeups.changed([hostId]);
  return id;
}

const notOn = ({ name }: ActSubject) => new BerthError('wrong_state', `The VM ${name} is not on; start it first.`);

const noAnswer = ({ name }: ActSubject) =>
  new BerthError('unavailable', `The host of ${name} does not answer at the moment; try again.`);

/** What the host says of an act; null when it has said nothing in time. The act is taken away in any case. */
async function outcomeOf({ database, wakeups }: Context, id: string): Promise<ActOutcome | null> {
  const deadlineMs = performance.now() + actLifeMs;
  let outcome: ActOutcome | null = null;
  let atLast: ActOutcome | null = null;
  try {
    while (outcome === null && performance.now() < deadlineMs) {
      // Listening begins before looking: an outcome in between would otherwise wait for the next slow look.
      const looked = new AbortController();
      const woken = wakeups.next(id, slowLookMs, looked.signal);
      try {
        outcome = await store.readOutcome(database, id);
        if (outcome === null) await woken;
      } finally {
        looked.abort();
      }
    }
  } finally {
    atLast = await store.removeAct(database, id).catch(() => null); // one that can't be taken away expires
  }
  return outcome ?? atLast;
}

/** The acts that a host has to be told of, once, and again where it does not answer. */
export function offerActs({ clock, database }: Context, hostId: string): Promise<store.OfferedAct[]> {
  const now = clock.now();
  return store.offerActs(database, hostId, now, new Date(now.getTime() - offerAgainMs));
}

/** Takes what a host says of its acts. */
export async function settleActs(
  { database, wakeups }: Context,
  hostId: string,
  outcomes: readonly { id: string; outcome: ActOutcome }[],
): Promise<void> {
  await store.settleActs(database, hostId, outcomes);
  wakeups.changed(outcomes.map(({ id }) => id));
}
