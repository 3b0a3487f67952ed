// ISO images out of the store: the same guarded, resumed, content-addressed way as disk images, for whatever their URLs end in.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mib, openStore, rawImage } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

/** Looks like a CD, and like a bootable disk, as installation images do. */
function isoImage(bytes = mib): Buffer {
  const image = rawImage(bytes, 'iso');
  image.write('\x01CD001', 32_768, 'latin1');
  return image;
}

const signal = new AbortController().signal;

test('an ISO image is kept as it is, once for all who ask, and not mistaken for the disk behind the same URL', async (t) => {
  const content = isoImage();
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const { store, ensure, failure, files } = await openStore(t, { allowHosts: [server.host] });
  const ask = (path: string) => store.ensureIso(`${server.origin}${path}`, () => {}, signal);
  const [one, two] = await Promise.all([ask('/install?token=secret'), ask('/install?token=secret')]);
  assert.equal(one, two);
  assert.deepEqual(readFileSync(one ?? ''), content);
  assert.equal(server.requests.length, 1);
  assert.equal(await ask('/other.iso'), one, 'the same content is there once');
  assert.equal(files().length, 1);
  await ask('/a.img');
  const { code, message } = await failure(`${server.origin}/a.img`);
  assert.equal(code, 'image.format');
  assert.match(message, /is an ISO 9660/);
  assert.ok((await ensure(`${server.origin}/a.img`).catch(() => null)) === null);
});

test('a download that breaks is resumed', async (t) => {
  const content = isoImage(4 * mib);
  let cut = true;
  const server = await startServer(t, (request, response) => {
    serve(request, response, { content }, cut ? 2 * mib : undefined);
    cut = false;
  });
  const { store } = await openStore(t, { allowHosts: [server.host] });
  const path = await store.ensureIso(`${server.origin}/cd`, () => {}, signal);
  assert.deepEqual(readFileSync(path), content);
  assert.match(server.requests[1]?.headers.range ?? '', /^bytes=[1-9]\d*-$/);
});

test('what is no ISO image is refused before it is fetched whole, and so is what must not be fetched', async (t) => {
  // It never sends the rest: whoever wants it all waits in vain.
  const server = await startServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 64 * mib });
    response.write(rawImage(mib));
  });
  const { store, files } = await openStore(t, { allowHosts: [server.host] });
  const refused = (url: string, code: string) =>
    assert.rejects(
      store.ensureIso(url, () => {}, signal),
      { name: 'DriverFailure', code },
    );
  await refused(`${server.origin}/disk.iso`, 'image.format');
  await refused('http://127.0.0.2/a.iso', 'image.address');
  await refused('ftp://example.com/a.iso', 'image.url');
  await refused('http://me:secret@example.com/a.iso', 'image.url');
  assert.deepEqual(files(), []);
});
