// Real VMs for the benchmarks: a whole `berth up`, and the small steps that both sides of a comparison share.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Berth } from '../sdk/berth.ts';
import { startChild, stopChild } from './stack.ts';

const lookEveryMs = 10;

/** A running Berth with real VMs. */
export interface RealBerth {
  client: Berth;
  url: string;
  apiKey: string;
  directory: string;
  publicKey: string;
  close(): Promise<void>;
}

/** Starts `berth up` on a directory of its own. */
export async function startReal(addressPool: string): Promise<RealBerth> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  await chmod(directory, 0o711);
  const options = ['--data', directory, '--listen', '127.0.0.1:0', '--address-pool', addressPool];
  const { child } = await startChild(['up', ...options]);
  const { url, apiKey } = JSON.parse(await readFile(join(directory, 'credentials.json'), 'utf8'));
  while ((await fetch(`${url}/healthz`)).status !== 200) await sleep(lookEveryMs);
  const keyFile = join(directory, 'bench-key');
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile]);
  return {
    client: new Berth({ url, apiKey }),
    url,
    apiKey,
    directory,
    publicKey: (await readFile(`${keyFile}.pub`, 'utf8')).trim(),
    async close() {
      await stopChild(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What hosts call an instance of Berth's own API. */
export const hostsIdOf = (id: string): string => id.replace(/^ins_/, '0x');

/** Deploys one small VM. @returns its id, and when the answer was here (`performance.now()`) */
export async function deploySmall(berth: RealBerth, name: string): Promise<{ id: string; acceptedMs: number }> {
  const { id } = await berth.client.instances.create({
    name,
    image: 'micro',
    configuration: 'cpu-1-ram-1gb-storage-5gb',
    sshKeys: [berth.publicKey],
  });
  return { id, acceptedMs: performance.now() };
}

/** Waits until a VM is active. @returns its address */
export async function untilActive(berth: RealBerth, id: string): Promise<string> {
  for (;;) {
    const { status, address } = await berth.client.instances.get(id);
    if (status === 'failed') throw new Error(`VM ${id} failed`);
    if (status === 'active' && address) return address;
    await sleep(lookEveryMs);
  }
}

/** Deletes a VM and waits until the host has none of it. */
export async function removeVm(berth: RealBerth, id: string): Promise<void> {
  await berth.client.instances.delete(id, { purge: true });
  await untilGone(berth, id);
}

/** Waits until the host has nothing of a VM that is to be deleted: what closes Berth earlier leaves its process behind. */
export async function untilGone(berth: RealBerth, id: string): Promise<void> {
  const record = join(berth.directory, 'agent', 'vm', hostsIdOf(id), 'vm.json');
  while (existsSync(record)) await sleep(lookEveryMs);
}

/** Waits for the first line of an SSH server. @returns when it came (`performance.now()`) */
export async function untilSshBanner(address: string): Promise<number> {
  for (;;) {
    const banner = await new Promise<string>((resolve) => {
      const socket = connect({ host: address, port: 22 });
      const done = (text: string) => {
        socket.destroy();
        resolve(text);
      };
      socket.once('data', (chunk) => done(String(chunk)));
      socket.once('error', () => done(''));
      socket.once('close', () => done(''));
      socket.setTimeout(1_000, () => done(''));
    });
    if (banner.startsWith('SSH-')) return performance.now();
    await sleep(lookEveryMs);
  }
}
