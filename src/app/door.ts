// Who may open an instance's doors, and the tickets that let somebody in where no header can be sent. What is behind a door is
// connected by console.ts.

import { type Door, type ExecOrder, requireDoor } from '../model/door.ts';
import { BerthError } from '../model/errors.ts';
import { newSecret } from '../model/id.ts';
import { insertTicket, takeTicket } from '../store/door-ticket.ts';
import { reachInstance } from './access.ts';
import { sha256 } from './authenticate.ts';
import { type Caller, callerAgain, type ShownRef, shownBy } from './caller.ts';
import type { ConsolePlace } from './console.ts';
import type { Context } from './context.ts';

/** A page opens the door at once. */
const ticketMs = 30_000;

/** Somebody at a door, who was found to be allowed in. */
export interface DoorVisit {
  door: Door;
  place: ConsolePlace;
  /** What is to be run; null where the door is none of a container's. */
  exec: ExecOrder | null;
  /** How he is named in events. */
  actor: string;
  /** Whose open doors his count among. */
  owner: string;
  /** Looks whether he still is. @throws BerthError that says why not */
  check(): Promise<void>;
}

/**
 * An instance one of whose doors a caller may open. A VM's consoles need `vm_console`, of an account's own key the one that may
 * change things; what is run in a container may change everything in it.
 * @param refs how the request names the instance, and which of its fields names the door
 * @throws BerthError `not_found`, `forbidden`, `unsupported` where it has no such door, `wrong_state` where nobody is let in
 */
export async function reachDoor(
  context: Context,
  caller: Caller,
  id: string,
  door: Door,
  refs: { instance: string; field: string },
): Promise<ConsolePlace> {
  // A key that only reads an account has `vm_console` there.
  const level = door === 'exec' || caller.user === null ? 'vm_admin' : 'vm_console';
  const { instance } = await reachInstance(context, caller, id, level, refs.instance);
  requireDoor(instance, door, refs.field);
  const { accountId, hostId } = instance;
  return { accountId, hostId, instanceId: id };
}

/** A ticket as it is shown, once. */
export interface ShownTicket {
  ticket: string;
  expiresAt: Date;
}

/** Makes a ticket for a door that its caller may open. */
export async function makeTicket(
  { database, clock, entropy }: Context,
  caller: Caller,
  { instanceId, door, exec }: { instanceId: string; door: Door; exec: ExecOrder | null },
): Promise<ShownTicket> {
  const ref = shownBy(caller);
  const ticket = newSecret('ticket', entropy);
  const expiresAt = new Date(clock.now().getTime() + ticketMs);
  await insertTicket(database, {
    ...{ sha256: sha256(ticket), instanceId, door, exec, expiresAt },
    sessionId: 'sessionId' in ref ? ref.sessionId : null,
    apiKeyId: 'keyId' in ref ? ref.keyId : null,
  });
  return { ticket, expiresAt };
}

/** Who shows a ticket. */
export interface Admitted {
  caller: Caller;
  /** Finds him again. */
  ref: ShownRef;
  exec: ExecOrder | null;
}

/**
 * Uses a ticket up.
 * @param from the address that it comes from
 * @throws BerthError `unauthenticated` when it is no ticket for this door, was used or has expired, always in the same words
 */
export async function redeemTicket(
  context: Context,
  ticket: string,
  at: { instanceId: string; door: Door },
  from: string,
): Promise<Admitted> {
  const found = await takeTicket(context.database, { ...at, sha256: sha256(ticket) }, context.clock.now());
  if (!found) {
    const rule = `one opens one door of one instance, once, within ${ticketMs / 1000} s`;
    throw new BerthError('unauthenticated', `There is no such ticket for this door: ${rule}.`, 'ticket');
  }
  const { sessionId, apiKeyId, exec } = found;
  const ref = sessionId === null ? { keyId: apiKeyId ?? '' } : { sessionId };
  return { caller: await callerAgain(context, ref, from), ref, exec };
}
