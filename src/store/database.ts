// The way in to PostgreSQL: the pool, how its types arrive here, and what a transaction is. Everything else in this folder
// is queries.

import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { isOutdated, preparing } from './prepared.ts';
import type { Tables } from './tables.ts';

/** A handle for reading, or for one statement that needs no transaction. */
export type Database = Kysely<Tables>;
/** A handle inside a transaction; functions that take one rely on the caller's locks. */
export type Tx = Transaction<Tables>;

/** More connections would only wait: every deployment on a host queues for that host's row. */
const connectionsMax = 10;
/** A statement that takes longer has gone wrong; the slowest of ours reads a thousand rows. */
const statementTimeoutMs = 15_000;
const connectTimeoutMs = 5_000;
/**
 * PostgreSQL takes a page somewhere on the disk to cost four times the next one, as on disks that turn, and so read all VMs through where
 * it was asked for fifty of ten thousand.
 */
const sessionOptions = '-c random_page_cost=1.1';
/** A transaction is tried again when PostgreSQL says that the fault was timing. */
const attemptsMax = 5;
const retryableSqlStates = new Set(['40001', '40P01']);

const int8Oid = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8Oid && format !== 'binary' ? (text: string) => BigInt(text) : pg.types.getTypeParser(oid, format),
};

/**
 * Opens a pool of connections.
 * @param connectionString as `pg` takes it: `postgres://…`, also with a unix socket's folder as `host`
 * @param onIdleError told when an idle connection breaks; the pool replaces it
 */
export function openDatabase(connectionString: string, onIdleError: (error: Error) => void): Database {
  const pool = new pg.Pool({
    connectionString,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    application_name: 'berth',
    options: sessionOptions,
    types,
  });
  pool.on('error', onIdleError);
  // The pool listens only to connections that are idle. One that breaks between two statements of a transaction would end
  // the process; whoever uses it learns of it from the next statement.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
}

/**
 * Runs `work` in one transaction, again from the start when PostgreSQL reports a deadlock or a serialization failure, or that the
 * schema was changed under a prepared statement; so `work` must have no effect but its statements. Inside a transaction it is a
 * part of that, which is undone by itself when it fails; starting over is then for whoever began the whole.
 * @param isolation `repeatable read` also fails, and starts over, where a row that is changed was changed since the first look
 * @throws whatever `work` throws, and the database's error when the attempts are used up
 */
export async function inTransaction<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
  isolation: 'read committed' | 'repeatable read' = 'read committed',
): Promise<Result> {
  if (database.isTransaction) return asPart(database as Tx, work);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction().setIsolationLevel(isolation).execute(work);
    } catch (error) {
      const mayGoWell = retryableSqlStates.has(sqlState(error) ?? '') || isOutdated(error);
      if (attempt >= attemptsMax || !mayGoWell) throw error;
    }
  }
}

async function asPart<Result>(tx: Tx, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  // One name for all: PostgreSQL means the innermost.
  await sql`savepoint part`.execute(tx);
  try {
    const result = await work(tx);
    await sql`release savepoint part`.execute(tx);
    return result;
  } catch (error) {
    // Where the connection is gone, so is everything; the first error is the one that tells.
    await sql`rollback to savepoint part`
      .execute(tx)
      .then(() => sql`release savepoint part`.execute(tx))
      .catch(() => {});
    throw error;
  }
}

/** PostgreSQL's five-character code of an error, where it is one of its errors. */
export function sqlState(error: unknown): string | undefined {
  // Only what PostgreSQL said itself: the system's own EPIPE has five letters, too.
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/**
 * Whether an error is the schema's refusal to let one address be held twice. A statement that writes addresses and their
 * open ports at once may stumble over the ports of the other holder first.
 */
export function isAddressTaken(error: unknown): boolean {
  return sqlState(error) === '23505' && ['address', 'port_rule'].includes((error as pg.DatabaseError).table ?? '');
}

/** Whether an error is the schema's refusal of a second row under this constraint. */
export function isTakenTwice(error: unknown, constraint: string): boolean {
  return sqlState(error) === '23505' && (error as pg.DatabaseError).constraint === constraint;
}

/** Whether an error is the schema's refusal to put something into a group that is there no more. */
export function isGroupGone(error: unknown): boolean {
  return sqlState(error) === '23503' && /_group_id_fkey$/.test((error as pg.DatabaseError).constraint ?? '');
}

/**
 * Whether an error is the schema's refusal of a row that refers to what is there no more: it was removed between the look at it
 * and the writing. What is still referred to and can't be removed is another matter.
 */
export function isReferenceGone(error: unknown): boolean {
  return sqlState(error) === '23503' && /^insert or update on table/.test((error as pg.DatabaseError).message);
}

/** Whether an error is the schema's refusal to let an account spend more than it has. */
export function isBalanceShort(error: unknown): boolean {
  return sqlState(error) === '23514' && (error as pg.DatabaseError).table === 'account_balance';
}

/**
 * Whether an error says that the database can't be reached or is starting or stopping, rather than that a query is wrong.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return state.startsWith('08') || state.startsWith('57P') || state === '53300';
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT'].includes(code)) return true;
  return /driver has already been destroyed|Connection terminated|timeout exceeded when trying to connect|is not queryable/.test(
    error.message,
  );
}
