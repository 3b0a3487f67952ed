// Deployments per second through the whole API, against the same rows written by a bare loop over `pg`: what Berth's own
// code costs beside what the database costs. In turns, in one run, because these machines drift.

import pg from 'pg';
import { ensureLocalHost } from '../src/app/bootstrap.ts';
import { systemEntropy } from '../src/compose/system.ts';
import { newInstanceId, newUuid } from '../src/model/id.ts';
import { defaultGroupOf } from '../src/store/group.ts';
import { Customer, median, rate, startStack } from './stack.ts';

const turns = 5;
const turnMs = 4_000;
const clients = 32;
const connections = 8;

let serial = 0;

/** The rows of one deployment, one statement each, as anybody would write them first. */
async function writeRows(
  client: pg.Client,
  row: { accountId: string; groupId: string; hostId: string; priceId: string },
): Promise<void> {
  const now = new Date();
  const [id, deployment, disk] = [newInstanceId(systemEntropy), newUuid(systemEntropy), newUuid(systemEntropy)];
  serial += 1;
  const name = `bare-${serial}`;
  const ip = `11.${(serial >> 16) & 255}.${(serial >> 8) & 255}.${serial & 255}`;
  const { accountId, groupId, hostId, priceId } = row;
  await client.query('begin');
  await client.query('insert into deployment values ($1, $2, $3)', [deployment, accountId, now]);
  await client.query('insert into instance_name (group_id, name, deployment_id) values ($1, $2, $3)', [
    groupId,
    name,
    deployment,
  ]);
  const host = await client.query(
    'update host set revision = revision + 1, vcpus_used = vcpus_used + 1, memory_mib_used = memory_mib_used + 1024, disk_gib_used = disk_gib_used + 5 where id = $1 returning revision',
    [hostId],
  );
  await client.query('update address_pool set next_offset = next_offset + 1 where host_id = $1', [hostId]);
  await client.query(
    `insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus, memory_mib,
       image_url, ssh_keys, price_id, price_micro_usd, created_at)
     values ($1, $2, $10, $3, 'vm', $4, $4, 'launching', $5, $6, 1, 1024, $7, $8, $9, 135000, $5)`,
    [
      id,
      accountId,
      deployment,
      name,
      now,
      hostId,
      'https://images.example/disk.qcow2',
      ['ssh-ed25519 AAAA'],
      priceId,
      groupId,
    ],
  );
  await client.query('insert into vm (instance_id) values ($1)', [id]);
  await client.query("insert into disk (id, instance_id, size_mib, storage_type) values ($1, $2, 5120, 'NVMe')", [
    disk,
    id,
  ]);
  await client.query(
    `insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
     values ($1, $2, 1, $3, 'running', 1, 1024, 5)`,
    [id, hostId, host.rows[0].revision],
  );
  await client.query('insert into address (ip, instance_id) values ($1, $2)', [ip, id]);
  await client.query("insert into port_rule values ($1, 'tcp', 22), ($1, 'tcp', 80)", [ip]);
  const [charge, deposit] = [newUuid(systemEntropy), newUuid(systemEntropy)];
  await client.query(
    `insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, held_micro_usd,
       spent_micro_usd, funds_changed_at, created_at)
     values ($1, $2, $3, 'global-daily', $4, 135000, $4::timestamptz + interval '1 day', 135000, 135000, $4, $4)`,
    [id, accountId, hostId, now],
  );
  await client.query(
    `insert into ledger_transaction values ($1, 'charge', $3, $4, 'bench', 'bench', $5), ($2, 'deposit', $3, $4, 'bench', 'bench', $5)`,
    [charge, deposit, accountId, id, now],
  );
  await client.query(
    `insert into ledger_entry (transaction_id, book, account_id, host_id, amount_micro_usd)
     values ($1, 'available', $3, null, -135000), ($1, 'revenue', null, $4, 135000), ($2, 'available', $3, null, -135000),
       ($2, 'held', $3, null, 135000)`,
    [charge, deposit, accountId, hostId],
  );
  await client.query("insert into charge values ($1, $2, $2::timestamptz + interval '1 day', 135000, $3)", [
    id,
    now,
    charge,
  ]);
  await client.query(
    'insert into event (account_id, instance_id, host_id, kind, message, actor, data, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)',
    [
      accountId,
      id,
      hostId,
      'instance.placed',
      `Accepted and placed; its address is ${ip}.`,
      'bench',
      { address: ip },
      now,
    ],
  );
  await client.query('commit');
}

const stack = await startStack();
const customer = new Customer(stack, clients);
try {
  const { database } = stack.context;
  const bareHostId = await ensureLocalHost(stack.context, 'bare', '11.0.0.0/8');
  await database
    .updateTable('host')
    .set({ vcpus_limit: 2_000_000, memory_mib_limit: 2_000_000_000, disk_gib_limit: 100_000_000 })
    .where('id', '=', bareHostId)
    .execute();
  const account = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const price = await database.selectFrom('price').select('id').executeTakeFirstOrThrow();
  const group = await defaultGroupOf(database, account.id);
  const row = { accountId: account.id, groupId: String(group.id), hostId: bareHostId, priceId: price.id };
  const pool = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new pg.Client({ connectionString: stack.connectionString });
      await client.connect();
      return client;
    }),
  );
  const bareTurn = () => rate(connections, turnMs, (lane) => writeRows(pool[lane] as pg.Client, row));
  const berthTurn = () => rate(clients, turnMs, () => customer.deploy());
  await berthTurn();
  await bareTurn();
  customer.latenciesMs.length = 0;
  const berth: number[] = [];
  const bare: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    berth.push(await berthTurn());
    bare.push(await bareTurn());
  }
  for (const client of pool) await client.end();
  const latencies = customer.latenciesMs.sort((a, b) => a - b);
  const figure = {
    bench: 'deploy',
    ratio: Number(median(berth.map((value, turn) => value / (bare[turn] ?? 1))).toFixed(2)),
    deploysPerSecond: Math.round(median(berth)),
    bareLoopPerSecond: Math.round(median(bare)),
    p99Ms: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? 0),
    errors: customer.errors,
    clients,
    connections,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  customer.close();
  await stack.close();
}
