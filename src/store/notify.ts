// LISTEN and NOTIFY: one connection of its own that hears which hosts have news, from whichever replica.

import { sql } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';

const channel = 'berth_host_changed';
const reconnectMs = 1_000;

/** Tells every replica that something about these hosts has changed. */
export async function notifyHostsChanged(database: Database, hostIds: readonly string[]): Promise<void> {
  await sql`select pg_notify(${channel}, host_id) from unnest(${[...hostIds]}::text[]) as host_id`.execute(database);
}

/**
 * Listens until `signal` aborts; reconnects by itself. What is notified while the connection is down is lost, so the
 * listener must not depend on it.
 */
export function listenForHostChanges(
  connectionString: string,
  onHost: (hostId: string) => void,
  signal: AbortSignal,
): void {
  const connect = async () => {
    if (signal.aborted) return;
    const client = new pg.Client({ connectionString, application_name: 'berth listener', keepAlive: true });
    let over = false;
    const again = () => {
      if (over) return;
      over = true;
      client.end().catch(() => {});
      if (!signal.aborted) setTimeout(connect, reconnectMs).unref();
    };
    client.on('error', again);
    client.on('end', again);
    client.on('notification', (message) => message.payload && onHost(message.payload));
    signal.addEventListener('abort', again, { once: true });
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch {
      again();
    }
  };
  void connect();
}
