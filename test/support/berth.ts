// A whole Berth for a test: real server, real PostgreSQL, real HTTP, on a scratch directory and an address pool of its own.
// Its database is a copy of one that the first of them made (template.ts). The agent is the simulated one unless a test asks for real VMs.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { makeLogger } from '../../src/compose/logger.ts';
import { startUp, type UpOptions } from '../../src/compose/up.ts';
import { nextEpochBoundary } from '../../src/model/epoch.ts';
import type { Behaviour } from '../../src/sim/driver.ts';
import { holdToDocument } from './held.ts';
import { placeDatabase } from './template.ts';

/** The simulation's behaviour unless a test asks for another: quick and without faults. */
export const calm: Behaviour = { bootMs: 5, eraseMs: 5, startFailureChance: 0, imageFailureChance: 0 };
/** A host that has room for whatever a test deploys. */
export const roomy = { cores: 64, memoryMib: 256 * 1024, diskGib: 10_000 };

/** Epochs that have ended are charged every few seconds. */
const epochChargedMs = 20_000;

/** A parsed answer. */
export interface Answer<Body = unknown> {
  status: number;
  body: Body;
  headers: Headers;
}

/** A Berth that a test started. */
export interface TestBerth {
  url: string;
  apiKey: string;
  directory: string;
  /** Everything logged so far, one JSON object a line. */
  log(): string;
  /** One call with the first account's key; `body` is sent as JSON unless it is text. */
  call<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  /** Stops it and starts it again on the same directory. */
  restart(): Promise<void>;
  /** Stops it and removes its directory. */
  close(): Promise<void>;
}

/** What a test may ask for. */
export interface TestBerthOptions {
  /** `real` runs QEMU; otherwise the simulation behaves like this. */
  agent?: 'real' | { behaviour?: Partial<Behaviour>; capacity?: Partial<typeof roomy> };
  addressPool?: string;
  /** VMs' consoles have no addresses when left out. */
  consolePool?: string;
  allowImageHosts?: string[];
  allowCallbackHosts?: string[];
  up?: Partial<NonNullable<UpOptions['agent']>>;
  /** An existing data directory; it is not removed at the end. Its database is a copy of the tests' own where it has none. */
  directory?: string;
}

/** Starts a Berth; the caller closes it. */
export async function startTestBerth(options: TestBerthOptions = {}): Promise<TestBerth> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'berth-test-')));
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const { agent = {} } = options;
  const simulated =
    agent === 'real'
      ? {}
      : { simulated: { behaviour: { ...calm, ...agent.behaviour }, capacity: { ...roomy, ...agent.capacity } } };
  const start = () =>
    startUp(
      {
        dataDirectory: directory,
        listen: '127.0.0.1:0',
        addressPool: options.addressPool ?? '127.46.0.0/16',
        consolePool: options.consolePool,
        allowImageHosts: options.allowImageHosts ?? [],
        allowCallbackHosts: options.allowCallbackHosts ?? [],
        databaseUrl: undefined,
        logger: makeLogger(sink),
        agent: { ...simulated, ...options.up },
      },
      new AbortController().signal,
    );
  const removeDatabase = await placeDatabase(join(directory, 'postgres'));
  let running = await start();
  await untilHealthy(running.credentials.url);
  return {
    get url() {
      return running.credentials.url;
    },
    get apiKey() {
      return running.credentials.apiKey;
    },
    directory,
    log: () => lines.join(''),
    call: (method, path, body, headers) =>
      callApi(running.credentials.url, running.credentials.apiKey, method, path, body, headers),
    async restart() {
      await running.close();
      running = await start();
      await untilHealthy(running.credentials.url);
    },
    async close() {
      await running.close();
      if (options.directory) return;
      await removeDatabase();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One HTTP call; an answer without a body has `null` for one. */
export async function callApi<Body>(
  url: string,
  apiKey: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const answer = { status: response.status, body: (text ? JSON.parse(text) : null) as Body, headers: response.headers };
  holdToDocument(method, path, answer);
  return answer;
}

async function untilHealthy(url: string): Promise<void> {
  await until('healthz answers 200', async () => (await fetch(`${url}/healthz`)).status === 200);
}

/** Waits until something holds. The bound is there so that a failing test ends; it decides nothing else. */
export async function until(what: string, holds: () => Promise<boolean>, boundMs = 120_000): Promise<void> {
  const end = performance.now() + boundMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${boundMs / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Waits for the end of the epoch where that is near, and for what is charged then, so that a test that counts what was spent
 * counts within one epoch.
 * @param takesMs how long the test takes at most
 */
export async function withinOneEpoch(takesMs = 60_000): Promise<void> {
  const endMs = nextEpochBoundary(new Date()).getTime();
  if (endMs - Date.now() > takesMs) return;
  await until(
    'the next epoch has begun',
    async () => Date.now() > endMs + epochChargedMs,
    2 * takesMs + epochChargedMs,
  );
}

/** A fresh ed25519 key pair: the public line, and the path of the private file inside `directory`. */
export async function makeSshKey(directory: string): Promise<{ publicKey: string; privateKeyFile: string }> {
  const privateKeyFile = join(directory, `key-${process.hrtime.bigint()}`);
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', privateKeyFile]);
  return { publicKey: (await readFile(`${privateKeyFile}.pub`, 'utf8')).trim(), privateKeyFile };
}
