import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { checkQcow2Header } from '../../../src/agent/image/qcow2.ts';
import { asQcow2, gz, mib, openStore, qcow2Image, rawImage, run, scratch, xz } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

/** The failure that an image ends in, plain and inside a gzip and an xz file, always without a file left. */
async function refused(t: TestContext, content: Buffer, limits = {}): Promise<DriverFailure> {
  const server = await startServer(t, (request, response) => {
    const packed = request.url === '/a.img.gz' ? gz(content) : request.url === '/a.img.xz' ? xz(content) : content;
    serve(request, response, { content: packed });
  });
  const one = await openStore(t, { allowHosts: [server.host], limits });
  const failures: DriverFailure[] = [];
  for (const path of ['/a.qcow2', '/a.img', '/a.img.gz', '/a.img.xz']) {
    failures.push(await one.failure(server.origin + path));
    assert.deepEqual(one.files(), [], path);
  }
  assert.equal(new Set(failures.map(({ code }) => code)).size, 1);
  const [first] = failures;
  assert.ok(first);
  assert.equal(first.permanent, true);
  return first;
}

/** A copy with some bytes of the header changed. */
function patched(image: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(image);
  change(copy);
  return copy;
}

test('plain qcow2 images of every kind that qemu-img makes are taken', async (t) => {
  const raw = rawImage(2 * mib);
  const images = [
    asQcow2(t, raw),
    asQcow2(t, raw, '-c'),
    asQcow2(t, raw, '-c', '-o', 'compression_type=zstd'),
    asQcow2(t, raw, '-o', 'compat=0.10'),
    asQcow2(t, raw, '-o', 'cluster_size=512'),
    asQcow2(t, raw, '-o', 'cluster_size=2M'),
    asQcow2(t, raw, '-o', 'extended_l2=on'),
    asQcow2(t, raw, '-o', 'lazy_refcounts=on'),
    asQcow2(t, raw, '-o', 'preallocation=metadata'),
  ];
  for (const [index, content] of images.entries()) {
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host] });
    const image = await one.ensure(`${server.origin}/a.qcow2`);
    assert.equal(image.virtualSizeBytes, 2 * mib, `image ${index}`);
    assert.deepEqual(readFileSync(image.path), content);
  }
});

test('a qcow2 with a backing file is refused by our own eyes', async (t) => {
  const directory = scratch(t);
  const base = join(directory, 'secret.raw');
  writeFileSync(base, rawImage(mib));
  for (const compat of ['1.1', '0.10']) {
    const overlay = join(directory, 'overlay.qcow2');
    run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `compat=${compat}`, '-b', base, '-F', 'raw', overlay]);
    const failure = await refused(t, readFileSync(overlay));
    assert.equal(failure.code, 'image.backing-file');
    assert.match(failure.message, /backing file \(`.*secret\.raw`\).*make it stand alone with qemu-img convert/);
  }
  const named = patched(qcow2Image(t, '1M'), (header) => {
    header.writeBigUInt64BE(512n, 8);
    header.writeUInt32BE(11, 16);
    header.write('/etc/shadow', 512);
  });
  assert.match((await refused(t, named)).message, /`\/etc\/shadow`/);
});

test('a qcow2 that keeps its data in another file is refused', async (t) => {
  const directory = scratch(t);
  const [image, data] = [join(directory, 'a.qcow2'), join(directory, 'a.data')];
  run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${data},data_file_raw=on`, image, '1M']);
  const failure = await refused(t, readFileSync(image));
  assert.equal(failure.code, 'image.data-file');
  assert.match(failure.message, /keeps its data in another file/);
  // The name alone, without the feature's bit, and after another extension.
  const extension = patched(qcow2Image(t, '1M'), (header) => {
    const at = header.readUInt32BE(100);
    header.fill(0, at, 512);
    header.writeUInt32BE(0x12345678, at);
    header.writeUInt32BE(3, at + 4);
    header.writeUInt32BE(0x44415441, at + 16);
    header.writeUInt32BE(11, at + 20);
    header.write('/etc/shadow', at + 24);
  });
  assert.equal((await refused(t, extension)).code, 'image.data-file');
});

test('an encrypted qcow2 is refused', async (t) => {
  // The header says how; making a real one would have qemu-img time the processor, which fails on a busy machine.
  const cryptMethodAt = 32;
  for (const method of [1, 2]) {
    const encrypted = patched(qcow2Image(t, '1M'), (header) => header.writeUInt32BE(method, cryptMethodAt));
    assert.equal((await refused(t, encrypted)).code, 'image.encrypted');
  }
});

test('unknown features, a mark of corruption and absurd numbers are refused', async (t) => {
  const good = qcow2Image(t, '1M');
  const cases: [code: string, message: RegExp, change: (header: Buffer) => void][] = [
    ['image.format', /features that are not known here \(0x20\)/, (header) => header.writeBigUInt64BE(0x20n, 72)],
    ['image.format', /0x8000000000000000/, (header) => header.writeBigUInt64BE(1n << 63n, 72)],
    ['image.corrupt', /marked as corrupt/, (header) => header.writeBigUInt64BE(2n, 72)],
    ['image.size', /disk of 0 bytes/, (header) => header.writeBigUInt64BE(0n, 24)],
    ['image.size', /at most 64 GiB/, (header) => header.writeBigUInt64BE(1n << 62n, 24)],
    ['image.corrupt', /clusters are of 2\^40/, (header) => header.writeUInt32BE(40, 20)],
    ['image.corrupt', /claims 4294967295 bytes/, (header) => header.writeUInt32BE(0xffffffff, 100)],
    ['image.corrupt', /L1 table/, (header) => header.writeUInt32BE(0xffffffff, 36)],
    ['image.corrupt', /refcount table/, (header) => header.writeUInt32BE(0xffffffff, 56)],
    ['image.corrupt', /snapshots/, (header) => header.writeUInt32BE(0xffffffff, 60)],
    ['image.corrupt', /extension .* is cut off/, (header) => header.writeUInt32BE(0xfffffff0, 116)],
  ];
  for (const [code, message, change] of cases) {
    const failure = await refused(t, patched(good, change));
    assert.match(failure.message, message);
    assert.equal(failure.code, code);
  }
  assert.match((await refused(t, good.subarray(0, 80))).message, /header is cut off/);
});

test('a qcow2 whose tables are damaged or cut off is found by qemu-img', async (t) => {
  const raw = rawImage(2 * mib);
  const good = asQcow2(t, raw, '-o', 'cluster_size=4096');
  const cut = good.subarray(0, 1_000_448);
  const wild = patched(good, (image) =>
    image.writeBigUInt64BE(0x8000_0000_0000_1234n, Number(image.readBigUInt64BE(40))),
  );
  for (const content of [cut, wild]) {
    const failure = await refused(t, content);
    assert.equal(failure.code, 'image.corrupt');
    assert.match(failure.message, /is a damaged qcow2 image: qemu-img/);
  }
});

test('a header of any bytes gives a size or a failure, and never anything else', () => {
  const header = fc.uint8Array({ minLength: 0, maxLength: 700 });
  const change = fc.record({ at: fc.nat(199), value: fc.nat(255) });
  const good = Buffer.alloc(65536);
  good.write('QFI\xfb', 0, 'latin1');
  good.writeUInt32BE(3, 4);
  good.writeUInt32BE(16, 20);
  good.writeBigUInt64BE(1n << 20n, 24);
  good.writeUInt32BE(104, 100);
  const check = (bytes: Buffer) => {
    try {
      const size = checkQcow2Header(bytes, 'The image', 2 ** 36);
      assert.ok(size > 0 && size <= 2 ** 36);
      assert.equal(bytes.readBigUInt64BE(8), 0n);
    } catch (error) {
      assert.ok(error instanceof DriverFailure, String(error));
    }
  };
  fc.assert(fc.property(header, (bytes) => check(Buffer.from(bytes))));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const { at, value } of changes) bytes[at] = value;
      check(bytes);
    }),
  );
});
