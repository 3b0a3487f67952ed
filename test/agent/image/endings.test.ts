import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { asQcow2, diskBytes, gz, mib, openStore, qcow2Image, rawImage, sha256, xz } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

test('every ending becomes a read-only base named after its content', async (t) => {
  const raw = rawImage(2 * mib);
  const qcow2 = asQcow2(t, raw);
  const cases: [path: string, served: Buffer, format: 'raw' | 'qcow2', inside: Buffer][] = [
    ['/a.qcow2', qcow2, 'qcow2', qcow2],
    ['/a.img', raw, 'raw', raw],
    ['/q.img', qcow2, 'qcow2', qcow2],
    ['/a.raw', raw, 'raw', raw],
    ['/a.raw.xz', xz(raw), 'raw', raw],
    ['/a.raw.gz', gz(raw), 'raw', raw],
    ['/a.img.xz', xz(raw), 'raw', raw],
    ['/q.img.xz', xz(qcow2), 'qcow2', qcow2],
    ['/a.img.gz', gz(raw), 'raw', raw],
    ['/q.img.gz', gz(qcow2), 'qcow2', qcow2],
    ['/UPPER.RAW.GZ', gz(raw), 'raw', raw],
    ['/members.raw.gz', Buffer.concat([gz(raw.subarray(0, mib)), gz(raw.subarray(mib))]), 'raw', raw],
    ['/streams.raw.xz', Buffer.concat([xz(raw.subarray(0, mib)), xz(raw.subarray(mib))]), 'raw', raw],
  ];
  const server = await startServer(t, (request, response) => {
    const found = cases.find(([path]) => path === request.url?.split('?')[0]);
    serve(request, response, { content: found?.[1] ?? Buffer.alloc(0) });
  });
  for (const [path, , format, inside] of cases) {
    const one = await openStore(t, { allowHosts: [server.host] });
    const image = await one.ensure(`${server.origin}${path}?token=secret`);
    assert.equal(image.format, format, path);
    assert.equal(image.virtualSizeBytes, 2 * mib, path);
    assert.equal(image.sha256, sha256(inside), path);
    assert.deepEqual(readFileSync(image.path), inside, path);
    assert.equal(image.path, `${one.directory}/base/${image.sha256}.${format}`, path);
    assert.equal(statSync(image.path).mode & 0o777, 0o444, path);
    assert.deepEqual(one.files(), [`base/${image.sha256}.${format}`], path);
    assert.deepEqual(one.warnings, [], path);
    assert.equal(readFileSync(`${one.directory}/index.json`, 'utf8').includes('secret'), false, path);
    assert.ok(!JSON.stringify(one.steps).includes('secret'), path);
  }
});

test('the checks run as the unprivileged user, who can read the base and nothing else of the store', async (t) => {
  const qcow2 = asQcow2(t, rawImage(mib));
  const content = xz(qcow2);
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const unprivileged = process.getuid?.() === 0 ? { unprivileged: { uid: 65534, gid: 65534 } } : {};
  const one = await openStore(t, { allowHosts: [server.host], ...unprivileged });
  const image = await one.ensure(`${server.origin}/a.img.xz`);
  assert.equal(image.format, 'qcow2');
  assert.equal(statSync(`${one.directory}/base`).mode & 0o005, 0o005);
  assert.equal(statSync(`${one.directory}/part`).mode & 0o077, 0);
  assert.equal(statSync(`${one.directory}/tmp`).mode & 0o077, 0);
});

test('a raw image of mostly zeros takes hardly any space, however it comes', async (t) => {
  const raw = Buffer.alloc(64 * mib);
  rawImage(mib).copy(raw);
  raw[40 * mib + 5] = 7;
  const wanted = sha256(raw);
  for (const [path, content] of [
    ['/a.raw', raw],
    ['/a.raw.gz', gz(raw)],
    ['/a.raw.xz', xz(raw)],
  ] as const) {
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host] });
    const image = await one.ensure(server.origin + path);
    assert.equal(image.sha256, wanted, path);
    assert.equal(sha256(readFileSync(image.path)), wanted, path);
    assert.equal(statSync(image.path).size, 64 * mib, path);
    assert.ok(diskBytes(image.path) <= 2 * mib, `${path} takes ${diskBytes(image.path)} bytes`);
  }
});

test('a file that is not what its ending says is refused, in words that say what it is', async (t) => {
  const raw = rawImage(mib);
  const qcow2 = asQcow2(t, raw);
  const html = Buffer.from(`<!DOCTYPE html>\n<html><title>Not found</title>${' '.repeat(2000)}</html>`);
  const at = (offset: number, magic: string) => {
    const content = Buffer.alloc(40_000);
    content.write(magic, offset, 'latin1');
    content[510] = 0x55;
    content[511] = 0xaa;
    return content;
  };
  const cases: [path: string, served: Buffer, message: RegExp][] = [
    [
      '/a.raw',
      html,
      /is not a disk image: it begins with `<!DOCTYPE html>`; a file that ends in \.raw must be a raw disk/,
    ],
    ['/a.img', html, /is not a disk image: it begins with `<!DOCTYPE html>`; .* a qcow2 image or a raw disk image/],
    ['/a.qcow2', html, /is not a disk image: it begins with `<!DOCTYPE html>`; .* must be a qcow2 image/],
    ['/a.raw.gz', html, /is not a gzip file: it begins with `<!DOCTYPE html>`/],
    ['/a.raw.xz', html, /is not an xz file: it begins with `<!DOCTYPE html>`/],
    [
      '/in.raw.gz',
      gz(html),
      /The file inside http.*\/in\.raw\.gz is not a disk image: it begins with `<!DOCTYPE html>`/,
    ],
    ['/a.qcow2', raw, /is a raw disk image; a file that ends in \.qcow2 must be a qcow2 image/],
    ['/a.raw', qcow2, /is a qcow2 image; a file that ends in \.raw must be a raw disk image/],
    ['/in.raw.xz', xz(qcow2), /The file inside .* is a qcow2 image; .* \.raw\.xz must be a raw disk image/],
    ['/a.raw', gz(raw), /is a gzip file; a file that ends in \.raw must be a raw disk image/],
    ['/a.raw.gz', xz(raw), /is an xz file; a file that ends in \.raw\.gz must be a gzip file/],
    ['/a.raw.xz', gz(raw), /is a gzip file; a file that ends in \.raw\.xz must be an xz file/],
    ['/twice.raw.gz', gz(gz(raw)), /The file inside .* is a gzip file/],
    ['/a.raw', Buffer.alloc(4096), /begins with the bytes 00 00 00 00 00 00 00 00.*55 aa at byte 510/],
    ['/a.raw', Buffer.alloc(0), /is empty/],
    ['/a.raw', raw.subarray(0, 5000), /is cut off: its 5000 bytes are not a whole number of 512-byte sectors/],
    ['/cd.img', at(32769, 'CD001'), /is an ISO 9660 \(CD or DVD\) image;.* convert it with qemu-img convert/],
    ['/a.img', at(0, 'KDMV'), /is a VMDK image/],
    ['/a.img', at(0, 'vhdxfile'), /is a VHDX image/],
    ['/a.img', at(64, '\x7f\x10\xda\xbe'), /is a VDI image/],
    ['/a.img', at(0, 'QFI\xfb\0\0\0\x01'), /is a qcow version 1 image/],
    ['/a.img', at(0, 'LUKS\xba\xbe'), /is a LUKS volume/],
    ['/a.img', at(0, 'BZh9'), /is a bzip2 file/],
  ];
  for (const [path, content, message] of cases) {
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host] });
    const failure = await one.failure(server.origin + path);
    assert.match(failure.message, message);
    assert.match(failure.code, /^image\.(format|corrupt)$/);
    assert.equal(failure.permanent, true);
    assert.deepEqual(one.files(), [], path);
    assert.equal(server.requests.length, 1, path);
  }
});

test('a file of the wrong kind is refused after its first bytes, not after its last', async (t) => {
  const content = Buffer.alloc(64 * mib, '<p>hello</p>');
  let finished = false;
  const server = await startServer(t, (request, response) => {
    response.on('finish', () => {
      finished = true;
    });
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, mib));
    request.on('close', () => response.destroy());
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  assert.equal((await one.failure(`${server.origin}/a.raw`)).code, 'image.format');
  assert.equal(finished, false);
  assert.deepEqual(one.files(), []);
});

test('damaged compression is said to be damaged', async (t) => {
  const raw = rawImage(mib);
  const spoil = (content: Buffer) => {
    const copy = Buffer.from(content);
    const middle = copy.length >> 1;
    copy.fill(0xff, middle, middle + 64);
    return copy;
  };
  for (const [path, content] of [
    ['/a.raw.gz', spoil(gz(raw))],
    ['/a.raw.gz', gz(raw).subarray(0, 1000)],
    ['/a.raw.xz', spoil(xz(raw))],
    ['/a.raw.xz', xz(raw).subarray(0, 1000)],
  ] as const) {
    const server = await startServer(t, (request, response) => serve(request, response, { content }));
    const one = await openStore(t, { allowHosts: [server.host] });
    const failure = await one.failure(server.origin + path);
    assert.equal(failure.code, 'image.corrupt', failure.message);
    assert.match(failure.message, /can't be unpacked: (gzip finds|xz says) /);
    assert.deepEqual(one.files(), []);
  }
});

test('an image larger than the disk it is for is refused, and serves a larger disk', async (t) => {
  const content = qcow2Image(t, '10G');
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.qcow2`;
  const failure = await one.failure(url, 5 * 1024 * mib);
  assert.equal(failure.code, 'image.size');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /needs 10 GiB, the VM's disk has 5 GiB/);
  assert.equal((await one.ensure(url, 10 * 1024 * mib)).virtualSizeBytes, 10 * 1024 * mib);
  assert.equal(server.requests.length, 1);
});
