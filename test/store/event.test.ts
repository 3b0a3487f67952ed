// Events on a real PostgreSQL, as many at once as an account can have instances.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { inTransaction, openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { insertEvents } from '../../src/store/event.ts';
import { placeDatabase } from '../support/template.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

test('more events than one statement has parameters for are written, in their order, all or none', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-event-'));
  await chmod(directory, 0o755);
  t.after(() => rm(directory, { recursive: true, force: true }));
  t.after(await placeDatabase(join(directory, 'postgres')));
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: silent });
  t.after(() => postgres.stop());
  const database = openDatabase(postgres.connectionString, () => {});
  t.after(() => database.destroy());

  const events = Array.from({ length: 10_001 }, (_, index) => ({
    ...{ accountId: null, instanceId: null, hostId: null, kind: 'test.many', message: String(index), actor: 'berth' },
    createdAt: new Date('2026-03-01T12:00:00Z'),
  }));
  const read = async () => {
    const { rows } = await sql<{ message: string }>`
      select message from event where kind = 'test.many' order by id`.execute(database);
    return rows.map(({ message }) => message);
  };
  const lastIsWrong = events.with(-1, { ...events[0], hostId: 'no id' } as never);
  await assert.rejects(inTransaction(database, (tx) => insertEvents(tx, lastIsWrong)));
  assert.deepEqual(await read(), []);
  await inTransaction(database, (tx) => insertEvents(tx, events));
  assert.deepEqual(
    await read(),
    events.map(({ message }) => message),
  );
});
