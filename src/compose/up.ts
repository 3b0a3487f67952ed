// The embedded default: server, database and an agent for this machine in one go, on one data directory.

import { chmod, mkdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { ensureFirstAccount, ensureLocalHost } from '../app/bootstrap.ts';
import type { Context } from '../app/context.ts';
import { makeEnrolmentToken } from '../app/host.ts';
import { readSettings } from '../app/settings.ts';
import { ensureFirstSlot } from '../app/slot-terms.ts';
import { hashPassword } from '../model/password.ts';
import { endpointOf, parseAllowedHost } from '../model/public-address.ts';
import type { Clock } from '../model/world.ts';
import { startEmbeddedPostgres } from '../store/embedded/index.ts';
import { acquireDataDirLock } from '../store/embedded/lock.ts';
import { type AgentOptions, readHostId, startAgent } from './agent.ts';
import { type Credentials, ensureCredentials } from './credentials.ts';
import { parseListenAddress } from './listen.ts';
import { ensureSecretKey } from './secret-key.ts';
import { type RunningServer, startServer } from './server.ts';
import { systemEntropy } from './system.ts';
import type { TlsOptions } from './tls.ts';

const firstSlotEveryMs = 3_000;

/** What `up` is started with. */
export interface UpOptions {
  dataDirectory: string;
  listen: string;
  /** Where hosts and other servers reach this one; where it listens when left out. */
  reachedAt?: string | undefined;
  addressPool: string;
  /** The range that VMs' consoles get addresses out of; none get any when left out. */
  consolePool?: string | undefined;
  allowImageHosts: readonly string[];
  /** None when left out. */
  allowCallbackHosts?: readonly string[];
  /** Any other PostgreSQL; the embedded one when left out. */
  databaseUrl: string | undefined;
  /** HTTPS beside HTTP; none when left out. */
  tls?: Omit<TlsOptions, 'directory'> | undefined;
  /** The server's; the system's own when left out. */
  clock?: Clock;
  logger: Logger;
  agent?: Pick<
    AgentOptions,
    'simulated' | 'storagePools' | 'patience' | 'imageLimits' | 'engineSocket' | 'ingress' | 'network'
  >;
}

/** A running Berth. */
export interface RunningBerth {
  credentials: Credentials;
  /** HTTPS, where it is served. */
  tls: RunningServer['tls'];
  /** Stops everything but the instances, which run on. */
  close(): Promise<void>;
}

/**
 * Starts Berth on a data directory and resolves when the agent has begun to work. What was started is stopped again when
 * a later step fails.
 */
export async function startUp(options: UpOptions, signal: AbortSignal): Promise<RunningBerth> {
  const { logger } = options;
  const directory = resolve(options.dataDirectory);
  const listen = parseListenAddress(options.listen);
  const allowedImageHosts = options.allowImageHosts.flatMap(parseAllowedHost);
  const allowedCallbackHosts = (options.allowCallbackHosts ?? []).flatMap(parseAllowedHost);
  await mkdir(directory, { recursive: true });
  // The database and the VMs run as users of their own, who must be able to pass through; what is secret is closed itself.
  await chmod(directory, ((await stat(directory)).mode & 0o7777) | 0o111);
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const lock = await acquireDataDirLock(directory);
    undo.push(() => lock.release());
    const settings = await readSettings(join(directory, 'settings.json'));
    let connectionString = options.databaseUrl;
    if (!connectionString) {
      const database = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger, signal });
      undo.push(() => database.stop());
      connectionString = database.connectionString;
      logger.info({ pid: database.pid, adopted: database.adopted, version: database.majorVersion }, 'database is up');
    }
    let hostId = '';
    const server = await startServer(
      {
        ...{
          connectionString,
          listen,
          reachedAt: options.reachedAt,
          settings,
          imageDirectory: join(directory, 'images'),
          logger,
        },
        ...{ allowedImageHosts, allowedCallbackHosts, consolePool: options.consolePool },
        secretKey: await ensureSecretKey(join(directory, 'secret.key'), systemEntropy),
        ...(options.clock ? { clock: options.clock } : {}),
        ...(options.tls ? { tls: { ...options.tls, directory: join(directory, 'tls') } } : {}),
      },
      async (context) => {
        const enrolledAs = await readHostId(join(directory, 'agent'));
        hostId = await ensureLocalHost(context, hostname().slice(0, 63), options.addressPool, enrolledAs);
      },
    );
    undo.push(() => server.close());
    const credentials = await ensureCredentials(join(directory, 'credentials.json'), server.url, systemEntropy);
    const { account, apiKey, username, password } = credentials;
    const passwordHash = hashPassword(password, systemEntropy);
    await ensureFirstAccount(server.context, { account, apiKey, username, passwordHash });
    const agent = await startAgent(
      {
        serverUrls: [server.url],
        directory: join(directory, 'agent'),
        token: () => makeEnrolmentToken(server.context, hostId),
        // Images that Berth builds are fetched from there.
        allowedImageHosts: [...allowedImageHosts, endpointOf(new URL(server.context.publicUrl))],
        storageType: settings.storageType,
        logger: logger.child({ part: 'agent' }),
        ...options.agent,
      },
      signal,
    );
    undo.push(() => agent.close());
    const stopLetting = letFirstSlot(server.context, hostId);
    undo.push(async () => stopLetting());
    return { credentials, tls: server.tls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Looks now and then whether this machine has come to run containers, until it has a slot. @returns stops looking */
function letFirstSlot(context: Context, hostId: string): () => void {
  const look = async () => {
    try {
      if (await ensureFirstSlot(context, hostId)) clearInterval(looking);
    } catch (error) {
      context.logger.debug({ err: error }, 'the first slot was not let; it is tried again');
    }
  };
  const looking = setInterval(look, firstSlotEveryMs).unref();
  void look();
  return () => clearInterval(looking);
}
