// The addresses that a VM begins with and takes along: chosen for it, or, in a group whose network has ranges of its own, by
// its owner. What it can be given beside them stands in additional-address.ts.

import { BerthError, type FieldFaults, InvalidFields } from '../model/errors.ts';
import { addressFromHardware, formatIp, isInRange, parseIp, parseIpRange, whyReserved } from '../model/ip-range.ts';
import { macAddressOf } from '../model/mac-address.ts';
import {
  claimAddress,
  findHeld,
  isHeld,
  listHeld,
  listPortRules,
  releaseAddresses,
  replacePortRules,
  takeIpv4,
} from '../store/address.ts';
import type { Database, Tx } from '../store/database.ts';
import { isAnyHostInNetworks, networkModeOf } from '../store/host.ts';
import { rangesOfGroup } from '../store/ip-range.ts';
import type { Context } from './context.ts';

/** The addresses that somebody chose; null leaves one to be chosen for him. */
export interface ChosenAddresses {
  ipv4: string | null;
  ipv6: string | null;
}

const families = { ipv4: 4, ipv6: 6 } as const;

/** A group's network has no IPv4 address left. */
export const networkFull = () =>
  new BerthError('no_suitable_offer', "The group's network has no IPv4 address left.", 'ips');

/**
 * Holds chosen addresses against what the group's network allows; an empty text counts as not given.
 * @returns the addresses in their normal form, or what is wrong with each
 */
export async function checkChosenAddresses(
  context: Context,
  groupId: bigint,
  given: { ipv4?: string | null | undefined; ipv6?: string | null | undefined },
): Promise<{ chosen: ChosenAddresses; faults: FieldFaults }> {
  const chosen: ChosenAddresses = { ipv4: null, ipv6: null };
  const faults: Record<string, string[]> = {};
  const wanted = (['ipv4', 'ipv6'] as const).filter((field) => given[field]);
  if (wanted.length === 0) return { chosen, faults };
  const ranges = (await rangesOfGroup(context.database, groupId)).filter(({ isOwn }) => isOwn);
  if (ranges.length === 0) {
    return { chosen, faults: { ips: ['can only be chosen in a group whose network has IP ranges of its own'] } };
  }
  for (const field of wanted) {
    const checked = checkOne(families[field], given[field] ?? '', ranges);
    if ('fault' in checked) faults[field] = [checked.fault];
    else chosen[field] = checked.ip;
  }
  if (chosen.ipv6 !== null && !(await isAnyHostInNetworks(context.database))) {
    faults.ipv6 = ['is not possible: no host here connects its VMs to networks (network mode bridge)'];
  }
  return { chosen, faults: { ...(await findTaken(context.database, chosen)), ...faults } };
}

function checkOne(
  family: 4 | 6,
  text: string,
  ranges: readonly { cidr: string }[],
): { ip: string } | { fault: string } {
  const ip = parseIp(text);
  if (ip?.family !== family) return { fault: `is not an IPv${family} address` };
  const own = ranges.map(({ cidr }) => parseIpRange(cidr, 'ip_range'));
  const range = own.find((one) => isInRange(one, ip));
  if (!range) return { fault: "is not in an IP range of the group's network" };
  const reason = whyReserved(range, ip);
  return reason === null ? { ip: formatIp(family, ip.value) } : { fault: reason };
}

/**
 * Makes sure in the transaction that writes a VM that nobody has the chosen addresses.
 * @throws InvalidFields
 */
export async function requireFree(tx: Tx, chosen: ChosenAddresses): Promise<void> {
  const faults = await findTaken(tx, chosen);
  if (Object.keys(faults).length > 0) throw new InvalidFields(faults);
}

async function findTaken(database: Database, chosen: ChosenAddresses): Promise<FieldFaults> {
  const faults: Record<string, string[]> = {};
  for (const field of ['ipv4', 'ipv6'] as const) {
    const ip = chosen[field];
    if (ip === null || !(await isHeld(database, ip))) continue;
    const holder = await findHeld(database, ip);
    const isDeleted = holder?.status === 'soft-deleted';
    faults[field] = [isDeleted ? 'is kept by a deleted virtual machine' : 'is in use by another virtual machine'];
  }
  return faults;
}

/** A VM on its way from one group to another. */
export interface Move {
  instanceId: string;
  hostId: string;
  fromGroupId: bigint;
  toGroupId: bigint;
  /** Whether it is switched off. */
  isOff: boolean;
}

/**
 * Gives a VM that moves to another group addresses of that group's network, where its own are not of it. The caller holds
 * the host's row and the instance's, and gives the host its order.
 * @returns whether any changed
 * @throws BerthError `wrong_state` where they would change while it is on, or while it has additional ones
 */
export async function moveAddresses(tx: Tx, move: Move): Promise<boolean> {
  const { instanceId, hostId, fromGroupId, toGroupId } = move;
  const [from, to] = await Promise.all([rangesOfGroup(tx, fromGroupId), rangesOfGroup(tx, toGroupId)]);
  const held = await listHeld(tx, [instanceId]);
  const mainOf = (family: 4 | 6) => held.find((address) => address.family === family && !address.isAdditional);
  const hasOwn = (ranges: typeof to, family: 4 | 6) => ranges.some((range) => range.isOwn && isOf(range, family));
  const changes4 = hasOwn(from, 4) || hasOwn(to, 4);
  const range6 =
    (await networkModeOf(tx, hostId)) === 'bridge'
      ? to.filter((range) => isOf(range, 6)).sort((a, b) => Number(b.isOwn) - Number(a.isOwn))[0]
      : undefined;
  const main6 = mainOf(6);
  const changes6 = main6 ? !(range6 && isIn(range6, main6.ip)) : range6 !== undefined;
  if (!changes4 && !changes6) return false;
  const wrong = (reason: string) => new BerthError('wrong_state', reason, 'group_id');
  const elsewhere = 'Its addresses change with the move to a group with another network';
  if (!move.isOff) throw wrong(`${elsewhere}; it has to be off.`);
  if (held.some(({ isAdditional }) => isAdditional)) throw wrong(`${elsewhere}; delete its additional ones first.`);
  const rules = await listPortRules(tx, instanceId);
  const gone = held.filter(({ family }) => (family === 4 ? changes4 : changes6));
  await releaseAddresses(
    tx,
    gone.map(({ ip }) => ip),
  );
  const address = { instanceId, isAdditional: false, reason: null };
  if (changes4 && (await takeIpv4(tx, { groupId: toGroupId, hostId }, address)) === undefined) throw networkFull();
  if (changes6 && range6) {
    const ip = addressFromHardware(parseIpRange(range6.cidr, 'ip_range'), macAddressOf(instanceId));
    if (!(await claimAddress(tx, ip, address))) {
      throw wrong('A virtual machine with the same hardware address is in the network of that group.');
    }
  }
  await replacePortRules(tx, instanceId, rules);
  return true;
}

const isOf = ({ cidr }: { cidr: string }, family: 4 | 6) => cidr.includes(':') === (family === 6);

function isIn({ cidr }: { cidr: string }, text: string): boolean {
  const ip = parseIp(text);
  return ip !== null && isInRange(parseIpRange(cidr, 'ip_range'), ip);
}
