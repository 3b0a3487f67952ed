/**
 * The database that Berth brings itself: a real PostgreSQL on a directory of its own, reached by a unix socket only. It is
 * a process of its own that outlives a killed Berth, and the next Berth takes it over as it is. The caller holds the
 * directory's lock (lock.ts) before it starts, because nothing here can tell two Berths apart.
 */
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BinarySource, findPostgresBinaries, type PostgresBinaries } from './binaries.ts';
import { makeCluster } from './cluster.ts';
import { makeNpmBinariesUsable } from './npm-package.ts';
import { findPlace, makeReady, type Place, readMajorVersion } from './place.ts';
import {
  findPostmasterOrSettle,
  launchPostmaster,
  type Postmaster,
  stopPostmaster,
  waitUntilReady,
} from './postmaster.ts';
import { logTail } from './server-log.ts';

/** Replaying the log after a crash can take this long; with max_wal_size at its default it takes a few seconds. */
const READY_TIMEOUT_MS = 60_000;
/** A start that is overtaken by another's, or meets a server that is just stopping, is tried anew. */
const ATTEMPTS = 4;
export interface EmbeddedPostgresOptions {
  /** The cluster's directory, made if missing. Beside it: `<dataDir>-socket`, and what this module needs more. */
  dataDir: string;
  logger: { info(message: string): void; warn(message: string): void; error(message: string): void };
  /** Gives up starting; a server already started for it is stopped. No effect after the start. */
  signal?: AbortSignal;
  /** Only this source of binaries; the best there is when left out. */
  binaries?: BinarySource;
}

export interface EmbeddedPostgres {
  /** For `pg` and libpq alike: role and database `berth`, over the unix socket. */
  connectionString: string;
  socketDir: string;
  pid: number;
  /** It was running already, started by a Berth that has ended. */
  adopted: boolean;
  majorVersion: number;
  /** Stops it cleanly, within 45 s; connections are cut. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts the database, or takes over the one that runs on that directory, and returns when it answers queries. Makes the
 * cluster at the first start. Throws an Error that says what is in the way and what to do about it, with the last lines
 * of PostgreSQL's log where those tell.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger, signal } = options;
  signal?.throwIfAborted();
  const place = await findPlace(options.dataDir);
  const startLog = `${place.dataDir}-start.log`;
  let majorVersion = await readMajorVersion(place.dataDir);

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const realDataDir = majorVersion === undefined ? undefined : await realpath(place.dataDir);
    if (majorVersion !== undefined && realDataDir !== undefined) {
      const running = await findPostmasterOrSettle(realDataDir, (message) => logger.warn(message));
      if (running !== undefined) {
        const outcome = await waitOrExplain(place, running, realDataDir, startLog, signal);
        if (outcome === 'ready') return embeddedPostgres(place, running, majorVersion, true, () => {});
        if (outcome === 'deaf') {
          logger.warn(`PostgreSQL (process ${running.pid}) has lost its socket: restarting it`);
          await stopPostmaster(running);
        }
        continue;
      }
    }

    const binaries = await chooseBinaries(options, place, majorVersion);
    if (majorVersion === undefined) {
      logger.info(`making a database with PostgreSQL ${binaries.version} in ${place.dataDir}`);
      await makeCluster({ binaries, dataDir: place.dataDir, user: place.user, signal });
      majorVersion = binaries.majorVersion;
    }
    await makeReady(place);
    const watch = { expected: false };
    const started = await launchPostmaster({
      binaries,
      ...place,
      startLog,
      onExit: (what) => {
        if (!watch.expected) logger.error(`PostgreSQL has ended (${what})`);
      },
    });
    const dataDir = await realpath(place.dataDir);
    const outcome = started && (await startedOrStopped(place, started, dataDir, startLog, watch, signal));
    if (started !== undefined && outcome === 'ready') {
      return embeddedPostgres(place, started, majorVersion, false, () => {
        watch.expected = true;
      });
    }
    // Another start may have been faster, by a Berth that was killed since: then that server is the one to take over.
    if ((await findPostmasterOrSettle(dataDir, () => {})) === undefined) {
      throw new Error(`PostgreSQL did not start. The end of its log:\n${await logTail(dataDir, startLog)}`);
    }
  }
  throw new Error(`PostgreSQL on ${place.dataDir} starts and ends again and again: see ${place.dataDir}/log`);
}

/** A start that fails or is given up takes its server along, unless that is only slow: the next start will wait again. */
async function startedOrStopped(
  place: Place,
  started: Postmaster,
  dataDir: string,
  startLog: string,
  watch: { expected: boolean },
  signal: AbortSignal | undefined,
): Promise<'ready' | 'ended' | 'deaf'> {
  try {
    return await waitOrExplain(place, started, dataDir, startLog, signal);
  } catch (error) {
    if (signal?.aborted) {
      watch.expected = true;
      await stopPostmaster(started);
    }
    throw error;
  }
}

async function waitOrExplain(
  place: Place,
  postmaster: Postmaster,
  dataDir: string,
  startLog: string,
  signal: AbortSignal | undefined,
): Promise<'ready' | 'ended' | 'deaf'> {
  const { connectionString } = place;
  try {
    return await waitUntilReady({ postmaster, dataDir, connectionString, timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const tail = await logTail(dataDir, startLog);
    throw new Error(
      `PostgreSQL (process ${postmaster.pid}) runs on ${dataDir}, but does not answer (${reason}). Start Berth again to ` +
        `wait on, or end it by kill -INT ${postmaster.pid}. The end of its log:\n${tail}`,
      { cause: error },
    );
  }
}

function embeddedPostgres(
  place: Place,
  postmaster: Postmaster,
  majorVersion: number,
  adopted: boolean,
  beforeStop: () => void,
): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  return {
    connectionString: place.connectionString,
    socketDir: place.socketDir,
    pid: postmaster.pid,
    adopted,
    majorVersion,
    stop() {
      beforeStop();
      stopping ??= stopPostmaster(postmaster);
      return stopping;
    },
  };
}

async function chooseBinaries(
  options: EmbeddedPostgresOptions,
  place: Place,
  majorVersion: number | undefined,
): Promise<PostgresBinaries> {
  const found = await findPostgresBinaries({ source: options.binaries, majorVersion });
  if (found.source === 'debian') return found;
  return makeNpmBinariesUsable(found, place.user, join(dirname(place.dataDir), 'postgres-bin'));
}
