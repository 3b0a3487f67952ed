// Migrations on every PostgreSQL that this machine has: applied once, in order, all of a start or nothing of it, and never
// believed when edited.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { type BinarySource, findPostgresBinaries } from '../../src/store/embedded/binaries.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { collectingLogger, scratch } from './embedded-scratch.ts';

const schema = join(import.meta.dirname, '../../schema');

/** An empty database and an empty folder for migrations. */
interface Ground {
  database: Database;
  connectionString: string;
  directory: string;
  write(name: string, text: string): Promise<void>;
  tables(): Promise<string[]>;
}

const cases: [behaviour: string, run: (ground: Ground) => Promise<void>][] = [
  [
    'Berth’s own schema is applied once; a second run does nothing',
    async ({ database }) => {
      const applied = await migrate(database, schema);
      assert.ok(applied.includes('0001_spine.sql'));
      assert.deepEqual(applied, applied.toSorted());
      assert.deepEqual(await migrate(database, schema), []);
      const { rows } = await sql<{
        name: string;
        sha256: string;
      }>`select name, sha256 from migration order by name`.execute(database);
      assert.deepEqual(
        rows.map(({ name }) => name),
        applied,
      );
      for (const { sha256 } of rows) assert.match(sha256, /^[0-9a-f]{64}$/);
    },
  ],
  [
    'who was a user of an account runs it from then on',
    async ({ database, directory }) => {
      const isBefore = (name: string) => basename(name) < '0009';
      await cp(schema, directory, { recursive: true, filter: (name) => name === schema || isBefore(name) });
      await migrate(database, directory);
      const [account, user] = [randomUUID(), randomUUID()];
      await sql`insert into account (id, name, created_at) values (${account}, 'acme', now())`.execute(database);
      await sql`insert into "user" (id, account_id, username, password_hash, created_at)
        values (${user}, ${account}, 'ann', 'x', now())`.execute(database);
      await cp(schema, directory, { recursive: true });
      await migrate(database, directory);
      const { rows } = await sql<object>`select user_id, level, account_id, password_required from privilege`.execute(
        database,
      );
      assert.deepEqual(rows, [{ user_id: user, level: 'account_admin', account_id: account, password_required: true }]);
    },
  ],
  [
    'files are applied in the order of their numbers, a later one alone, and other files not at all',
    async ({ database, directory, write }) => {
      await write('0002_second.sql', 'alter table kept add column b int;');
      await write('0001_first.sql', 'create table kept (a int);');
      await write('notes.txt', 'drop everything');
      await write('10_wrong.sql', 'drop everything');
      assert.deepEqual(await migrate(database, directory), ['0001_first.sql', '0002_second.sql']);
      await write('0010_third.sql', 'alter table kept add column c int;');
      assert.deepEqual(await migrate(database, directory), ['0010_third.sql']);
    },
  ],
  [
    'a file that was edited after it was applied is refused, and nothing is applied',
    async ({ database, directory, write, tables }) => {
      await write('0001_first.sql', 'create table kept (a int);');
      await migrate(database, directory);
      await write('0001_first.sql', 'create table kept (a int, b int);');
      await write('0002_second.sql', 'create table more (a int);');
      await assert.rejects(migrate(database, directory), /0001_first\.sql was changed after it was applied/);
      assert.deepEqual(await tables(), ['kept', 'migration']);
    },
  ],
  [
    'a database that a newer Berth has used is refused',
    async ({ database, directory, write }) => {
      await write('0001_first.sql', 'create table kept (a int);');
      await write('0002_second.sql', 'create table more (a int);');
      await migrate(database, directory);
      await rm(join(directory, '0002_second.sql'));
      await assert.rejects(migrate(database, directory), /newer Berth \(it has 0002_second\.sql\)/);
    },
  ],
  [
    'a file that fails undoes those before it of the same run',
    async ({ database, directory, write, tables }) => {
      await write('0001_first.sql', 'create table kept (a int);');
      await write('0002_second.sql', 'create table more (a int); select 1 / 0;');
      await assert.rejects(migrate(database, directory), /division by zero/);
      assert.deepEqual(await tables(), []);
      await write('0002_second.sql', 'create table more (a int);');
      assert.deepEqual(await migrate(database, directory), ['0001_first.sql', '0002_second.sql']);
    },
  ],
  [
    'of replicas that start together one applies everything, and the others find it done',
    async ({ connectionString, directory }) => {
      await cp(schema, directory, { recursive: true });
      const replicas = Array.from({ length: 4 }, () => openDatabase(connectionString, () => {}));
      try {
        const applied = await Promise.all(replicas.map((replica) => migrate(replica, directory)));
        assert.equal(applied.filter((names) => names.length > 0).length, 1);
      } finally {
        await Promise.all(replicas.map((replica) => replica.destroy()));
      }
    },
  ],
  [
    'a PostgreSQL that is too old is refused',
    async ({ connectionString, directory, write, tables, database }) => {
      // No such server is at hand, so this one is made to say that it is older than it is.
      await sql`create function public.current_setting(text) returns text language sql as $$ select '140022' $$`.execute(
        database,
      );
      const older = openDatabase(
        `${connectionString}?options=${encodeURIComponent('-c search_path=public,pg_catalog')}`,
        () => {},
      );
      try {
        await write('0001_first.sql', 'create table kept (a int);');
        await assert.rejects(migrate(older, directory), /needs PostgreSQL 15 or later/);
        assert.deepEqual(await tables(), []);
      } finally {
        await older.destroy();
      }
    },
  ],
];

async function onEmptyGround(connectionString: string, run: (ground: Ground) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-migrate-'));
  const database = openDatabase(connectionString, () => {});
  try {
    await sql`drop schema public cascade`.execute(database);
    await sql`create schema public`.execute(database);
    await run({
      database,
      connectionString,
      directory,
      write: (name, text) => writeFile(join(directory, name), text),
      async tables() {
        const { rows } = await sql<{ name: string }>`
          select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(database);
        return rows.map(({ name }) => name);
      },
    });
  } finally {
    await database.destroy();
    await rm(directory, { recursive: true, force: true });
  }
}

async function onPostgres(t: TestContext, source: BinarySource): Promise<void> {
  const { dataDir } = await scratch(t);
  const server = await startEmbeddedPostgres({ dataDir, logger: collectingLogger(), binaries: source });
  for (const [behaviour, run] of cases) {
    await t.test(`${behaviour} (PostgreSQL ${server.majorVersion})`, () => onEmptyGround(server.connectionString, run));
  }
  await server.stop();
}

const sources: BinarySource[] = [];
for (const source of ['debian', 'npm'] as const) {
  await findPostgresBinaries({ source }).then(
    () => sources.push(source),
    () => {},
  );
}

test('there is a PostgreSQL to test on', () => assert.ok(sources.length > 0));
for (const source of sources) test(`migrations on the PostgreSQL of ${source}`, (t) => onPostgres(t, source));
