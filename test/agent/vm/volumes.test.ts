// Overlays and seed volumes, made by the real programs and read back by others.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { linkBase, makeOverlay, overlaySizeBytes } from '../../../src/agent/disk/overlay.ts';
import { makeSeed, seedFiles } from '../../../src/agent/disk/seed.ts';

const run = promisify(execFile);
const seed = { instanceId: '0xabc', hostname: 'web.example.org', sshKeys: ['ssh-ed25519 AAAA a: "b"', 'ssh-rsa BBBB'] };
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-volumes-'));
});
after(() => rm(directory, { recursive: true }));

test('an overlay stands on its base, has the size that was ordered, and appears only when it is whole', async () => {
  const image = join(directory, 'image.raw');
  await writeFile(image, 'boot');
  await truncate(image, 64 * 1024 * 1024);
  const basePath = join(directory, 'base');
  await linkBase(image, basePath);
  await linkBase(image, basePath);
  assert.equal((await stat(basePath)).nlink, 2, 'the base is the same file');
  const path = join(directory, 'disk.qcow2');
  await makeOverlay({ path, basePath, baseFormat: 'raw', sizeBytes: 2 * 1024 ** 3 });
  assert.equal(await overlaySizeBytes(path), 2 * 1024 ** 3);
  const { stdout } = await run('qemu-img', ['info', '--output=json', path]);
  const info = JSON.parse(stdout);
  assert.deepEqual([info['backing-filename'], info['backing-filename-format']], [basePath, 'raw']);
  assert.equal((await stat(path)).mode & 0o777, 0o600);

  const missing = { path: join(directory, 'none'), basePath: join(directory, 'no-base'), baseFormat: 'raw' as const };
  await assert.rejects(
    makeOverlay({ ...missing, sizeBytes: 1024 ** 3 }),
    /^Error: qemu-img ended with status 1: .*no-base/,
  );
  await assert.rejects(stat(missing.path));
  await assert.rejects(overlaySizeBytes(image), /no qcow2 header/);
});

test('a seed says the host name, the keys and no more than was given', () => {
  const files = seedFiles(seed);
  assert.equal(files['meta-data'], '{\n  "instance-id": "0xabc",\n  "local-hostname": "web"\n}\n');
  assert.match(files['user-data'], /^#cloud-config\n/);
  assert.deepEqual(JSON.parse(files['user-data'].slice('#cloud-config\n'.length)), {
    hostname: 'web',
    fqdn: 'web.example.org',
    preserve_hostname: false,
    ssh_authorized_keys: seed.sshKeys,
    disable_root: false,
    growpart: { mode: 'auto', devices: ['/'], ignore_growroot_disabled: false },
    resize_rootfs: true,
  });
  assert.match(files['user-data'], /\n {4}"ssh-ed25519 AAAA a: \\"b\\"",\n {4}"ssh-rsa BBBB"\n/, 'one key a line');
  const runcmd = [['touch', '/x']];
  assert.deepEqual(
    JSON.parse(seedFiles({ ...seed, runcmd })['user-data'].slice('#cloud-config\n'.length)).runcmd,
    runcmd,
  );
});

test('a machine without a program for volumes says which ones would do', async () => {
  const made = makeSeed(join(directory, 'none.iso'), seed, [['a-program-that-is-not-there']]);
  await assert.rejects(made, /None of these programs is installed: a-program-that-is-not-there/);
});

for (const program of [['genisoimage'], ['xorriso', '-as', 'genisoimage']] as const) {
  const [tool] = program;
  test(`the seed volume made by ${tool} is labelled cidata and gives its files back`, async () => {
    const path = join(directory, `${tool}.iso`);
    await makeSeed(path, seed, [['a-program-that-is-not-there'], program]);
    const { stdout: label } = await run('blkid', ['-o', 'value', '-s', 'LABEL', path]);
    assert.equal(label.trim(), 'cidata');
    const out = join(directory, `${tool}-out`);
    await run('xorriso', ['-osirrox', 'on', '-indev', path, '-extract', '/', out]);
    assert.deepEqual((await readdir(out)).sort(), ['meta-data', 'user-data']);
    for (const [name, text] of Object.entries(seedFiles(seed)))
      assert.equal(await readFile(join(out, name), 'utf8'), text);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => name.startsWith(`${tool}.iso`)),
      [`${tool}.iso`],
    );
  });
}
