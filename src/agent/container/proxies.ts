// The programs that listen on a container's address and pass on what comes, one for each TCP port. They are the Engine's, as a
// rule. An Engine that was killed while it started a container may note a port as taken for ever, though nobody listens there;
// then the agent runs the same program itself. It outlives the agent, and goes with the container.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  identifyProcess,
  type ProcessIdentity,
  processIds,
  processProgram,
  signalProcess,
} from '../../host/process.ts';
import { DriverFailure } from '../driver.ts';
import type { ContainerSpec } from './driver.ts';

const program = 'docker-proxy';
/** Where the program says whether it listens: `0`, or `1` and why not. */
const statusFd = 3;
const statusMsMax = 5_000;

/**
 * Makes sure that a program of the agent's own listens at each TCP port of a container which the Engine does not publish.
 * @param ip where the container is in its own network
 * @throws DriverFailure when one can't listen
 */
export async function ensureProxies({ address, ports }: ContainerSpec, ip: string): Promise<void> {
  const there = (await listProxies()).filter((proxy) => proxy.address === address && proxy.ip === ip);
  for (const { hostPort, protocol } of ports) {
    if (protocol !== 'tcp' || there.some(({ port }) => port === hostPort)) continue;
    const place = ['-host-ip', address, '-host-port', String(hostPort)];
    const target = ['-container-ip', ip, '-container-port', String(hostPort)];
    await startProxy(['-proto', 'tcp', ...place, ...target]);
  }
}

async function startProxy(args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { detached: true, cwd: '/', stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  child.unref();
  const status = child.stdio[statusFd] as Readable;
  const failed = once(child, 'error').then(([error]) => Buffer.from(`1\n${(error as Error).message}`));
  const signal = AbortSignal.timeout(statusMsMax);
  const told = once(status, 'data', { signal }).then(
    ([bytes]) => bytes as Buffer,
    () => Buffer.from(`1\n${program} said nothing`),
  );
  const said = await Promise.race([told, failed]);
  failed.catch(() => {});
  status.destroy();
  const [code = '', ...reason] = said.toString('utf8').split('\n');
  if (code === '0') return;
  throw new DriverFailure('PORT_CONFLICT', `A port is taken on the machine: ${reason.join(' ').trim()}.`, false);
}

/**
 * Ends the programs that listen for a container.
 * @param ip where it is in its own network: another agent on this machine may have given its address to another
 * @param address its own; any where left out
 */
export async function killProxies(ip: string, address?: string): Promise<void> {
  for (const proxy of await listProxies()) {
    if (proxy.ip !== ip || (address !== undefined && proxy.address !== address)) continue;
    signalProcess(proxy, 'SIGKILL');
  }
}

interface Proxy extends ProcessIdentity {
  address: string | undefined;
  port: number;
  ip: string | undefined;
}

async function listProxies(): Promise<Proxy[]> {
  const found = processIds().flatMap((pid) => (processProgram(pid) === program ? (identifyProcess(pid) ?? []) : []));
  return Promise.all(
    found.map(async (one) => {
      const words = (await readFile(`/proc/${one.pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const after = (name: string) => words[words.indexOf(name) + 1];
      return { ...one, address: after('-host-ip'), port: Number(after('-host-port')), ip: after('-container-ip') };
    }),
  );
}
