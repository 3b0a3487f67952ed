// Many VMs for benchmarks of lists, as rows that no host hears of.

import { sql } from 'kysely';
import type { Database } from '../src/store/database.ts';

/** Writes VMs as if a host that nobody hears of had them, a second apart. */
export async function insertVms(database: Database, vms: number): Promise<void> {
  await sql`
    with template as (select * from host limit 1), far as (
      insert into host (id, name, price_id, vcpu_overcommit, memory_overcommit, disk_overcommit, vcpus_limit, memory_mib_limit,
        disk_gib_limit, vcpus_used, memory_mib_used, disk_gib_used, reachable, created_at)
      select gen_random_uuid(), 'far', price_id, 1, 1, 1, ${vms}::int, ${vms}::int * 1024, ${vms}::int * 75, ${vms}::int,
        ${vms}::int * 1024, ${vms}::int * 75, true, now() from template returning id, price_id
    ), serial as (
      select n, '0x' || lpad(to_hex(n), 40, '0') as id, gen_random_uuid() as deployment_id,
        date_trunc('second', now()) - n * interval '1 second' as at
      from generate_series(1, ${vms}::int) n
    ), deployed as (
      insert into deployment (id, account_id, created_at) select deployment_id, account.id, now() from serial, account
    ), placed as (
      insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id,
        vcpus, memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at, activated_at)
      select serial.id, account.id, "group".id, deployment_id, 'vm', 'server-' || n, 'server-' || n, 'active', at, far.id,
        1, 1024, 'https://example.org/image.qcow2', '{}', far.price_id, 1, at, at
      from serial, account, "group", far
    ), assigned as (
      insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
      select serial.id, far.id, 1, 1, 'running', 1, 1024, 75 from serial, far
    ), made as (insert into vm (instance_id, last_imaged_with) select id, 'micro' from serial), addressed as (
      insert into address (ip, instance_id) select '10.200.0.0'::inet + n, id from serial
    ), opened as (
      insert into port_rule (ip, protocol, port)
      select '10.200.0.0'::inet + n, 'tcp', port from serial, unnest(array[22, 80, 443]) as port
    ), billed as (
      insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, funds_changed_at,
        created_at)
      select serial.id, account.id, far.id, 'global-daily', at, 1, now(), at, at from serial, account, far
    )
    insert into disk (id, instance_id, storage_type, size_mib, label, position)
    select gen_random_uuid(), serial.id, 'SSD', 25600, 'disc-' || position, position
    from serial, generate_series(1, 3) position`.execute(database);
  await sql`analyze`.execute(database);
}
