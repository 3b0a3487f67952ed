import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { diskBytes, mib, openStore, qcow2Image, run } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

/** What one packed member or stream of a file of zeros expands to. */
const memberBytes = 32 * mib;

/** `members` times {@link memberBytes} of zeros with a boot sector's mark, packed; both formats may be concatenated. */
function zeros(members: number, packer: 'gzip' | 'xz'): Buffer {
  const member = Buffer.alloc(memberBytes);
  const rest = run(packer, ['-1', '-c'], member);
  member.writeUInt16BE(0x55aa, 510);
  return Buffer.concat([run(packer, ['-1', '-c'], member), ...Array<Buffer>(members - 1).fill(rest)]);
}

test('a file that expands beyond what is allowed is stopped there, and leaves nothing', async (t) => {
  for (const [packer, ending] of [
    ['gzip', 'raw.gz'],
    ['xz', 'img.xz'],
  ] as const) {
    const content = zeros(16, packer);
    assert.ok(content.length < 4 * mib);
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host], limits: { virtualBytesMax: 64 * mib } });
    const failure = await one.failure(`${server.origin}/a.${ending}`);
    assert.equal(failure.code, 'image.bomb');
    assert.equal(failure.permanent, true);
    assert.match(failure.message, /expands to more than 64 MiB, the most that is allowed/);
    assert.deepEqual(one.files(), []);
    assert.equal(unpackersOf(process.pid), '');
  }
});

/** The xz processes that this one has started and that still run. */
function unpackersOf(pid: number): string {
  return spawnSync('ps', ['-o', 'comm=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout.replace(/^ps\n/m, '');
}

test('two gigabytes of zeros are an image like any other, and take no space', async (t) => {
  const content = zeros(64, 'gzip');
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const image = await one.ensure(`${server.origin}/a.raw.gz`, 4096 * mib);
  assert.equal(image.virtualSizeBytes, 2048 * mib);
  assert.equal(statSync(image.path).size, 2048 * mib);
  assert.ok(diskBytes(image.path) < mib);
});

test('a qcow2 or raw image of a disk beyond what is allowed is refused too', async (t) => {
  const limits = { virtualBytesMax: 8 * mib };
  const qcow2 = qcow2Image(t, '1G');
  const raw = Buffer.alloc(9 * mib);
  raw.writeUInt16BE(0x55aa, 510);
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: request.url === '/a.raw' ? raw : qcow2 }),
  );
  const one = await openStore(t, { allowHosts: [server.host], limits });
  for (const path of ['/a.qcow2', '/a.raw']) {
    const failure = await one.failure(server.origin + path);
    assert.equal(failure.code, 'image.size');
    assert.match(failure.message, /at most 8 MiB are allowed/);
    assert.deepEqual(one.files(), []);
  }
});

test('an xz file that needs more memory than is allowed is refused', async (t) => {
  const content = run('xz', ['-c', '--lzma2=dict=64MiB'], Buffer.alloc(mib));
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host], limits: { unpackMemoryBytes: 16 * mib } });
  const failure = await one.failure(`${server.origin}/a.raw.xz`);
  assert.equal(failure.code, 'image.corrupt');
  assert.match(failure.message, /needs more than 16 MiB of memory/);
  assert.deepEqual(one.files(), []);
});

test('a file that takes too long to unpack is given up', async (t) => {
  for (const [packer, ending] of [
    ['gzip', 'raw.gz'],
    ['xz', 'raw.xz'],
  ] as const) {
    const content = zeros(16, packer);
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host], limits: { unpackMs: 1 } });
    const failure = await one.failure(`${server.origin}/a.${ending}`);
    assert.equal(failure.code, 'image.bomb');
    assert.match(failure.message, /takes longer than/);
    assert.deepEqual(one.files(), []);
  }
});
