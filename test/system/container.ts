// What the system tests of containers share: a real Berth with a real Docker Engine, requests over TLS that is checked, and a
// look at everything that a container may leave behind.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processIds, processProgram, processWorkingDirectory } from '../../src/host/process.ts';
import { call, type Machine } from '../api/hiveon/support.ts';
import { startTestBerth, type TestBerth, type TestBerthOptions, until } from '../support/berth.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';

const run = promisify(execFile);

/** A Berth whose host runs containers. */
export interface ContainerBerth {
  berth: TestBerth;
  engine: TestEngine;
  addressPool: string;
  close(): Promise<void>;
}

/** Starts an Engine and a Berth on it, and waits for the first machine. */
export async function startContainerBerth(
  addressPool: string,
  options: TestBerthOptions = {},
): Promise<ContainerBerth> {
  const engine = await startTestEngine(['nginx', 'busybox']);
  try {
    const up = { engineSocket: engine.socketPath, patience: { graceMs: 2_000, backoffMsMin: 100 }, ...options.up };
    const berth = await startTestBerth({ ...options, agent: 'real', addressPool, up });
    await until('a machine is available', async () =>
      (await machinesOf(berth)).some((one) => one.status === 'available'),
    );
    return {
      berth,
      engine,
      addressPool,
      async close() {
        await berth.close();
        endIngress(ingressDirectory(berth));
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The machines that can be rented. */
export async function machinesOf(berth: TestBerth): Promise<Machine[]> {
  return (await call<{ machines: Machine[] }>(berth, 'GET', '/machines')).body.machines;
}

/** Where the Berth's agent keeps its ingress. */
const ingressDirectory = (berth: TestBerth) => join(berth.directory, 'agent', 'container', 'ingress');

/** Ends the ingress of an agent, which outlives it. @param directory where it is kept */
export function endIngress(directory: string, signal: NodeJS.Signals = 'SIGTERM'): void {
  for (const pid of processIds()) {
    // Its directory may have been removed already, and the kernel says so behind the name.
    const isThere = processWorkingDirectory(pid)?.startsWith(join(directory, 'run'));
    if (processProgram(pid) !== 'caddy' || !isThere) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone.
    }
  }
}

/** Fetches a page over HTTPS from this machine's ingress, its certificate checked against the ingress's own authority. */
export function getSecurely(berth: TestBerth, url: string): Promise<{ status: number; body: string }> {
  return getOverTls(join(ingressDirectory(berth), 'storage/pki/authorities/local/root.crt'), url);
}

/** Fetches a page over HTTPS from this machine. @param caFile whose signature is trusted */
export async function getOverTls(caFile: string, url: string): Promise<{ status: number; body: string }> {
  const ca = await readFile(caFile);
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: port || 443, path: pathname, servername: hostname, ca, agent: false };
    get({ ...options, timeout: 5_000, headers: { host: hostname } }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    })
      .once('timeout', function (this: { destroy(): void }) {
        this.destroy();
      })
      .once('error', reject);
  });
}

/** The ingress answers with the container's page; the certificate takes a moment to be made. */
export async function untilServed(berth: TestBerth, url: string, words: string): Promise<void> {
  await until(`${url} is served`, async () => {
    const answer = await getSecurely(berth, url).catch(() => null);
    return answer?.status === 200 && answer.body.includes(words);
  });
}

/** Everything of containers that is on the machine. */
export async function leftovers({ berth, engine, addressPool }: ContainerBerth): Promise<string[]> {
  const containers = await engine.docker.listContainers({ all: true });
  const networks = (await engine.docker.listNetworks()).filter(({ Name }) => Name.startsWith('berth-'));
  const images = (await engine.docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
  const routes = await readFile(join(ingressDirectory(berth), 'routes.json'), 'utf8').catch(() => '[]');
  const { stdout: sockets } = await run('ss', ['-Hlnt']);
  return [
    ...containers.map(({ Names }) => `container ${Names.join()}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...images.filter((tag) => !/^(nginx|busybox|failing):latest$/.test(tag)).map((tag) => `image ${tag}`),
    ...(JSON.parse(routes) as [string, string][]).map(([name]) => `route ${name}`),
    ...sockets.split('\n').filter((line) => line.includes(` ${addressPool.replace(/\.\d+\/\d+$/, '.')}`)),
  ];
}
