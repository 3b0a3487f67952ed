// The instance: what runs. Its states and, in one table, what may be done in which state and why not; the server answers
// from it, and so will the command line and the console.

import { BerthError } from './errors.ts';

/**
 * - `launching`: accepted; its host is making it run, or bringing it back after its hypervisor died
 * - `active`: runs
 * - `stopped`: switched off, from inside or by order
 * - `failed`: never came up, or cannot come back; holds nothing any more but its reason
 * - `terminated`: ended by Berth because nothing was left to pay with; holds nothing any more but its reason
 * - `soft-deleted`: off and out of sight; keeps its name, address and disks, and can be brought back for a while
 * - `deleting`: ordered away; its host has not yet confirmed
 * - `deleted`: gone; kept for the record only
 */
export const instanceStatuses = [
  'launching',
  'active',
  'stopped',
  'failed',
  'terminated',
  'soft-deleted',
  'deleting',
  'deleted',
] as const;

/** What an instance is. */
export type InstanceKind = 'vm' | 'container';

/** One of {@link instanceStatuses}. */
export type InstanceStatus = (typeof instanceStatuses)[number];

/** Whether its run has ended for good; nothing is billed after that. */
export const isOver = ({ status }: { status: InstanceStatus }): boolean =>
  status === 'failed' || status === 'terminated';

/** What a customer may do with an instance. */
export const instanceActs = [
  'rename',
  'change-disks',
  'remove-disk',
  'set-ports',
  'change-addresses',
  'swap-addresses',
  'change-machine',
  'start',
  'stop',
  'shutdown',
  'reset',
  'cycle',
  'restart',
  'reimage',
  'delete',
  'undelete',
  'purge',
] as const;

/** One of {@link instanceActs}. */
export type InstanceAct = (typeof instanceActs)[number];

const gone = 'it is being deleted';
const hidden = 'it is deleted; restore it first';
const nothingLeft = 'it has failed and holds no address any more; delete it and deploy a new one';
const notOn = 'it is not on; start it first';
const notOff = 'it is not off; stop it first';
const notDeleted = 'it is not deleted';
const asStarted = 'a container stays as it was started; delete it and start another';
const ended = 'it was ended because nothing was left to pay with; delete it and deploy a new one';

/** What forbids any change of what an instance is and has. */
const unchanging = { failed: nothingLeft, terminated: ended, 'soft-deleted': hidden, deleting: gone, deleted: gone };

/** For each act the states that forbid it, each with the reason a person reads. */
const forbidden: Record<InstanceAct, Partial<Record<InstanceStatus, string>>> = {
  rename: { 'soft-deleted': hidden, deleting: gone, deleted: gone },
  'set-ports': unchanging,
  'change-addresses': unchanging,
  'swap-addresses': {
    launching: 'it is not off',
    active: 'it is not off',
    ...unchanging,
  },
  'change-disks': unchanging,
  'remove-disk': {
    launching: 'it is not off',
    active: 'it is not off',
    ...unchanging,
  },
  'change-machine': unchanging,
  start: unchanging,
  stop: unchanging,
  shutdown: { ...unchanging, launching: 'it is not on yet', stopped: notOn },
  reset: { ...unchanging, launching: 'it is not on yet', stopped: notOn },
  cycle: { ...unchanging, stopped: notOn },
  restart: unchanging,
  reimage: { ...unchanging, launching: notOff, active: notOff },
  delete: { deleting: gone, deleted: gone },
  undelete: {
    launching: notDeleted,
    active: notDeleted,
    stopped: notDeleted,
    failed: notDeleted,
    terminated: notDeleted,
    deleting: gone,
    deleted: gone,
  },
  purge: { deleting: gone, deleted: gone },
};

/** What a container can take; the rest is for VMs alone. */
const actsOfContainers: ReadonlySet<InstanceAct> = new Set(['rename', 'delete']);

/** Why an act can't be done with an instance of a kind, or null when it can. */
export function whyNotOf(
  act: InstanceAct,
  { kind, status }: { kind: InstanceKind; status: InstanceStatus },
): string | null {
  if (kind === 'container' && !actsOfContainers.has(act)) return asStarted;
  return whyNot(act, status);
}

/** Why `act` can't be done in `status`, or null when it can. */
export function whyNot(act: InstanceAct, status: InstanceStatus): string | null {
  return forbidden[act][status] ?? null;
}

/**
 * Holds an act against the state table.
 * @throws BerthError `wrong_state` with the reason, `unsupported` for what is never done with this kind
 */
export function requireAllowed(
  act: InstanceAct,
  instance: { id: string; kind: InstanceKind; status: InstanceStatus },
): void {
  if (act === 'set-ports' && instance.kind === 'container') {
    const message = `Instance ${instance.id} is a container, whose ports are those that it was started with.`;
    throw new BerthError('unsupported', message, instance.id);
  }
  const reason = whyNot(act, instance.status);
  if (reason)
    throw new BerthError('wrong_state', `Instance ${instance.id} can't take "${act}" now: ${reason}.`, instance.id);
}
