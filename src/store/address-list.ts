// Addresses of VMs, as whoever sees the VMs lists them.

import { type Expression, type SqlBool, sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';
import type { HeldAddress } from './address.ts';
import type { Database } from './database.ts';
import { inSight } from './sight.ts';

/** An address, and what it was asked for. */
export type SeenAddress = HeldAddress & { reason: string | null };

/** Which of the addresses in sight are asked for; what is left out does not narrow. */
export interface AddressFilter {
  ips?: readonly string[] | undefined;
  instanceId?: string | undefined;
  accountId?: string | undefined;
  family?: 4 | 6 | undefined;
  isAdditional?: boolean | undefined;
}

/** Part of a list that is sorted by address. */
export interface AddressWindow {
  limit: number;
  /** The address before the first; null for the beginning. */
  after: string | null;
}

/** Addresses that are in sight and asked for, IPv4 before IPv6; one more than the window takes, if there is one. */
export async function listSeenAddresses(
  database: Database,
  sight: Sight,
  filter: AddressFilter,
  { limit, after }: AddressWindow,
): Promise<SeenAddress[]> {
  const { ips, instanceId, accountId, family, isAdditional } = filter;
  const rows = await database
    .selectFrom('address')
    .innerJoin('instance', 'instance.id', 'address.instance_id')
    .where('kind', '=', 'vm')
    .where('status', 'not in', ['deleting', 'deleted'])
    .where(inSight(sight))
    .where((eb) => {
      const conditions: Expression<SqlBool>[] = [];
      if (ips !== undefined) conditions.push(sql<boolean>`ip = any(${[...ips]}::inet[])`);
      if (instanceId !== undefined) conditions.push(eb('address.instance_id', '=', instanceId));
      if (accountId !== undefined) conditions.push(eb('instance.account_id', '=', accountId));
      if (family !== undefined) conditions.push(sql<boolean>`family(ip) = ${family}`);
      if (isAdditional !== undefined) conditions.push(eb('additional', '=', isAdditional));
      if (after !== null) conditions.push(sql<boolean>`ip > ${after}::inet`);
      return eb.and(conditions);
    })
    .select(['ip', sql<4 | 6>`family(ip)`.as('family'), 'instance.id as instance_id', 'additional'])
    .select(['reverse_name', 'reason'])
    .orderBy('ip')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({
    ip: row.ip,
    family: row.family,
    instanceId: row.instance_id,
    isAdditional: row.additional,
    reverseName: row.reverse_name,
    reason: row.reason,
  }));
}
