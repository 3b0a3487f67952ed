import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gz, mib, openStore, qcow2Image, rawImage, run, scratch, xz } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

/** A file system of 16 MiB that goes away with the test. */
function smallDisk(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-image-'));
  run('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=755', 'berth-test', path]);
  t.after(() => {
    spawnSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

const root = process.getuid?.() === 0;

test('a full disk ends in one sentence and leaves no part of the image behind', {
  skip: !root && 'needs root',
}, async (t) => {
  const big = rawImage(20 * mib);
  const silent: Record<string, Buffer> = {
    '/a.raw': big,
    '/a.raw.gz': gz(rawImage(10 * mib)),
    '/a.img.xz': xz(rawImage(10 * mib)),
  };
  const server = await startServer(t, (request, response) => {
    const [path, query] = (request.url ?? '').split('?');
    const content = silent[path ?? ''] ?? big;
    // With its length announced it is known beforehand; without, the disk says so.
    if (query === 'announced') serve(request, response, { content });
    else response.end(content);
  });
  for (const path of ['/a.raw?announced', '/a.raw', '/a.raw.gz', '/a.img.xz']) {
    const directory = join(smallDisk(t), 'images');
    const one = await openStore(t, { directory, allowHosts: [server.host] });
    const failure = await one.failure(server.origin + path);
    assert.equal(failure.code, 'host.disk-full', `${path}: ${failure.message}`);
    assert.equal(failure.permanent, true);
    assert.match(failure.message, /The host has no space left for the image/);
    assert.deepEqual(one.files(), [], path);
  }
});

test('a disk without room for anything ends the same way', { skip: !root && 'needs root' }, async (t) => {
  const disk = smallDisk(t);
  const directory = join(disk, 'images');
  const content = rawImage(mib);
  const server = await startServer(t, (_request, response) => response.end(content));
  const one = await openStore(t, { directory, allowHosts: [server.host] });
  spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k']);
  assert.equal((await one.failure(`${server.origin}/a.raw`)).code, 'host.disk-full');
  assert.deepEqual(one.files(), []);
  rmSync(join(disk, 'filler'));
  await one.ensure(`${server.origin}/a.raw`);
});

test('images that nothing uses make room, those in use do not', { skip: !root && 'needs root' }, async (t) => {
  const server = await startServer(t, (request, response) => {
    const content = rawImage(6 * mib, request.url ?? '');
    if (request.url?.startsWith('/silent')) response.end(content);
    else serve(request, response, { content });
  });
  for (const kind of ['announced', 'silent']) {
    const one = await openStore(t, { directory: join(smallDisk(t), 'images'), allowHosts: [server.host] });
    const url = (name: string) => `${server.origin}/${kind}-${name}.raw`;
    const a = await one.ensure(url('a'));
    const b = await one.ensure(url('b'));
    one.used.add(a.path);
    one.clock.ms += 3600_000;
    const c = await one.ensure(url('c'));
    assert.deepEqual(
      [a, b, c].map(({ path }) => existsSync(path)),
      [true, false, true],
      kind,
    );
    one.used.add(c.path);
    one.clock.ms += 3600_000;
    assert.equal((await one.failure(url('d'))).code, 'host.disk-full', kind);
    assert.equal(one.files().length, 2);
  }
});

test('the space that the host must keep free is kept', async (t) => {
  const content = rawImage(mib);
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host], limits: { freeBytesMin: 2 ** 60 } });
  assert.equal((await one.failure(`${server.origin}/a.raw`)).code, 'host.disk-full');
  assert.deepEqual(one.files(), []);
});

test('a host without the tools says so, and that trying again may help', async (t) => {
  const empty = join(scratch(t), 'bin');
  mkdirSync(empty);
  const contents: Record<string, Buffer> = { '/a.qcow2': qcow2Image(t, '1M'), '/a.raw.xz': xz(rawImage(mib)) };
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: contents[request.url ?? ''] ?? Buffer.alloc(0) }),
  );
  const prlimit = run('sh', ['-c', 'command -v prlimit']).toString().trim();
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  for (const withLimiter of [false, true]) {
    if (withLimiter) writeFileSync(join(empty, 'prlimit'), `#!/bin/sh\nexec ${prlimit} "$@"\n`, { mode: 0o755 });
    for (const [path, tool] of [
      ['/a.qcow2', 'qemu-img'],
      ['/a.raw.xz', 'xz'],
    ]) {
      const one = await openStore(t, { allowHosts: [server.host] });
      process.env.PATH = empty;
      const failure = await one.failure(server.origin + path);
      process.env.PATH = before;
      assert.equal(failure.code, 'host.tool');
      assert.equal(failure.permanent, false);
      assert.match(failure.message, new RegExp(`can't run ${tool}`));
    }
  }
});
