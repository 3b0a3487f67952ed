// What only a guest's first boot is told, on real QEMU: it does it once for each imaging, and nothing of it is left on the host.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { seedFiles } from '../../../src/agent/disk/seed.ts';
import type { Progress } from '../../../src/agent/driver.ts';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import { seedOf } from '../../../src/agent/vm/first-boot.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import type { ImagingSecrets } from '../../../src/api/agent/contract/secret.ts';
import {
  bootTimeoutMs,
  inGuest,
  qemuDriver,
  runVm,
  type Scratch,
  scratch,
  specOf,
  until,
  untilLogin,
} from './support.ts';

const address = '127.66.43.1';
const instanceId = `0x${'3'.repeat(40)}`;

const secretsOf = (imaging: number, word: string): ImagingSecrets => ({
  imaging,
  rootPassword: `${word}-password`,
  firstBootScript: `#!/usr/bin/awk -f\nBEGIN { print "${word}-script" >> "/root/runs" }\n`,
});

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
/** What the server says; null for nothing, undefined when it is away. */
let answer: ImagingSecrets | null | undefined;

before(async () => {
  ground = await scratch('first-boot');
  const askSecrets = async () => {
    if (answer === undefined) throw new Error('the server is away');
    return answer;
  };
  driver = await qemuDriver(ground.directory, { askSecrets });
  spec = specOf(1, address, ground.publicKey, { disks: [{ id: 'root-disk', sizeMib: 1024, imaging: 1 }] });
});
after(async () => {
  await driver.close();
  await ground.clean();
});

const guest = (command: string) => inGuest(ground.keyPath, address, command);
const runs = () => until('the script has run', () => guest('cat /root/runs'), bootTimeoutMs);

/** Files of the agent that hold a text, but for the guest's own disk. */
async function filesWith(text: string): Promise<string> {
  const args = ['-r', '-l', '-a', '-F', '--exclude=*.qcow2', '-e', text, ground.directory];
  return (await promisify(execFile)('grep', args).catch(() => ({ stdout: '' }))).stdout;
}

/** Holds that nothing of secrets is on this host, in whatever form they were there. */
async function assertForgotten(word: string): Promise<void> {
  const { firstBootScript } = secretsOf(1, word);
  for (const text of [
    word,
    Buffer.from(firstBootScript ?? '')
      .toString('base64')
      .slice(0, 40),
  ])
    assert.equal(await filesWith(text), '');
}

test('a guest whose secrets nobody tells does not start without them', async () => {
  answer = undefined;
  await assert.rejects(runVm(driver, spec), { code: 'vm.no-secrets', permanent: false });
});

test('of a start that is called off nothing secret stays', async () => {
  answer = secretsOf(1, 'halibut');
  const calledOff = new AbortController();
  const callOff = ({ message }: Progress) => void (message === 'Preparing to start' && calledOff.abort());
  await assert.rejects(driver.run(spec, callOff, calledOff.signal), { name: 'AbortError' });
  await assertForgotten('halibut');
});

test('a guest gets its root password and runs its script, and the host forgets both', async () => {
  answer = secretsOf(1, 'swordfish');
  await runVm(driver, spec);
  await assertForgotten('swordfish');
  await untilLogin(ground.keyPath, address);
  assert.equal(await runs(), 'swordfish-script');
  const hash = await guest("sed -n 's/^root:\\([^:]*\\):.*/\\1/p' /etc/shadow");
  const [, , salt = ''] = hash.split('$');
  assert.equal(await guest(`mkpasswd -m sha512 -S '${salt}' swordfish-password`), hash);
  await assertForgotten('swordfish');
});

test('the next start does not run it again, also while the server is away', async () => {
  answer = undefined;
  await guest('echo kept >/root/kept; sync');
  await driver.halt(spec.instanceId);
  spec = { ...spec, bootNumber: 2 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/runs /root/kept'), 'swordfish-script\nkept');
});

test('secrets of another imaging than the one that starts are left aside; with the next imaging all begins anew', async () => {
  await driver.halt(spec.instanceId);
  answer = secretsOf(3, 'anchovy');
  const disks = [{ id: 'root-disk', sizeMib: 1024, imaging: 2 }];
  spec = { ...spec, disks, image: { url: spec.image?.url ?? '', imaging: 2 }, bootNumber: 3 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('ls /root/runs /root/kept 2>/dev/null || true'), '', 'it is another system');

  await driver.halt(spec.instanceId);
  spec = { ...spec, disks: [{ id: 'root-disk', sizeMib: 1024, imaging: 3 }], bootNumber: 4 };
  spec = { ...spec, image: { url: spec.image?.url ?? '', imaging: 3 } };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await runs(), 'anchovy-script');
  await assertForgotten('anchovy');
  const record = await readFile(join(ground.directory, 'vm', spec.instanceId, 'vm.json'), 'utf8');
  assert.equal((JSON.parse(record) as { imagingTold?: number }).imagingTold, 3);
});

test('a seed names each imaging once, keeps the name of first ones, and says nothing of what was not given', () => {
  const of = (imaging: number, secrets: ImagingSecrets | null) => {
    const files = seedFiles(seedOf({ ...spec, instanceId, image: { url: '', imaging } }, secrets));
    return [JSON.parse(files['meta-data']), JSON.parse(files['user-data'].replace('#cloud-config', ''))] as const;
  };
  assert.equal(of(1, null)[0]['instance-id'], instanceId);
  assert.equal(of(2, null)[0]['instance-id'], `${instanceId}-2`);
  for (const name of ['chpasswd', 'ssh_pwauth', 'write_files', 'runcmd']) assert.ok(!(name in of(1, null)[1]), name);
  const passwordOnly = of(1, { imaging: 1, rootPassword: 'x', firstBootScript: null })[1];
  assert.deepEqual(passwordOnly.chpasswd.users, [{ name: 'root', password: 'x', type: 'text' }]);
  assert.equal(passwordOnly.ssh_pwauth, true);
  assert.ok(!('runcmd' in passwordOnly));
  const scriptOnly = of(1, { imaging: 1, rootPassword: null, firstBootScript: '#!/bin/sh\n' })[1];
  assert.ok(!('chpasswd' in scriptOnly));
  assert.deepEqual(scriptOnly.runcmd, [[scriptOnly.write_files[0].path]]);
  assert.equal(scriptOnly.write_files[0].permissions, '0700');
});
