// A real VM through Bytemark's calls, as its owner sees it from outside: made, reached by ssh, stopped, started, imaged anew,
// deleted, brought back, and purged.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { call, changed, created, machines, overview, type Vm } from '../api/bytemark/vms.ts';
import { makeSshKey, startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { microImage } from '../support/images.ts';

/** Without hardware virtualization, and while other tests run. */
const bootMsMax = 180_000;
const name = 'lighthouse';

type Key = Awaited<ReturnType<typeof makeSshKey>>;

let berth: TestBerth;
let directory: string;
let first: Key;
let second: Key;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-bytemark-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  [first, second] = [await makeSshKey(directory), await makeSshKey(directory)];
  berth = await startTestBerth({ agent: 'real', directory, addressPool: '127.63.7.0/24' });
});

after(async () => {
  await call(berth, 'DELETE', `${machines}/${name}?purge=true`);
  await until('every VM is gone', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
  await berth.close();
  await rm(directory, { recursive: true, force: true });
});

const addressOf = (vm: Vm) => vm.network_interfaces?.[0]?.ips[0] ?? '';

/** Runs a command in the guest. */
async function ssh(address: string, key: Key, command: string): Promise<string> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'ConnectTimeout=20'];
  const flags = [...options, 'LogLevel=ERROR', 'IdentitiesOnly=yes'].flatMap((option) => ['-o', option]);
  const args = [...flags, '-i', key.privateKeyFile, `root@${address}`, command];
  return (await promisify(execFile)('ssh', args, { timeout: 60_000 })).stdout.trim();
}

const answers = (address: string, key: Key) =>
  ssh(address, key, 'true').then(
    () => true,
    () => false,
  );

const untilAnswers = (address: string, key: Key) =>
  until('the guest lets its owner in', () => answers(address, key), bootMsMax);

test('made by one call, a VM is on, lets its owner in, and has run its script once', async () => {
  const script = '#!/bin/sh\necho first >> /root/ran\n';
  const made = await created(berth, {
    virtual_machine: { name, cores: 1, memory: 1024 },
    discs: [
      { label: 'root', storage_grade: 'sata', size: 1024 },
      { label: 'data', storage_grade: 'ssd', size: 100 },
    ],
    reimage: { distribution: 'micro', ssh_public_key: first.publicKey, firstboot_script: script },
  });
  assert.equal(made.virtual_machine.power_on, false);
  const address = addressOf(await overview(berth, name));
  await until('it is on', async () => (await overview(berth, name)).power_on, bootMsMax);
  await untilAnswers(address, first);
  await until('its script has run', async () => (await ssh(address, first, 'cat /root/ran || true')) === 'first');
  assert.equal(await ssh(address, first, 'cat /sys/block/vdb/size'), String(100 * 2048));
});

test('stopped, it answers no more; started, it is as it was, and its script is not run again', async () => {
  const address = addressOf(await overview(berth, name));
  await ssh(address, first, 'echo kept > /root/kept && sync');
  assert.equal((await changed(berth, name, { autoreboot_on: false, power_on: false })).power_on, false);
  assert.equal(await answers(address, first), false);
  await changed(berth, name, { cores: 2, memory: 2048 });
  assert.equal((await changed(berth, name, { autoreboot_on: true, power_on: true })).power_on, true);
  await untilAnswers(address, first);
  assert.equal(await ssh(address, first, 'cat /root/kept /root/ran; nproc'), 'kept\nfirst\n2');
});

test('imaged anew, it lets in who has the other key and nobody else, and nothing is left of what it was', async () => {
  const address = addressOf(await overview(berth, name));
  await changed(berth, name, { autoreboot_on: false, power_on: false });
  const body = { distribution: 'micro', root_password: 'geheim-geheim', ssh_public_key: second.publicKey };
  const answer = await call(berth, 'POST', `${machines}/${name}/reimage`, body);
  assert.deepEqual([answer.status, answer.body], [200, { distribution: 'micro', root_password: 'geheim-geheim' }]);
  await untilAnswers(address, second);
  assert.equal(await answers(address, first), false);
  assert.equal(await ssh(address, second, 'ls /root/kept /root/ran 2>/dev/null; nproc'), '2');
  const { power_on, autoreboot_on } = await overview(berth, name);
  assert.deepEqual([power_on, autoreboot_on], [true, false]);
});

test('deleted, it is off and keeps what it has; brought back and started, it is the same; purged, nothing is left', async () => {
  const address = addressOf(await overview(berth, name));
  await ssh(address, second, 'echo kept > /root/kept && sync');
  assert.equal((await call(berth, 'DELETE', `${machines}/${name}`)).status, 204);
  assert.equal(await answers(address, second), false);
  assert.equal((await changed(berth, name, { deleted: false })).power_on, false);
  assert.equal((await changed(berth, name, { power_on: true })).power_on, true);
  await untilAnswers(address, second);
  assert.equal(await ssh(address, second, 'cat /root/kept'), 'kept');
  assert.equal((await call(berth, 'DELETE', `${machines}/${name}?purge=true`)).status, 204);
  const left = async (folder: string) =>
    (await readdir(join(directory, 'agent', folder))).filter((entry) => /^(0x)?[0-9a-f]{8}/.test(entry));
  await until('nothing of it is left', async () => [...(await left('vm')), ...(await left('disk'))].length === 0);
});
