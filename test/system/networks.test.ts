// A group's network through the whole of Berth: from the addresses that a customer chooses in Bytemark's dialect to those that
// a guest on real QEMU has.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { microImage } from '../support/images.ts';
import type { Seen } from './networks-child.ts';

const run = promisify(execFile);
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const namespace = `bg${process.pid}`;
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-networks-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  await run('ip', ['netns', 'add', namespace], { env });
  await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'], { env });
});
after(async () => {
  await run('ip', ['netns', 'del', namespace], { env });
  await rm(directory, { recursive: true, force: true });
});

test('a VM has the addresses that were chosen for it, all its ports open, an additional address at once, and leaves nothing', async () => {
  const child = join(import.meta.dirname, 'networks-child.ts');
  const inside = [`--net=/run/netns/${namespace}`, '--', process.execPath, child, directory];
  const { stdout } = await run('nsenter', inside, { env, timeout: 500_000 });
  const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Seen;
  assert.deepEqual(seen.ips, ['10.5.0.50', '2001:db8:5::50']);
  assert.equal(seen.ipv6, '2001:db8:5::50/64');
  assert.ok(seen.vlan > 0);
  assert.equal(seen.additional, 'networked');
  assert.doesNotMatch(seen.links, /^[bt]v/m);
});
