// Groups' networks and the ranges that addresses in them come from, for who runs the cluster.

import { BerthError, shown } from '../model/errors.ts';
import { capacityOf, formatRange, parseIpRange } from '../model/ip-range.ts';
import { findOverlappingPool, lockAddressPools } from '../store/address-pool.ts';
import { inTransaction } from '../store/database.ts';
import {
  deleteIpRangesOf,
  findOverlappingRange,
  type IpRangeRow,
  insertIpRange,
  listIpRanges as readIpRanges,
} from '../store/ip-range.ts';
import { findOverlappingConsolePool } from '../store/management-address.ts';
import { deleteVlan, ensureVlan, lockVlan, listVlans as readVlans, type VlanRow } from '../store/vlan.ts';
import type { Context } from './context.ts';

/** Numbers of networks have 24 bits. */
const vlanNumMax = 0xff_ffff;

/** A range with how many addresses of it are free. */
export interface IpRange extends IpRangeRow {
  available: bigint;
}

/** A network with its ranges. */
export interface Vlan extends VlanRow {
  ranges: IpRange[];
}

const withAvailable = (row: IpRangeRow): IpRange => ({
  ...row,
  available: capacityOf(parseIpRange(row.cidr, 'ip_range')) - row.used,
});

/** Ranges: all, or those that are asked for. */
export async function listIpRanges(context: Context, filter: { cidr?: string } = {}): Promise<IpRange[]> {
  const { cidr } = filter;
  const by = cidr === undefined ? {} : { cidr: formatRange(parseIpRange(cidr, 'cidr')) };
  return (await readIpRanges(context.database, by)).map(withAvailable);
}

/** One range. @throws BerthError `not_found` */
export async function showIpRange(context: Context, id: bigint): Promise<IpRange> {
  const [row] = await readIpRanges(context.database, { id });
  if (!row) throw new BerthError('not_found', `There is no IP range ${id}.`, String(id));
  return withAvailable(row);
}

/**
 * Gives a network a range, from which the addresses of VMs that are made there come from now on; or all networks that have
 * none of their own, where no number is given.
 * @throws BerthError `invalid_value` where it is no range; `name_taken` where it overlaps another, or a host's pool
 */
export async function addIpRange(context: Context, given: { range: string; vlanNum: number | null }): Promise<IpRange> {
  const { vlanNum } = given;
  if (vlanNum !== null) checkVlanNum(vlanNum);
  const range = parseIpRange(given.range, 'ip_range');
  if (vlanNum === null && range.family === 4) {
    const message = "An IPv4 range is a network's: addresses of other groups come from their hosts' pools.";
    throw new BerthError('invalid_value', message, 'vlan_num');
  }
  const cidr = formatRange(range);
  const now = context.clock.now();
  const id = await inTransaction(context.database, async (tx) => {
    await lockAddressPools(tx);
    const other =
      (await findOverlappingPool(tx, cidr))?.cidr ??
      (await findOverlappingRange(tx, cidr)) ??
      (await findOverlappingConsolePool(tx, cidr));
    if (other) throw new BerthError('name_taken', `${shown(cidr)} overlaps ${other}.`, 'ip_range');
    if (vlanNum !== null) await ensureVlan(tx, { num: vlanNum, now });
    return await insertIpRange(tx, { cidr, vlanNum, now });
  });
  return await showIpRange(context, id);
}

/** @throws BerthError `invalid_value` where it is no number of a network */
export function checkVlanNum(num: number): void {
  if (Number.isInteger(num) && num >= 1 && num <= vlanNumMax) return;
  throw new BerthError('invalid_value', `vlan_num must be a whole number from 1 to ${vlanNumMax}.`, 'vlan_num');
}

/** Networks: all, or those that are asked for. */
export async function listVlans(context: Context, filter: { num?: number } = {}): Promise<Vlan[]> {
  const vlans = await readVlans(context.database, filter);
  const ranges = await readIpRanges(context.database, { vlanNums: vlans.map(({ num }) => num) });
  const byVlan = Map.groupBy(ranges.map(withAvailable), ({ vlanNum }) => vlanNum);
  return vlans.map((vlan) => ({ ...vlan, ranges: byVlan.get(vlan.num) ?? [] }));
}

/** One network by its number. @throws BerthError `not_found` */
export async function showVlan(context: Context, num: number): Promise<Vlan> {
  const [vlan] = await listVlans(context, { num });
  if (!vlan) throw new BerthError('not_found', `There is no VLAN ${num}.`, String(num));
  return vlan;
}

/**
 * Takes a network away that no group has, with its ranges.
 * @param id not its number
 * @throws BerthError `not_found`, `wrong_state`
 */
export async function removeVlan(context: Context, id: bigint): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const num = await lockVlan(tx, id);
    if (num === undefined) throw new BerthError('not_found', `There is no VLAN with the id ${id}.`, String(id));
    const [vlan] = await readVlans(tx, { id });
    if (vlan?.groupId != null) {
      throw new BerthError('wrong_state', `VLAN ${num} is the network of group ${vlan.groupId}; delete that first.`);
    }
    const held = (await readIpRanges(tx, { vlanNums: [num] })).filter(({ used }) => used > 0n);
    if (held.length > 0) {
      throw new BerthError('wrong_state', `Addresses of ${held.map(({ cidr }) => cidr).join(', ')} are in use.`);
    }
    await deleteIpRangesOf(tx, num);
    await deleteVlan(tx, id);
  });
}
