// Boot through Berth, from the accepted request to the SSH banner on the VM's address, against the same QEMU command line
// by hand on an overlay of the same base with the same seed. What is above 1 is Berth's own. In turns, in one run.

import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOverlay, mibToBytes } from '../src/agent/disk/overlay.ts';
import { makeSeed } from '../src/agent/disk/seed.ts';
import { detectAcceleration } from '../src/agent/vm/acceleration.ts';
import { qemuCommandLine, qemuProgram } from '../src/agent/vm/command-line.ts';
import { deploySmall, type RealBerth, removeVm, startReal, untilActive, untilSshBanner } from './real.ts';
import { median } from './stack.ts';

const turns = 5;
const handAddress = '127.57.250.1';
const handId = `0x${'f'.repeat(40)}`;

async function bootThroughBerth(berth: RealBerth, turn: number): Promise<number> {
  const { id, acceptedMs } = await deploySmall(berth, `boot-${turn}`);
  const address = await untilActive(berth, id);
  const tookMs = (await untilSshBanner(address)) - acceptedMs;
  await removeVm(berth, id);
  return tookMs;
}

async function bootByHand(berth: RealBerth, acceleration: 'kvm' | 'tcg'): Promise<number> {
  const directory = join(berth.directory, 'by-hand');
  await mkdir(directory, { recursive: true });
  const bases = join(berth.directory, 'agent', 'images', 'base');
  const base = join(bases, (await readdir(bases))[0] ?? '');
  const [disk, seed] = [join(directory, 'disk.qcow2'), join(directory, 'seed.iso')];
  await rm(disk, { force: true });
  await makeOverlay({ path: disk, basePath: base, baseFormat: 'qcow2', sizeBytes: mibToBytes(5 * 1024) });
  await makeSeed(seed, { instanceId: handId, hostname: 'by-hand', sshKeys: [berth.publicKey] });
  const line = qemuCommandLine({
    instanceId: handId,
    seedPath: seed,
    discs: [{ id: 'by-hand', path: disk, base: { path: base, format: 'qcow2' } }],
    spares: [],
    vcpus: 1,
    memoryMib: 1024,
    acceleration,
    hardwareProfile: 'virtio2013',
    keymap: null,
    cdromPath: null,
    mayReboot: true,
    tap: null,
    restrictNetwork: false,
  });
  const args = line.args
    // By hand nobody waits for a monitor, and the port is forwarded from the start.
    .filter((argument) => argument !== '-S')
    .map((argument) => (argument.startsWith('user,id=') ? `${argument},hostfwd=tcp:${handAddress}:22-:22` : argument));
  const files = await Promise.all(
    line.files.map(({ path, access }) => open(path, access === 'write' ? constants.O_RDWR : constants.O_RDONLY)),
  );
  const beganMs = performance.now();
  const qemu = spawn(qemuProgram, args, {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'ignore', ...files.map(({ fd }) => fd)],
  });
  const ended = new Promise((resolve) => qemu.once('exit', resolve));
  const tookMs = (await untilSshBanner(handAddress)) - beganMs;
  qemu.kill('SIGKILL');
  await ended;
  for (const file of files) await file.close();
  return tookMs;
}

const { acceleration } = await detectAcceleration();
const berth = await startReal('127.57.0.0/17');
try {
  await bootThroughBerth(berth, 0);
  const through: number[] = [];
  const byHand: number[] = [];
  for (let turn = 1; turn <= turns; turn += 1) {
    through.push(await bootThroughBerth(berth, turn));
    byHand.push(await bootByHand(berth, acceleration));
  }
  const figure = {
    bench: 'boot',
    ratio: Number((median(through) / median(byHand)).toFixed(3)),
    berthMs: Math.round(median(through)),
    byHandMs: Math.round(median(byHand)),
    acceleration,
    turns: through.map((ms, turn) => [Math.round(ms), Math.round(byHand[turn] ?? 0)]),
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  await berth.close();
}
