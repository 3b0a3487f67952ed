// "An error was answered, yet it runs and bills" can't happen: a container or server whose commit was carried out, with the
// database's answer lost, is answered as what it is.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { reachGroup } from '../../src/app/access.ts';
import { findContainer, startContainer } from '../../src/app/container.ts';
import { createVm } from '../../src/app/vm-create.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { letSlot, priceIdOf, startFields, startRequest } from './container.ts';
import { MoneyWorld } from './world.ts';

let world: MoneyWorld;
let directory: string;
let proxy: Server;
/** The next commit goes through, and its answer does not come back. */
let losesCommit = false;
let database: Database;

before(async () => {
  world = await MoneyWorld.start();
  directory = await mkdtemp(join(tmpdir(), 'berth-lost-'));
  const behind = new URL(world.connectionString);
  const folder = decodeURIComponent(behind.hostname || behind.host.split(':')[0] || '');
  const name = `.s.PGSQL.${behind.port || 5432}`;
  proxy = createServer((client) => {
    const server = connect(join(folder, name));
    let isLost = false;
    client.on('data', (bytes) => {
      if (losesCommit && /\bcommit\b/i.test(bytes.toString('latin1'))) {
        [isLost, losesCommit] = [true, false];
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      // PostgreSQL has answered, so it is done; the one who asked hears nothing but a closed line.
      if (isLost) client.destroy();
      else client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }).listen(join(directory, name));
  database = openDatabase(
    world.connectionString.replace(encodeURIComponent(folder), encodeURIComponent(directory)),
    () => {},
  );
});
after(async () => {
  await database.destroy();
  proxy.close();
  await world.end();
  await rm(directory, { recursive: true, force: true });
});

test('a start whose commit is not confirmed is looked for before anything is answered', async () => {
  const ann = await world.account(100_000_000n);
  const slotId = await letSlot(world, { hour: '1' });
  const request = startRequest(slotId, await priceIdOf(world, slotId, 'hour'));
  losesCommit = true;
  const { deploymentId } = await startContainer({ ...world.context, database }, ann, request, startFields);
  assert.equal(losesCommit, false, 'the answer to a commit was lost');
  assert.equal((await findContainer(world.context, ann, deploymentId)).deploymentId, deploymentId);
  const { rows } = { rows: await world.database.selectFrom('container').select('instance_id').execute() };
  assert.equal(rows.length, 1);
});

test('so is a server that is made', async () => {
  const { accountId } = await world.account(100_000_000n);
  const { number } = await world.database
    .selectFrom('account')
    .where('id', '=', accountId)
    .select('number')
    .executeTakeFirstOrThrow();
  const context = { ...world.context, database };
  const caller = { actor: 'bea', grants: [{ level: 'cluster_admin' as const }], user: null, apiKeyId: null };
  const at = await reachGroup(context, caller, { account: String(number), group: 'default' }, 'group_admin');
  const request = {
    attributes: { name: 'unheard', vcpus: 1, memoryMib: 1024 },
    disks: [{ label: 'root', grade: 'sata', sizeMib: 1024, schedules: [] }],
    imaging: null,
    addresses: { ipv4: null, ipv6: null },
  };
  losesCommit = true;
  const made = await createVm(context, at, request, { fields: {}, disks: [{}] });
  assert.equal(losesCommit, false, 'the answer to a commit was lost');
  const rows = await world.database.selectFrom('instance').where('name', '=', 'unheard').select('number').execute();
  assert.deepEqual(rows, [{ number: made.number }]);
});
