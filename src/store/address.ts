// Addresses, and the ports open on them. An address is held by an assignment or an orphan and goes with it; the schema
// refuses a second holder.

import { sql } from 'kysely';
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

/** Gives an orphan the address it uses, so that nobody else gets it; leaves it be when somebody already has it. */
export async function claimAddressForOrphan(database: Database, orphanId: string, ip: string): Promise<void> {
  await database
    .insertInto('address')
    .values({ ip, instance_id: null, orphan_id: orphanId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
