// Brings the schema up to date: numbered files, applied once each, in order, forward only. What was applied is remembered
// with its checksum, so that a file edited after the fact is noticed rather than believed.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Where the migrations are. */
export const schemaDirectory = fileURLToPath(new URL('../../schema', import.meta.url));

/** Any number does, as long as every replica takes the same. */
const migrationLock = 4_242_001;
const serverVersionMin = 150_000;
const migrationName = /^\d{4}_\w+\.sql$/;

/**
 * Applies the migrations that the database has not seen. Replicas that start together wait for each other.
 * @param directory holds `0001_name.sql` …
 * @returns the names applied now
 * @throws Error when PostgreSQL is older than 15, when an applied file has changed, or when the database is newer than this Berth
 */
export async function migrate(database: Database, directory: string): Promise<string[]> {
  const files = (await readdir(directory)).filter((name) => migrationName.test(name)).sort();
  return database.transaction().execute(async (tx) => {
    const version = await sql<{ version: string }>`select current_setting('server_version_num') as version`.execute(tx);
    if (Number(version.rows[0]?.version) < serverVersionMin) throw new Error('Berth needs PostgreSQL 15 or later.');
    await sql`select pg_advisory_xact_lock(${migrationLock})`.execute(tx);
    await sql`create table if not exists migration (
      name text primary key, sha256 text not null, applied_at timestamptz not null default now())`.execute(tx);
    const known = await sql<{ name: string; sha256: string }>`select name, sha256 from migration`.execute(tx);
    const applied = new Map(known.rows.map((row) => [row.name, row.sha256]));
    const newer = [...applied.keys()].filter((name) => !files.includes(name));
    if (newer.length > 0) throw new Error(`The database was used by a newer Berth (it has ${newer.join(', ')}).`);

    const now: string[] = [];
    for (const name of files) {
      const text = await readFile(join(directory, name), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      const before = applied.get(name);
      if (before === sha256) continue;
      if (before) throw new Error(`Migration ${name} was changed after it was applied; add a new one instead.`);
      await sql.raw(text).execute(tx);
      await sql`insert into migration (name, sha256) values (${name}, ${sha256})`.execute(tx);
      now.push(name);
    }
    return now;
  });
}

/** Whether a database has exactly the migrations of this Berth. Writes nothing. */
export async function isMigrated(database: Database, directory: string): Promise<boolean> {
  const files = (await readdir(directory)).filter((name) => migrationName.test(name)).sort();
  const there = await sql<{ there: boolean }>`select to_regclass('migration') is not null as there`.execute(database);
  if (!there.rows[0]?.there) return false;
  const { rows } = await sql<{ name: string }>`select name from migration`.execute(database);
  const applied = rows.map(({ name }) => name).sort();
  return applied.length === files.length && applied.every((name, index) => name === files[index]);
}
