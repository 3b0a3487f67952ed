// Real VMs of an account's own image, through all of Berth: one whose file is what was registered, and one whose is not.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type KeyPair, keyPair } from '../agent/ssh/support.ts';
import { inGuest, untilLogin } from '../agent/vm/support.ts';
import { callsOf, done, refused } from '../api/native/calls.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { microImage } from '../support/images.ts';

interface Instance {
  id: string;
  status: string;
  statusReason: string | null;
  address: string | null;
}

let directory: string;
let berth: TestBerth;
let key: KeyPair;
let right: string;
const ids: string[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-own-image-'));
  await mkdir(join(directory, 'images'));
  const file = await microImage();
  right = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  await copyFile(file, join(directory, 'images', 'micro.qcow2'));
  berth = await startTestBerth({ agent: 'real', directory, addressPool: '127.68.7.0/24' });
  key = await keyPair(directory, 'admin');
});
after(async () => {
  for (const id of ids) await call('POST', `/instances/${id}/purge`);
  await until('the VMs are gone', async () => (await below('vm')).length === 0);
  await berth.close();
  await rm(directory, { recursive: true, force: true });
});

const call: ReturnType<typeof callsOf> = (...request) => callsOf(berth)(...request);

/** Registers Berth's own image as the account's, and waits until it is ready. @returns its slug */
async function registered(name: string, sha256: string): Promise<string> {
  const image = { name, url: `${berth.url}/images/micro.qcow2`, sha256, username: 'berth' };
  const { id, slug } = await done<{ id: string; slug: string }>(call, 201, 'POST', '/images', image);
  await until('the image is ready', async () => {
    const { state } = await done<{ state: string }>(call, 200, 'GET', `/images/${id}`);
    return state === 'ready';
  });
  return slug;
}

/** Makes a VM and waits until it is up or has failed. */
async function made(name: string, image: string): Promise<Instance> {
  const body = { name, image, sshKeys: [key.line], configuration: 'cpu-1-ram-1gb-storage-5gb' };
  const { id } = await done<Instance>(call, 201, 'POST', '/instances', body);
  ids.push(id);
  const read = () => done<Instance>(call, 200, 'GET', `/instances/${id}`);
  await until(`${name} is up or has failed`, async () => (await read()).status !== 'launching');
  return read();
}

const below = async (...path: string[]) => readdir(join(directory, 'agent', ...path));

test('a VM of an image that is not what was registered fails with the reason, and its host keeps nothing of it', async () => {
  const vm = await made('wrong', await registered('wrong', 'a'.repeat(64)));
  assert.equal(vm.status, 'failed');
  for (const words of [right, 'a'.repeat(64)]) assert.ok(vm.statusReason?.includes(words), String(vm.statusReason));
  await until('its host has let go of it', async () => (await below('vm')).length === 0);
  assert.deepEqual([await below('images', 'base'), await below('images', 'part')], [[], []]);
  await refused(call, 409, 'wrong_state', 'POST', `/instances/${vm.id}/power`, { action: 'start' });
});

test('a VM of an image that is what was registered boots from it', async () => {
  const vm = await made('right', await registered('right', right));
  assert.equal(vm.status, 'active', String(vm.statusReason));
  await untilLogin(key.path, vm.address ?? '');
  assert.equal((await inGuest(key.path, vm.address ?? '', 'hostname')).trim(), 'right');
  assert.deepEqual(await below('images', 'base'), [`${right}.qcow2`]);
});
