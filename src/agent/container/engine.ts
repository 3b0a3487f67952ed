// The line to the Docker Engine (or whatever answers its API, such as Podman), and what its errors mean.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { DriverAway, DriverFailure } from '../driver.ts';
import { oneLine } from './text.ts';

/** The Engine answers at once or not at all; pulls, logs and events, which take long, are streams without this bound. */
const answerMsMax = 60_000;
const saidLengthMax = 400;

/** Where a machine's own Engine listens. */
export const defaultSocket = '/var/run/docker.sock';

/** What is said of an Engine. */
export interface EngineInfo {
  name: string;
  version: string;
  storageDriver: string;
  /** Whether the storage driver itself holds a container to its disk. */
  diskQuota: boolean;
  /** Where it keeps images and containers. */
  dataRoot: string;
}

/** An Engine's refusal. */
export class EngineRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineRefused';
    this.status = status;
  }
}

/** A Docker Engine. */
export class Engine {
  /** For calls that are answered soon. */
  readonly docker: Docker;
  /** For calls whose answers go on and on. */
  readonly streaming: Docker;

  constructor(socketPath: string) {
    this.docker = new Docker({ socketPath, timeout: answerMsMax });
    this.streaming = new Docker({ socketPath });
  }

  /**
   * Makes a call.
   * @param extraMs how much longer than usual the answer may take
   * @throws DriverAway when nothing answers, {@link EngineRefused} for an error that was answered
   */
  async ask<Answer>(call: (docker: Docker) => Promise<Answer>, extraMs = 0): Promise<Answer> {
    const over = new AbortController();
    // An answer that breaks off in its middle is never told of by the library.
    const timeIsUp = sleep(answerMsMax + extraMs, undefined, { signal: over.signal }).then(() => {
      throw new DriverAway('The container engine does not answer.');
    });
    timeIsUp.catch(() => {});
    try {
      return await Promise.race([call(extraMs === 0 ? this.docker : this.streaming), timeIsUp]);
    } catch (error) {
      throw meaningOf(error);
    } finally {
      over.abort();
    }
  }

  /** As {@link ask}, and undefined where what was asked about is not there. */
  async find<Answer>(call: (docker: Docker) => Promise<Answer>, extraMs = 0): Promise<Answer | undefined> {
    try {
      return await this.ask(call, extraMs);
    } catch (error) {
      if (error instanceof EngineRefused && error.status === 404) return undefined;
      throw error;
    }
  }

  /** What the Engine says of itself; null when nothing answers. */
  async info(): Promise<EngineInfo | null> {
    try {
      const info = (await this.ask((docker) => docker.info())) as EngineAnswer;
      const backing = new Map(info.DriverStatus ?? []);
      return {
        name: 'docker',
        version: info.ServerVersion,
        storageDriver: info.Driver,
        // Overlay needs an XFS with project quotas under it; the others bring their own.
        diskQuota:
          ['btrfs', 'zfs', 'devicemapper'].includes(info.Driver) ||
          (info.Driver === 'overlay2' &&
            backing.get('Backing Filesystem') === 'xfs' &&
            (await hasProjectQuota(info.DockerRootDir))),
        dataRoot: info.DockerRootDir,
      };
    } catch (error) {
      if (error instanceof DriverAway) return null;
      throw error;
    }
  }
}

/** Whether the file system under a directory keeps project quotas. */
async function hasProjectQuota(directory: string): Promise<boolean> {
  const mounts = (await readFile('/proc/mounts', 'utf8').catch(() => '')).split('\n').map((line) => line.split(' '));
  const holding = mounts.filter(([, at = '']) => at === '/' || directory === at || directory.startsWith(`${at}/`));
  const [nearest] = holding.sort(([, a = ''], [, b = '']) => b.length - a.length);
  return /(^|,)(prjquota|pquota)(,|$)/.test(nearest?.[3] ?? '');
}

interface EngineAnswer {
  ServerVersion: string;
  Driver: string;
  DriverStatus?: [string, string][];
  DockerRootDir: string;
}

const awayCodes = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EACCES',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** What the library puts before the Engine's own words. */
const libraryPrefix = /^\(HTTP code \d+\) .*? - /;

/** What an error of a call means: nothing answers, or a refusal. */
export function meaningOf(error: unknown): Error {
  const { statusCode, code, message } = error as Error & { statusCode?: number; code?: string };
  if (statusCode !== undefined) return new EngineRefused(statusCode, message.replace(libraryPrefix, '').trim());
  if ((code !== undefined && awayCodes.has(code)) || /socket hang up|connect timeout|aborted/i.test(message ?? '')) {
    return new DriverAway('The container engine does not answer.', { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether something of an earlier start, in which the Engine was killed, keeps it from starting a container. */
export const isHalfStarted = (error: unknown) =>
  error instanceof EngineRefused && /task .*already exists|failed to start shim: mkdir .*exists/is.test(error.message);

/** Whether the Engine could not listen where a container's port is to be reached. */
export const isPortTaken = (error: unknown) =>
  error instanceof EngineRefused && /address already in use|port is already allocated/i.test(error.message);

/** Whether it is the Engine itself that has noted such a port as another container's, whoever listens there. */
export const isNotedAsTaken = (error: unknown) =>
  error instanceof EngineRefused && /port is already allocated/i.test(error.message);

/** What the Engine says to a container that it will not make or start, as a failure for the customer. */
export function failureOf(error: unknown): Error {
  if (!(error instanceof EngineRefused)) return error as Error;
  const text = oneLine(error.message, saidLengthMax);
  if (/no space left on device/i.test(text)) {
    return new DriverFailure('NO_SPACE', 'The machine has no space left for the container.', false);
  }
  if (isPortTaken(error)) {
    const [, address, port] = /\b(\d+(?:\.\d+){3}):(\d+)\b/.exec(text) ?? [];
    const what = port === undefined ? 'A port' : `Port ${port} of ${address}`;
    return new DriverFailure('PORT_CONFLICT', `${what} is taken on the machine by another program.`, false);
  }
  // What the Engine itself or the program's absence rules out stays so; all else may have come of the moment.
  const isPermanent = error.status === badRequest || /OCI runtime create failed|device driver/i.test(text);
  return new DriverFailure('CONTAINER_CREATE_FAILED', `The container can't be started: ${text}`, isPermanent);
}

const badRequest = 400;
