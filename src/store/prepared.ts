// Lets PostgreSQL parse a statement once per connection and keep its plan, not do both every time: with statements as long as
// ours that was two thirds of the database's work on a deployment.

import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';

/** How many statements a connection keeps. Ours are fewer; the rest is for lists, which make a text for each length. */
const statementsMax = 400;

/**
 * The same pool for the query builder, with each statement prepared under a name at its first use on a connection. Statements
 * without parameters (`begin`, `commit`) go the simple way, in one message.
 * @param pool connections that keep their session; so not a PgBouncer that shares one among transactions
 */
export function preparing(pool: pg.Pool): PostgresPool {
  let generation = 0;
  let names = new Map<string, string>();

  /** The name of a statement, or none when there are too many already. */
  function nameOf(text: string): string | undefined {
    const known = names.get(text);
    if (known !== undefined || names.size >= statementsMax) return known;
    const name = `berth_${generation}_${names.size}`;
    names.set(text, name);
    return name;
  }

  /** Runs a statement, prepared if it can be. */
  function run(client: pg.PoolClient, text: string, values: unknown[]): Promise<pg.QueryResult> {
    const name = values.length > 0 ? nameOf(text) : undefined;
    return name === undefined ? client.query(text, values) : client.query({ name, text, values });
  }

  async function runAgainIfOutdated(client: pg.PoolClient, text: string, values: unknown[]): Promise<pg.QueryResult> {
    const began = generation;
    try {
      return await run(client, text, values);
    } catch (error) {
      if (!isOutdated(error)) throw error;
      // Another server has migrated the schema: from here on every connection prepares anew.
      if (generation === began) {
        generation += 1;
        names = new Map();
      }
      // In a transaction that is refused: it has to begin again as a whole.
      return await run(client, text, values).catch(() => Promise.reject(error));
    }
  }

  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      const query = (text: string, values: readonly unknown[]) => runAgainIfOutdated(client, text, [...values]);
      // Its other form, with a cursor, is for a query builder that was given one.
      return { query: query as unknown as PostgresPoolClient['query'], release: (destroy) => client.release(destroy) };
    },
    end: () => pool.end(),
  };
}

/**
 * Whether an error says that a prepared statement would give other columns than when it was prepared, because the schema has
 * changed since. It comes before the statement does anything.
 */
export function isOutdated(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.routine === 'RevalidateCachedQuery';
}
