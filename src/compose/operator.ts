// What the operator's commands work on: the database itself, whether or not a server runs beside it.

import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sql } from 'kysely';
import type { Context } from '../app/context.ts';
import { MarketView } from '../app/market.ts';
import { readSettings } from '../app/settings.ts';
import { isVaultOf, KeyVault, lockedVault, type Vault } from '../app/vault.ts';
import { Wakeups } from '../app/wakeups.ts';
import type { OpenedBerth, Where } from '../operator/command.ts';
import { type Database, isUnavailable, openDatabase } from '../store/database.ts';
import { findPlace } from '../store/embedded/place.ts';
import { isMigrated, schemaDirectory } from '../store/migrate.ts';
import { notifyHostsChanged } from '../store/notify.ts';
import { makeLogger } from './logger.ts';
import { readSecretKey } from './secret-key.ts';
import { systemClock, systemEntropy } from './system.ts';

/**
 * Opens a Berth's database.
 * @throws Error that says what to do when there is none, it doesn't run, or it is of another version
 */
export async function openForOperator({ data, databaseUrl }: Where): Promise<OpenedBerth> {
  const directory = resolve(data);
  const connectionString = databaseUrl ?? (await embeddedAt(directory));
  const settings = await readSettings(join(directory, 'settings.json'));
  const database = openDatabase(connectionString, () => {});
  try {
    await sql`select 1`.execute(database);
    if (!(await isMigrated(database, schemaDirectory))) {
      throw new Error(
        "The database is not at this Berth's version; start the server once, which brings it up to date.",
      );
    }
  } catch (error) {
    await database.destroy();
    if (!isUnavailable(error)) throw error;
    const which = databaseUrl ? 'The database' : `The database of ${directory}`;
    const remedy = databaseUrl ? 'check --database-url' : `start it by "berth up --data ${directory}"`;
    throw new Error(`${which} can't be reached (${(error as Error).message}); ${remedy}.`, { cause: error });
  }
  const context: Context = {
    database,
    clock: systemClock,
    entropy: systemEntropy,
    logger: makeLogger(process.stderr),
    settings,
    wakeups: new Wakeups((hostIds) => notifyHostsChanged(database, hostIds)),
    market: new MarketView(database),
    vault: await vaultAt(directory, database),
    allowedImageHosts: new Set(),
    allowedCallbackHosts: new Set(),
    publicUrl: '',
  };
  return { context, close: () => database.destroy() };
}

/** The servers' own vault, where their key is in this directory. */
async function vaultAt(directory: string, database: Database): Promise<Vault> {
  const key = await readSecretKey(join(directory, 'secret.key'));
  const vault = key && new KeyVault(key, systemEntropy);
  return vault && (await isVaultOf(database, vault)) ? vault : lockedVault;
}

async function embeddedAt(directory: string): Promise<string> {
  const cluster = join(directory, 'postgres');
  // Looked for first: finding its place would make directories and a system user.
  await access(cluster).catch(() => {
    throw new Error(
      `There is no database in ${directory}; give the --data directory of "berth up", or a --database-url.`,
    );
  });
  return (await findPlace(cluster)).connectionString;
}
