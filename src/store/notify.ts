// LISTEN and NOTIFY: one connection of its own that hears what has news, from whichever replica.

import { sql } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';

const hostChannel = 'berth_host_changed';
/** Deliveries of webhooks are due; who writes them, the database itself included, notifies it. */
export const webhookChannel = 'berth_webhook';
const reconnectMs = 1_000;

/** Tells every replica that something about these hosts has changed. */
export async function notifyHostsChanged(database: Database, hostIds: readonly string[]): Promise<void> {
  await sql`select pg_notify(${hostChannel}, host_id) from unnest(${[...hostIds]}::text[]) as host_id`.execute(
    database,
  );
}

/** What is done when something has news. */
export interface Listener {
  onHost(hostId: string): void;
  onWebhook(): void;
}

/**
 * Listens until `signal` aborts; reconnects by itself. What is notified while the connection is down is lost, so the
 * listener must not depend on it.
 */
export function listenForNews(connectionString: string, listener: Listener, signal: AbortSignal): void {
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
    client.on('notification', ({ channel, payload }) => {
      if (channel === webhookChannel) listener.onWebhook();
      else if (payload) listener.onHost(payload);
    });
    signal.addEventListener('abort', again, { once: true });
    try {
      await client.connect();
      await client.query(`listen ${hostChannel}; listen ${webhookChannel}`);
    } catch {
      again();
    }
  };
  void connect();
}
