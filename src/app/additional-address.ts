// What a VM's owner does with its addresses while it lives: additional ones, which lead to its main one, names for the other
// direction, and two VMs that exchange theirs.

import { isIP } from 'node:net';
import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { type InstanceStatus, whyNot } from '../model/instance.ts';
import { formatIp, parseIp } from '../model/ip-range.ts';
import {
  findHeld,
  type HeldAddress,
  listHeld,
  listPortRules,
  releaseAddresses,
  replacePortRules,
  swapAddresses,
  takeIpv4,
  writeReverseName,
} from '../store/address.ts';
import { order } from '../store/assignment.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { findInstances, type InstanceHandle } from '../store/instance.ts';
import { rangesOfGroup } from '../store/ip-range.ts';
import { type AtVm, type Caller, reachVm } from './access.ts';
import { networkFull } from './address.ts';
import type { Context } from './context.ts';
import { repriceVms } from './vm-price.ts';

/** Additional addresses that a VM can have. */
export const additionalMax = 4;

/**
 * Gives a VM additional IPv4 addresses, which lead to its main one at once.
 * @returns the new ones
 * @throws InvalidFields when it would have too many; BerthError `wrong_state`, `no_suitable_offer`, `insufficient_balance`
 */
export async function addAddresses(
  context: Context,
  { vm, principal }: AtVm,
  wanted: { count: number; reason: string | null },
): Promise<string[]> {
  return await changeVms(context, [vm], principal.actor, async (tx, [handle]) => {
    requireAddressesOf('change-addresses', handle);
    const has = (await listHeld(tx, [handle.id])).filter(({ isAdditional }) => isAdditional).length;
    if (has + wanted.count > additionalMax) {
      const message = `is too many: a virtual machine has up to ${additionalMax} additional ones, and this one has ${has}`;
      throw new InvalidFields({ addresses: [message] });
    }
    const rules = await listPortRules(tx, handle.id);
    const ips: string[] = [];
    for (let number = 1; number <= wanted.count; number += 1) {
      const address = { instanceId: handle.id, isAdditional: true, reason: wanted.reason };
      const ip = await takeIpv4(tx, handle, address);
      if (ip === undefined) throw (await hasOwnRange(tx, handle)) ? networkFull() : hostFull();
      ips.push(ip);
    }
    await replacePortRules(tx, handle.id, rules);
    return { answer: ips, message: `Given the additional addresses ${ips.join(', ')}.` };
  });
}

/** @throws BerthError `wrong_state` where the VM is in no state for it, by the name that its owner knows */
function requireAddressesOf(
  act: 'change-addresses' | 'swap-addresses',
  { name, status }: { name: string; status: InstanceStatus },
): void {
  const reason = whyNot(act, status);
  if (reason)
    throw new BerthError('wrong_state', `The addresses of ${name} can't be changed like this now: ${reason}.`);
}

const hostFull = () => new BerthError('no_suitable_offer', "The VM's host has no address left to give.", 'addresses');

const hasOwnRange = async (tx: Tx, { groupId }: InstanceHandle) =>
  (await rangesOfGroup(tx, groupId)).some(({ cidr, isOwn }) => isOwn && !cidr.includes(':'));

/** An address of a VM that a caller sees. */
export interface AtAddress {
  at: AtVm;
  address: HeldAddress;
}

/**
 * An address as a caller reaches it: by the VM that holds it.
 * @throws BerthError `not_found`, `forbidden`
 */
export async function reachAddress(
  context: Context,
  caller: Caller,
  text: string,
  level: 'see' | 'vm_admin',
): Promise<AtAddress> {
  const ip = parseIp(text);
  const nothing = () => new BerthError('not_found', `There is no address ${shown(text)}.`, text);
  const address = ip ? await findHeld(context.database, formatIp(ip.family, ip.value)) : undefined;
  if (address?.kind !== 'vm') throw nothing();
  try {
    return { at: await reachVm(context, caller, { vm: String(address.number) }, level), address };
  } catch (error) {
    throw error instanceof BerthError && error.code === 'not_found' ? nothing() : error;
  }
}

const reverseNameLengthMax = 253;
const hostNamePattern =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/**
 * Notes what an address is called in the other direction; null takes the name away.
 * @returns the name as it is kept
 * @throws InvalidFields, BerthError `wrong_state`
 */
export async function setReverseName(
  context: Context,
  { at, address }: AtAddress,
  given: string | null,
): Promise<string | null> {
  requireAddressesOf('change-addresses', at.vm);
  const name = given?.replace(/\.$/, '') ?? null;
  if (name !== null && (!hostNamePattern.test(name) || isIP(name) !== 0)) {
    throw new InvalidFields({ rdns: [`must be a host name of up to ${reverseNameLengthMax} characters`] });
  }
  await writeReverseName(context.database, address.ip, name);
  return name;
}

/**
 * Takes an additional address from a VM.
 * @throws BerthError `unsupported` for a main one, `wrong_state`
 */
export async function removeAddress(context: Context, { at, address }: AtAddress): Promise<void> {
  if (!address.isAdditional) {
    throw new BerthError('unsupported', `${address.ip} is a main address; only additional ones can be deleted.`);
  }
  await changeVms(context, [at.vm], at.principal.actor, async (tx, [handle]) => {
    requireAddressesOf('change-addresses', handle);
    const held = (await listHeld(tx, [handle.id])).find(({ ip }) => ip === address.ip);
    if (!held?.isAdditional) throw new BerthError('not_found', `There is no address ${shown(address.ip)}.`, address.ip);
    await releaseAddresses(tx, [address.ip]);
    return { answer: undefined, message: `The additional address ${address.ip} was given back.` };
  });
}

/**
 * Lets two VMs that are off exchange their main addresses, and their additional ones when that is wanted, too. The ports
 * that are open stay each VM's.
 * @throws BerthError `wrong_state`, `invalid_value` when one could not use the other's addresses
 */
export async function exchangeAddresses(
  context: Context,
  [one, other]: readonly [AtVm, AtVm],
  options: { withAdditional: boolean },
): Promise<void> {
  if (one.vm.id === other.vm.id) {
    throw new InvalidFields({ virtual_machine_2_id: ['is the same virtual machine'] });
  }
  await changeVms(context, [one.vm, other.vm], one.principal.actor, async (tx, handles) => {
    const [first, second] = handles;
    if (!second) throw new Error('Two virtual machines were locked, and one was found.');
    for (const handle of handles) requireAddressesOf('swap-addresses', handle);
    if (first.hostId !== second.hostId) {
      throw new BerthError(
        'invalid_value',
        'The virtual machines are on different heads, which have addresses of their own.',
      );
    }
    if (first.groupId !== second.groupId && (await areApart(tx, first, second))) {
      throw new BerthError('invalid_value', 'The virtual machines are in groups with IP ranges of their own.');
    }
    const rules = [await listPortRules(tx, first.id), await listPortRules(tx, second.id)] as const;
    await swapAddresses(tx, [first.id, second.id], options);
    await replacePortRules(tx, first.id, rules[0]);
    await replacePortRules(tx, second.id, rules[1]);
    const also = options.withAdditional ? ', with the additional ones' : '';
    return { answer: undefined, message: `${first.name} and ${second.name} have exchanged their addresses${also}.` };
  });
}

/** Whether either group's addresses come from ranges that are not the other's. */
async function areApart(tx: Tx, one: InstanceHandle, other: InstanceHandle): Promise<boolean> {
  const ranges = await Promise.all([one, other].map(({ groupId }) => rangesOfGroup(tx, groupId)));
  return ranges.flat().some(({ isOwn }) => isOwn);
}

type Handles = readonly [InstanceHandle, ...InstanceHandle[]];

/**
 * Changes the addresses of VMs with their hosts' rows and then their own locked, charges for what they have afterwards, and
 * tells the hosts.
 */
async function changeVms<Answer>(
  context: Context,
  vms: readonly { id: string; hostId: string; accountId: string; name: string }[],
  actor: string,
  change: (tx: Tx, handles: Handles) => Promise<{ answer: Answer; message: string }>,
): Promise<Answer> {
  const createdAt = context.clock.now();
  const hostIds = vms.map(({ hostId }) => hostId);
  const ids = vms.map(({ id }) => id);
  const answer = await inTransaction(context.database, async (tx) => {
    const revisions = await bumpRevisions(tx, hostIds);
    const [first, ...rest] = await findInstances(tx, null, ids, { lock: true });
    const gone = vms.find(({ id }) => ![first, ...rest].some((handle) => handle?.id === id));
    if (gone || !first) throw new BerthError('not_found', `There is no virtual machine ${shown(gone?.name)}.`);
    const handles: Handles = [first, ...rest];
    const outcome = await change(tx, handles);
    await repriceVms(context, tx, ids, actor);
    await order(
      tx,
      handles.map(({ id, hostId }) => ({ instanceId: id, revision: revisions.get(hostId) ?? 0n })),
    );
    await insertEvents(
      tx,
      handles.map(({ id, hostId, accountId }) => ({
        ...{ accountId, instanceId: id, hostId, kind: 'instance.addresses', message: outcome.message },
        ...{ actor, createdAt },
      })),
    );
    return outcome.answer;
  });
  context.wakeups.changed(hostIds);
  return answer;
}
