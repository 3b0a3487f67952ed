// What VMs are paid for: what their hosts hold for them, and the rates that they were deployed at.

import { sql } from 'kysely';
import type { InstanceStatus } from '../model/instance.ts';
import type { PricedVm, RateCard } from '../model/price.ts';
import type { Database } from './database.ts';
import { type RawRates, rateColumns, toRates } from './price.ts';

/** A VM that is billed, with what it is billed for. */
export interface BilledVm {
  instanceId: string;
  status: InstanceStatus;
  rates: RateCard;
  /** Cores and memory as they are held for it: what runs keeps what it was started with, until it is started anew. */
  vm: PricedVm;
}

/**
 * VMs that hosts have and that are billed, or those of them with these ids. Those from before there was a ledger, whose bills
 * are for nothing whatever their price, are left out.
 */
export async function listBilledVms(database: Database, instanceIds?: readonly string[]): Promise<BilledVm[]> {
  const among = instanceIds ? sql`and instance.id = any(${[...instanceIds]}::text[])` : sql``;
  const { rows } = await sql<RawRates & Omit<BilledVm, 'rates' | 'vm'> & PricedVm>`
    select instance.id as "instanceId", status, ${rateColumns}, assignment.vcpus, assignment.memory_mib as "memoryMib",
      coalesce((
        select jsonb_agg(jsonb_build_object('sizeMib', size_mib, 'grade', grade)) from disk
        where disk.instance_id = instance.id), '[]') as disks,
      (select count(*)::int from address where address.instance_id = instance.id and family(ip) = 4) as addresses
    from instance join assignment on assignment.instance_id = instance.id join price on price.id = price_id
      join bill on bill.instance_id = instance.id
    where kind = 'vm' and closed_at is null and status <> 'terminated'
      and bill.price_micro_usd = instance.price_micro_usd ${among}`.execute(database);
  return rows.map((row) => ({
    instanceId: row.instanceId,
    status: row.status,
    rates: toRates(row),
    vm: { vcpus: row.vcpus, memoryMib: row.memoryMib, disks: row.disks, addresses: row.addresses },
  }));
}
