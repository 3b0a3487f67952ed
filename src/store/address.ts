// Addresses, and the ports open on them. An address is held by an assignment or an orphan and goes with it; the schema
// refuses a second holder.

import { sql } from 'kysely';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Database, Tx } from './database.ts';

/** Replaces the ports that are open on an instance's address. */
export async function replacePortRules(tx: Tx, instanceId: string, rules: readonly PortRule[]): Promise<void> {
  await sql`
    delete from port_rule using address where port_rule.ip = address.ip and address.instance_id = ${instanceId}`.execute(
    tx,
  );
  if (rules.length === 0) return;
  await sql`
    insert into port_rule (ip, protocol, port)
    select address.ip, rule.protocol, rule.port
    from address, jsonb_to_recordset(${JSON.stringify(rules)}::jsonb) as rule (protocol text, port int)
    where address.instance_id = ${instanceId}`.execute(tx);
}

/** Leaves it to an instance's port rules alone which of its ports are open. */
export async function closeOtherPorts(tx: Tx, instanceId: string): Promise<void> {
  await tx
    .updateTable('vm')
    .set({ all_ports_open: false })
    .where('instance_id', '=', instanceId)
    .where('all_ports_open', '=', true)
    .execute();
}

/** Gives an orphan the address it uses, so that nobody else gets it; leaves it be when somebody already has it. */
export async function claimAddressForOrphan(database: Database, orphanId: string, ip: string): Promise<void> {
  await database
    .insertInto('address')
    .values({ ip, instance_id: null, orphan_id: orphanId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Who holds an address, and how. */
export interface HeldAddress {
  ip: string;
  family: 4 | 6;
  instanceId: string;
  isAdditional: boolean;
  reverseName: string | null;
}

/** The addresses of instances: of each the main ones first. */
export async function listHeld(database: Database, instanceIds: readonly string[]): Promise<HeldAddress[]> {
  const rows = await database
    .selectFrom('address')
    .where(sql<boolean>`instance_id = any(${[...instanceIds]}::text[])`)
    .select(['ip', sql<4 | 6>`family(ip)`.as('family'), 'instance_id', 'additional', 'reverse_name'])
    .orderBy('additional')
    .orderBy('family')
    .orderBy('ip')
    .execute();
  return rows.map((row) => ({
    ip: row.ip,
    family: row.family,
    instanceId: row.instance_id ?? '',
    isAdditional: row.additional,
    reverseName: row.reverse_name,
  }));
}

/** An address with the number and status of the instance that holds it; undefined when none does. */
export async function findHeld(
  database: Database,
  ip: string,
): Promise<(HeldAddress & { number: bigint; kind: InstanceKind; status: InstanceStatus }) | undefined> {
  const row = await database
    .selectFrom('address')
    .innerJoin('instance', 'instance.id', 'address.instance_id')
    .where('ip', '=', ip)
    .select(['ip', sql<4 | 6>`family(ip)`.as('family'), 'instance.id as instance_id', 'additional', 'reverse_name'])
    .select(['instance.number', 'kind', 'status'])
    .executeTakeFirst();
  return (
    row && {
      ip: row.ip,
      family: row.family,
      instanceId: row.instance_id,
      isAdditional: row.additional,
      reverseName: row.reverse_name,
      number: row.number,
      kind: row.kind,
      status: row.status,
    }
  );
}

/** Whether anything holds an address. */
export async function isHeld(database: Database, ip: string): Promise<boolean> {
  return (await database.selectFrom('address').where('ip', '=', ip).select('ip').executeTakeFirst()) !== undefined;
}

/** An address that an instance is to have. */
export interface NewAddress {
  instanceId: string;
  isAdditional: boolean;
  reason: string | null;
}

/** Others may take the address that was seen as free; each time the next one is tried. */
const takeAttemptsMax = 20;

/**
 * Takes the next free IPv4 address for an instance: of its group's own network, where that has ranges, of its host's pools
 * otherwise. The caller holds the host's row.
 * @returns undefined when there is none
 */
export async function takeIpv4(
  tx: Tx,
  from: { groupId: bigint; hostId: string },
  address: NewAddress,
): Promise<string | undefined> {
  for (let attempt = 1; attempt <= takeAttemptsMax; attempt += 1) {
    const { rows } = await sql<{ ip: string }>`
      with own_network as (
        select id, 2 ^ (32 - masklen(cidr)) - 3 as size from ip_range
        where family(cidr) = 4 and vlan_num = (select vlan_num from "group" where id = ${from.groupId}::bigint)
      ), own_pool as (
        update ip_range set next_offset = (next_offset + 1) % own_network.size::bigint
        from own_network where ip_range.id = own_network.id
        returning set_masklen(cidr::inet, 32) + 2 as first_ip, own_network.size::bigint as size, next_offset
      ), pool as (
        update address_pool set next_offset = (next_offset + 1) % size
        where host_id = ${from.hostId}::uuid and not exists (select from own_network)
        returning first_ip, size, next_offset
      )
      select host(ip) as ip from (
        select first_ip + (next_offset + size - 1 + generate_series(0, size - 1)) % size as ip
        from (select * from own_pool union all select * from pool) as source
      ) as candidate
      where not exists (select from address where address.ip = candidate.ip)
      limit 1`.execute(tx);
    const [free] = rows;
    if (!free) return undefined;
    if (await claimAddress(tx, free.ip, address)) return free.ip;
  }
  return undefined;
}

/** Takes this address for an instance. @returns false when somebody has it */
export async function claimAddress(tx: Tx, ip: string, address: NewAddress): Promise<boolean> {
  const claimed = await tx
    .insertInto('address')
    .values({ ip, instance_id: address.instanceId, additional: address.isAdditional, reason: address.reason })
    .onConflict((conflict) => conflict.column('ip').doNothing())
    .returning('ip')
    .executeTakeFirst();
  return claimed !== undefined;
}

/** Gives addresses back; their open ports go with them. */
export async function releaseAddresses(tx: Tx, ips: readonly string[]): Promise<void> {
  await tx
    .deleteFrom('address')
    .where(sql<boolean>`ip = any(${[...ips]}::inet[])`)
    .execute();
}

/** Gives each of two instances' addresses to the other one: the main ones and, where they are wanted too, the additional ones. */
export async function swapAddresses(
  tx: Tx,
  [one, other]: readonly [string, string],
  options: { withAdditional: boolean },
): Promise<void> {
  const held = await listHeld(tx, [one, other]);
  const moved = held.filter(({ isAdditional }) => options.withAdditional || !isAdditional).map(({ ip }) => ip);
  const main = held.filter(({ isAdditional }) => !isAdditional).map(({ ip }) => ip);
  // Nobody has two main addresses at any moment, which the schema forbids: so for a moment nobody has any.
  await sql`update address set additional = true where ip = any(${main}::inet[])`.execute(tx);
  await sql`update address set instance_id = case instance_id when ${one} then ${other} else ${one} end
    where ip = any(${moved}::inet[])`.execute(tx);
  await sql`update address set additional = false where ip = any(${main}::inet[])`.execute(tx);
}

/** The ports that are open on an instance's main address. */
export async function listPortRules(database: Database, instanceId: string): Promise<PortRule[]> {
  return await database
    .selectFrom('port_rule')
    .innerJoin('main_address', 'main_address.ip', 'port_rule.ip')
    .where('instance_id', '=', instanceId)
    .select(['port', 'protocol'])
    .orderBy('port')
    .orderBy('protocol')
    .execute();
}

/** Notes what an address is to be called in the other direction. */
export async function writeReverseName(database: Database, ip: string, name: string | null): Promise<void> {
  await database.updateTable('address').set({ reverse_name: name }).where('ip', '=', ip).execute();
}
