// What the tests of the QEMU driver share: a scratch directory with a driver on it that leaves nothing behind, a guest's
// shell over SSH, and looks at the host from outside.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { overlaySizeBytes } from '../../../src/agent/disk/overlay.ts';
import { type PoolDirectory, StoragePools } from '../../../src/agent/disk/pools.ts';
import { DriverFailure, type Progress } from '../../../src/agent/driver.ts';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { AskSecrets } from '../../../src/agent/vm/first-boot.ts';
import type { ImageSource } from '../../../src/agent/vm/image-source.ts';
import type { QemuLimits } from '../../../src/agent/vm/limits.ts';
import { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { microImage } from '../../support/images.ts';

const run = promisify(execFile);

/** Any group will do for QEMU in a test; its user is one of its own for each VM. */
const nobody = { uid: 65534, gid: 65534 };
/** Emulated, on a machine that does other work too, a guest takes many times its usual 7 s. */
export const bootTimeoutMs = 240_000;

/** An image source that always gives the micro image. */
export async function microImages(): Promise<ImageSource> {
  const path = await microImage();
  const virtualSizeBytes = await overlaySizeBytes(path);
  return { ensure: async () => ({ path, format: 'qcow2', virtualSizeBytes, sha256: 'micro' }), ensureIso: noCds };
}

/** Gives no ISO image. */
export const noCds: ImageSource['ensureIso'] = async (url) => {
  throw new DriverFailure('image.http', `There is no ${url}.`, true);
};

/** A driver as production makes it, in emulation. */
export async function qemuDriver(
  directory: string,
  options: {
    limits?: Partial<QemuLimits>;
    images?: ImageSource;
    askSecrets?: AskSecrets;
    user?: typeof nobody | null;
    log?: string[];
    pools?: PoolDirectory[];
    networks?: { translates: boolean };
  } = {},
): Promise<QemuDriver> {
  const log = (_about: object, message: string) => void options.log?.push(message);
  return new QemuDriver({
    directory,
    pools: new StoragePools(directory, options.pools),
    askSecrets: options.askSecrets ?? (async () => null),
    images: options.images ?? (await microImages()),
    acceleration: 'tcg',
    user: options.user === undefined ? nobody : options.user,
    logger: { info: log, warn: log, error: log },
    clock: { now: () => new Date() },
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.networks ? { networks: options.networks } : {}),
  });
}

/** A directory for one test file, and what it takes to leave nothing of it. */
export interface Scratch {
  directory: string;
  /** Path of the private key that opens every guest of `spec`. */
  keyPath: string;
  publicKey: string;
  /** Removes everything, also what a failed test left running. */
  clean(): Promise<void>;
}

export async function scratch(name: string): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), `berth-test-${name}-`));
  const keyPath = join(directory, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyPath]);
  return {
    directory,
    keyPath,
    publicKey: (await readFile(`${keyPath}.pub`, 'utf8')).trim(),
    clean: async () => {
      const driver = await qemuDriver(directory, {
        images: { ensure: () => Promise.reject(new Error('not now')), ensureIso: noCds },
      });
      for (const { instanceId } of await driver.observe()) await driver.erase(instanceId, 0);
      await driver.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A VM of the smallest size. `number` makes its id. */
export function specOf(number: number, address: string, publicKey: string, changes: Partial<VmSpec> = {}): VmSpec {
  return {
    instanceId: `0x${createHash('sha1').update(`${process.pid} ${number}`).digest('hex')}`,
    hostname: `guest-${number}`,
    vcpus: 1,
    memoryMib: 256,
    disks: [{ id: `disk-${number}`, sizeMib: 1024 }],
    image: { url: 'http://images.example/micro.qcow2', imaging: 1 },
    bootNumber: 1,
    sshKeys: [publicKey],
    address,
    portRules: [{ port: 22, protocol: 'tcp' }],
    ...changes,
  };
}

/** Runs the VM; gives what the driver told on the way. */
export async function runVm(driver: QemuDriver, spec: VmSpec): Promise<Progress[]> {
  const told: Progress[] = [];
  await driver.run(spec, (step) => told.push(step), new AbortController().signal);
  return told;
}

/** Erases the VM with its disks. */
export async function eraseVm(driver: QemuDriver, spec: VmSpec, graceMs = 0): Promise<void> {
  await driver.erase(spec.instanceId, graceMs);
  await driver.settleDisks({ ...spec, disks: [], eraseDisks: spec.disks });
}

/** Runs a command in a guest as root and gives what it prints. Throws when it fails or takes over a minute. */
export async function inGuest(keyPath: string, address: string, command: string): Promise<string> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=10'];
  const args = ['-i', keyPath, '-o', 'BatchMode=yes', ...options.flatMap((option) => ['-o', option])];
  const { stdout } = await run('ssh', [...args, `root@${address}`, command], { timeout: 180_000 });
  return stdout.trim();
}

/** Waits until a guest lets us in. */
export async function untilLogin(keyPath: string, address: string): Promise<void> {
  await until('a login', () => inGuest(keyPath, address, 'true').then(() => true), bootTimeoutMs);
}

/** Waits until `look` gives something true; what it throws counts as "not yet". */
export async function until<Result>(
  what: string,
  look: () => Promise<Result> | Result,
  timeoutMs = 30_000,
): Promise<NonNullable<Result>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${last}`);
    await sleep(100);
  }
}

/** What a TCP connection meets: what is sent at once ('' for nothing), or null when nobody takes it. */
export function banner(address: string, port: number, waitMs = 15_000): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const end = (result: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end(''), waitMs);
    socket.once('data', (data) => end(data.toString('latin1')));
    socket.once('end', () => end(''));
    socket.once('error', () => end(null));
  });
}

/** Process ids of the QEMUs of an instance, found without the driver's help. */
export function qemuPids(instanceId: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return args[0]?.includes('qemu-system') && args.includes(`guest=${instanceId}`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** The one QEMU of an instance. */
export function qemuPid(instanceId: string): number {
  const pids = qemuPids(instanceId);
  assert.equal(pids.length, 1, `processes of ${instanceId}: ${pids}`);
  return pids[0] ?? 0;
}

/** What a driver's packet filter table and control group are called: other agents of this machine have their own. */
export async function wallsName(directory: string): Promise<string> {
  const vmDirectory = await realpath(join(directory, 'vm'));
  return `berth_${createHash('sha256').update(vmDirectory).digest('hex').slice(0, 12)}`;
}

/** Everything on this host that bears the mark of a driver's directory or of one of its VMs: nothing, after erasing. */
export async function traces(directory: string, instanceId: string): Promise<string[]> {
  const name = await wallsName(directory);
  const found = qemuPids(instanceId).map((pid) => `process ${pid}`);
  for (const entry of await readdir(join(directory, 'vm'))) found.push(`file ${entry}`);
  for (const entry of await readdir(join(directory, 'disk'))) {
    if (entry !== 'pool.json' && entry !== 'spare') found.push(`disk ${entry}`);
  }
  for (const entry of await readdir(join(directory, 'disk', 'spare')).catch(() => [])) found.push(`spare ${entry}`);
  for (const parent of ['', 'memory', 'cpu', 'pids']) {
    const groups: string[] = await readdir(join('/sys/fs/cgroup', parent)).catch(() => []);
    if (groups.includes(name)) found.push(`cgroup ${parent}/${name}`);
  }
  const { stdout } = await run('nft', ['list', 'ruleset'], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  if (stdout.includes(name) || stdout.includes(instanceId)) found.push('packet filter');
  return found;
}
