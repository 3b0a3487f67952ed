// Statements are prepared once per connection, not too many of them, and outlive a change of the schema under them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { type Database, inTransaction, openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { collectingLogger, scratch } from './embedded-scratch.ts';

/** What the connection in use has prepared, oldest first. */
async function preparedOn(database: Database): Promise<string[]> {
  const { rows } = await sql<{
    statement: string;
  }>`select statement from pg_prepared_statements order by prepare_time, name`.execute(database);
  return rows.map(({ statement }) => statement);
}

const readThing = (database: Database) => sql`select * from thing where id = ${1}`.execute(database);

test('prepared statements', async (t) => {
  const { dataDir } = await scratch(t);
  const server = await startEmbeddedPostgres({ dataDir, logger: collectingLogger() });
  const database = openDatabase(server.connectionString, () => {});
  await sql`create table thing (id int primary key)`.execute(database);
  await sql`insert into thing values (1)`.execute(database);

  await t.test('are prepared once on a connection, and those without parameters not at all', () =>
    database.connection().execute(async (connection) => {
      for (const _ of [1, 2, 3]) await readThing(connection);
      await sql`select 1`.execute(connection);
      assert.deepEqual(await preparedOn(connection), ['select * from thing where id = $1']);
    }),
  );

  await t.test('outlive a new column, in a transaction as outside one', () =>
    database.connection().execute(async (connection) => {
      for (const column of ['first', 'second']) {
        await readThing(connection);
        await sql`alter table thing add column ${sql.id(column)} int`.execute(connection);
        const read = column === 'first' ? readThing(connection) : inTransaction(connection, readThing);
        assert.ok(column in ((await read).rows[0] as object));
      }
    }),
  );

  await t.test('are limited in number: what comes later runs unprepared', () =>
    database.connection().execute(async (connection) => {
      for (let count = 1; count <= 450; count += 1) {
        const list = sql.join(Array.from({ length: count }, (_, index) => index));
        const { rows } = await sql<{ id: number }>`select id from thing where id in (${list})`.execute(connection);
        assert.equal(rows.length, count > 1 ? 1 : 0);
      }
      const count = (await preparedOn(connection)).length;
      assert.ok(count >= 350 && count <= 410, `${count} statements are prepared`);
    }),
  );

  await database.destroy();
  await server.stop();
});
