// What must never be true is refused by the schema itself, whatever the code above it does: each of these is written past
// the code, straight into the tables, and fails.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openDatabase, sqlState } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { collectingLogger, scratch } from './embedded-scratch.ts';

const unique = '23505';
const foreignKey = '23503';
const check = '23514';
const restrict = '23001';
const exclusion = '23P01';

/** Rows that agree: an account, a price, a host with room for two, two instances of one deployment on it. */
const ground = (ids: Record<'account' | 'price' | 'host' | 'deployment', string>) => `
  insert into account values ('${ids.account}', 'a', now());
  insert into price values ('${ids.price}', 1, 1, 1, 1, now());
  insert into host (id, name, price_id, vcpu_overcommit, memory_overcommit, disk_overcommit, vcpus_limit, memory_mib_limit, disk_gib_limit, created_at)
    values ('${ids.host}', 'h', '${ids.price}', 1, 1, 1, 2, 2048, 10, now());
  insert into deployment values ('${ids.deployment}', '${ids.account}', now());
  insert into instance_name (group_id, name, deployment_id) values ((select id from "group" where account_id = '${ids.account}'), 'web', '${ids.deployment}');
  ${['1', '2']
    .map((digit) => {
      const id = `0x${digit.repeat(40)}`;
      return `insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus, memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at)
        values ('${id}', '${ids.account}', (select id from "group" where account_id = '${ids.account}'), '${ids.deployment}', 'vm', 'web', 'web', 'active', now(), '${ids.host}', 1, 1024, 'u', '{}', '${ids.price}', 1, now());
      insert into disk (id, instance_id, size_mib, storage_type) values ('${randomUUID()}', '${id}', 5120, 'SSD');
      insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
        values ('${id}', '${ids.host}', 1, ${digit}, 'running', 1, 1024, 5);
      insert into address (ip, instance_id) values ('10.0.0.${digit}', '${id}');
      insert into port_rule values ('10.0.0.${digit}', 'tcp', 22);`;
    })
    .join('\n')}
`;

const ids = {
  ...{ account: randomUUID(), price: randomUUID(), host: randomUUID(), deployment: randomUUID() },
  slot: randomUUID(),
};
/** A slot of the host, and a price of it. */
const slot = `insert into slot (id, host_id, name, vcpus, memory_mib, disk_gib, created_at)
  values ('${ids.slot}', '${ids.host}', 's', 1, 1024, 5, now());`;
const slotPrice = `insert into slot_price (id, slot_id, amount_micro_usd, unit, created_at)
  values (gen_random_uuid(), '${ids.slot}', 1, 'hour', now());`;
/** A storage pool of the host beside the default one, and what an instance takes of it. */
const pool = `insert into storage_pool (host_id, label, grades, storage_type, size_gib, free_gib, gib_limit)
  values ('${ids.host}', 'fast', '{ssd}', 'SSD', 10, 10, 10);`;
const inPool = (instanceId: string, gib: number) =>
  `insert into assignment_pool select '${instanceId}', id, ${gib} from storage_pool;`;
/** A quote that holds the slot. */
const quote = (
  id: string,
  more: string = "'open', null",
) => `insert into quote (id, account_id, kind, state, reason, count, vcpus, memory_mib,
    disk_gib, needed_micro_usd, actor, created_at, expires_at)
  values ('${id}', '${ids.account}', 'container', ${more}, 1, 1, 1024, 5, 1, 'a', now(), now() + interval '1 hour');`;
const hold = (
  id: string,
) => `insert into quote_hold (quote_id, host_id, count, vcpus, memory_mib, disk_gib, price_micro_usd, slot_id, slot_price_id)
  select '${id}', '${ids.host}', 1, 1, 1024, 5, 1, slot_id, id from slot_price;`;
const quotes = [randomUUID(), randomUUID()] as const;
const first = `0x${'1'.repeat(40)}`;
const second = `0x${'2'.repeat(40)}`;
const third = `0x${'3'.repeat(40)}`;

const forbidden: [what: string, state: string, statement: string][] = [
  ['an address that two instances hold', unique, `update address set ip = '10.0.0.1' where instance_id = '${second}'`],
  [
    'an address held by an instance and an orphan',
    unique,
    `insert into orphan (instance_id, host_id, state, seen_at) values ('${third}', '${ids.host}', 'running', now()); insert into address (ip, orphan_id) values ('10.0.0.1', '${third}')`,
  ],
  ['an instance with two addresses', unique, `insert into address (ip, instance_id) values ('10.0.0.3', '${first}')`],
  ['an address that nobody holds', check, "insert into address (ip) values ('10.0.0.3')"],
  [
    'an address of an instance that has no assignment',
    foreignKey,
    `insert into address (ip, instance_id) values ('10.0.0.3', '${third}')`,
  ],
  [
    'two IP ranges that overlap',
    exclusion,
    "insert into ip_range (cidr, created_at) values ('10.5.0.0/24', now()), ('10.5.0.128/25', now())",
  ],
  [
    'a range of a network that is not there',
    foreignKey,
    "insert into ip_range (cidr, vlan_num, created_at) values ('10.5.0.0/24', 4000, now())",
  ],
  [
    'two groups with one network',
    unique,
    `insert into "group" (account_id, name, vlan_num, created_at) values ('${ids.account}', 'b', 7, now()), ('${ids.account}', 'c', 7, now())`,
  ],
  [
    'a network whose number has more than 24 bits',
    check,
    'insert into vlan (num, created_at) values (16777216, now())',
  ],
  ['a port twice on one address', unique, "insert into port_rule values ('10.0.0.1', 'tcp', 22)"],
  ['a port on an address that nobody holds', foreignKey, "insert into port_rule values ('10.0.0.9', 'tcp', 22)"],
  ['a port that is none', check, "insert into port_rule values ('10.0.0.1', 'tcp', 65536)"],
  ['a protocol that is none', check, "insert into port_rule values ('10.0.0.1', 'icmp', 22)"],
  ['a host with more vCPUs sold than it has', check, 'update host set vcpus_used = 3'],
  ['a host with more memory sold than it has', check, 'update host set memory_mib_used = 2049'],
  ['a host with more disk sold than it has', check, 'update host set disk_gib_used = 11'],
  ['a host with less than nothing sold', check, 'update host set vcpus_used = -1'],
  ['a limit below what is sold', check, 'update host set vcpus_used = 2; update host set vcpus_limit = 1'],
  ['a price that changes', restrict, 'update price set vcpu_micro_usd = 2'],
  ['a price that goes', restrict, 'delete from price'],
  [
    'a name given to two deployments',
    unique,
    `insert into deployment values ('${randomUUID()}', '${ids.account}', now()); insert into instance_name (group_id, name, deployment_id) select "group".id, 'web', deployment.id from deployment join "group" using (account_id)`,
  ],
  ['an instance without an account', foreignKey, `update instance set account_id = '${randomUUID()}'`],
  ['an instance id in upper case', check, `update instance set id = upper(id)`],
  ['an instance in a state that is none', check, "update instance set status = 'paused'"],
  [
    'an instance with two first disks',
    unique,
    `insert into disk (id, instance_id, label, size_mib, storage_type) values ('${randomUUID()}', '${first}', 'b', 1, 'SSD')`,
  ],
  [
    'a VM with two disks of one label',
    unique,
    `insert into disk (id, instance_id, position, size_mib, storage_type) values ('${randomUUID()}', '${first}', 2, 1, 'SSD')`,
  ],
  ['a storage pool with more sold than it has', check, `${pool} ${inPool(first, 6)} ${inPool(second, 5)}`],
  [
    'a storage pool that shrinks below what is sold',
    check,
    `${pool} ${inPool(first, 6)} update storage_pool set gib_limit = 5`,
  ],
  ['an instance that takes less than nothing of a pool', check, `${pool} ${inPool(first, -1)}`],
  ['two storage pools of one label on a host', unique, `${pool} ${pool}`],
  [
    'two orders about one instance',
    unique,
    `insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
      values ('${first}', '${ids.host}', 1, 9, 'running', 1, 1024, 5)`,
  ],
  ['an order to do something unknown', check, "update assignment set desired = 'paused'"],
  [
    'an agent’s event twice',
    unique,
    `insert into event (kind, message, actor, agent_event_id, created_at) select 'k', 'm', 'agent', '${randomUUID()}', now() from generate_series(1, 2)`,
  ],
  [
    'an image from nowhere',
    check,
    "insert into image values (repeat('0', 32), 's', 'n', 'd', null, null, 'u', now(), now())",
  ],
  [
    'an answer kept twice for one key',
    unique,
    `insert into idempotency_record select '${ids.account}', 'k', '', 201, '[]', now() from generate_series(1, 2)`,
  ],
  ['a slot that two instances hold', unique, `${slot} update assignment set slot_id = '${ids.slot}'`],
  ['two slots of one name on a host', unique, `${slot} ${slot.replace(ids.slot, randomUUID())}`],
  ['two prices of a slot for one unit', unique, `${slot} ${slotPrice} ${slotPrice}`],
  ['a slot’s price that changes', restrict, `${slot} ${slotPrice} update slot_price set amount_micro_usd = 2`],
  ['a slot’s price that goes', restrict, `${slot} ${slotPrice} delete from slot_price`],
  [
    'a price that was withdrawn and comes back',
    restrict,
    `${slot} ${slotPrice} update slot_price set withdrawn_at = now(); update slot_price set withdrawn_at = null`,
  ],
  [
    'a slot that two quotes hold',
    unique,
    `${slot} ${slotPrice} ${quote(quotes[0])} ${quote(quotes[1])} ${hold(quotes[0])} ${hold(quotes[1])}`,
  ],
  ['a quote that is over and says not since when', check, quote(quotes[0], "'expired', null")],
  [
    'a quote that was lost for no reason',
    check,
    `${quote(quotes[0])} update quote set state = 'lost', closed_at = now()`,
  ],
  [
    'a quote that was used for a deployment that is not there',
    foreignKey,
    `${quote(quotes[0])} update quote set state = 'used', closed_at = now(), deployment_id = '${randomUUID()}'; set constraints all immediate`,
  ],
  [
    'a quote that was used for nothing',
    check,
    `${quote(quotes[0])} update quote set state = 'used', closed_at = now()`,
  ],
  [
    'a hold of VMs that has a slot',
    check,
    `${slot} ${slotPrice} ${quote(quotes[0])} ${hold(quotes[0])} update quote_hold set price_id = '${ids.price}'`,
  ],
  [
    'a VM that holds a slot’s price',
    check,
    `${slot} ${slotPrice} update instance set slot_price_id = (select id from slot_price)`,
  ],
];

test('the schema refuses what must never be true', async (t) => {
  const { dataDir } = await scratch(t);
  const server = await startEmbeddedPostgres({ dataDir, logger: collectingLogger() });
  const database = openDatabase(server.connectionString, () => {});
  try {
    await migrate(database, join(import.meta.dirname, '../../schema'));
    await sql.raw(ground(ids)).execute(database);
    for (const [what, state, statement] of forbidden) {
      await t.test(what, async () => {
        await assert.rejects(
          database.transaction().execute((tx) => sql.raw(statement).execute(tx)),
          (error) => {
            assert.equal(sqlState(error), state, String(error));
            return true;
          },
        );
      });
    }
    await t.test('what a host holds goes with its assignment', async () => {
      await sql.raw(`delete from assignment where instance_id = '${first}'`).execute(database);
      const { rows } = await sql<{
        ip: string;
      }>`select host(ip) as ip from address union all select host(ip) from port_rule`.execute(database);
      assert.deepEqual([...new Set(rows.map(({ ip }) => ip))], ['10.0.0.2']);
    });
  } finally {
    await database.destroy();
    await server.stop();
  }
});
