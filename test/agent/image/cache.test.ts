import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mib, openStore, rawImage, sha256 } from './fixtures.ts';
import { type Served, serve, startServer } from './image-server.ts';

const minute = 60_000;
const [first, second] = [rawImage(mib, 'first'), rawImage(mib, 'second')];

test('a cached image is used without a word to its server, also after a restart, for ten minutes', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content: first }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.raw`;
  const image = await one.ensure(url);
  one.clock.ms += 9 * minute;
  const two = await one.again();
  assert.deepEqual(await two.ensure(url), image);
  assert.deepEqual(
    two.steps.map(({ kind }) => kind),
    ['image.ready'],
  );
  await server.close();
  assert.deepEqual(await two.ensure(url), image);
  assert.equal(server.requests.length, 1);
});

test('after that its server is asked whether it has changed, and only then it is fetched again', async (t) => {
  const date = (day: number) => `Mon, 0${day} Jan 2024 00:00:00 GMT`;
  for (const files of [
    [{ content: first }, { content: second }],
    [
      { content: first, etag: null, lastModified: date(1) },
      { content: second, etag: null, lastModified: date(8) },
    ],
  ] as [Served, Served][]) {
    let [file] = files;
    const statuses: number[] = [];
    const server = await startServer(t, (request, response) => {
      serve(request, response, file);
      statuses.push(response.statusCode);
    });
    const one = await openStore(t, { allowHosts: [server.host] });
    const url = `${server.origin}/a.raw`;
    await one.ensure(url);
    one.clock.ms += 11 * minute;
    assert.equal((await one.ensure(url)).sha256, sha256(first));
    one.clock.ms += 9 * minute;
    await one.ensure(url);
    assert.deepEqual(statuses, [200, 304]);
    file = files[1];
    one.clock.ms += 2 * minute;
    assert.equal((await one.ensure(url)).sha256, sha256(second));
    assert.deepEqual(statuses, [200, 304, 200]);
  }
});

test('when its server can not be asked, the cached copy is used; when it says no, that counts', async (t) => {
  let status = 500;
  const server = await startServer(t, (request, response) => {
    if (status === 200) serve(request, response, { content: first });
    else if (status === 0) request.socket.destroy();
    else response.writeHead(status, status === 503 ? { 'retry-after': '100' } : {}).end();
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.raw`;
  status = 200;
  const image = await one.ensure(url);
  for (status of [500, 503, 0]) {
    one.clock.ms += 11 * minute;
    const before = server.requests.length;
    assert.deepEqual(await one.ensure(url), image);
    assert.deepEqual(await one.ensure(url), image);
    assert.equal(server.requests.length, before + 1, 'asked once, and not again for a while');
  }
  assert.equal(one.warnings.length, 3);
  status = 404;
  one.clock.ms += 11 * minute;
  assert.equal((await one.failure(url)).code, 'image.http');
});

test('a newer version that can not be fetched whole leaves the cached one in use', async (t) => {
  let broken = false;
  const server = await startServer(t, (request, response) => {
    if (broken) serve(request, response, { content: second, etag: null }, 1000);
    else serve(request, response, { content: first });
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const image = await one.ensure(`${server.origin}/a.raw`);
  broken = true;
  one.clock.ms += 11 * minute;
  assert.deepEqual(await one.ensure(`${server.origin}/a.raw`), image);
  assert.deepEqual(one.files(), [`base/${image.sha256}.raw`]);
});

test('the same content under two URLs is one base', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content: first }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const images = [await one.ensure(`${server.origin}/a.raw`), await one.ensure(`${server.origin}/b.img?x=1`)];
  assert.equal(images[0]?.path, images[1]?.path);
  assert.equal(one.files().length, 1);
});

test('a base that is missing or has another size is fetched again', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content: first }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const { path } = await one.ensure(`${server.origin}/a.raw`);
  rmSync(path);
  await one.ensure(`${server.origin}/a.raw`);
  chmodSync(path, 0o644);
  truncateSync(path, 1000);
  const image = await one.ensure(`${server.origin}/a.raw`);
  assert.equal(server.requests.length, 3);
  assert.equal(image.path, path);
});

test('the least recently used images make room, those in use and those just handed out stay', async (t) => {
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: rawImage(mib, request.url ?? '') }),
  );
  const one = await openStore(t, { allowHosts: [server.host], limits: { cacheBytesMax: 2.5 * mib } });
  const fetch = async (name: string) => {
    one.clock.ms += 20 * minute;
    return (await one.ensure(`${server.origin}/${name}.raw`)).path;
  };
  const a = await fetch('a');
  const b = await fetch('b');
  assert.ok(existsSync(a) && existsSync(b));
  assert.equal(await fetch('a'), a);
  const c = await fetch('c');
  assert.deepEqual([a, b, c].map(existsSync), [true, false, true]);

  one.used.add(a);
  one.used.add(c);
  const d = await fetch('d');
  assert.deepEqual([a, c, d].map(existsSync), [true, true, true], 'd was just handed out');
  one.clock.ms += 20 * minute;
  await one.store.evict();
  assert.deepEqual([a, c, d].map(existsSync), [true, true, false]);
  assert.equal(server.requests.filter(({ url }) => url === '/d.raw').length, 1);
  assert.equal(await fetch('d'), d);
  assert.equal(server.requests.filter(({ url }) => url === '/d.raw').length, 2);
});

test('when it can not be told what is in use, nothing is removed', async (t) => {
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: rawImage(mib, request.url ?? '') }),
  );
  const one = await openStore(t, {
    allowHosts: [server.host],
    limits: { cacheBytesMax: 1 },
    inUse: async () => {
      throw new Error('the list of VMs can not be read');
    },
  });
  for (const name of ['a', 'b', 'c']) {
    one.clock.ms += 20 * minute;
    await one.ensure(`${server.origin}/${name}.raw`);
  }
  await one.store.evict();
  assert.equal(one.files().length, 3);
  assert.match(one.warnings[0] ?? '', /can not be told which images are in use/);
});

test('a lost or spoilt index costs a download, and bases that nobody knows go when nothing uses them', async (t) => {
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: rawImage(mib, request.url ?? '') }),
  );
  for (const spoilt of ['', '{"half', 'null', '[]', '{"a":{"url":1}}']) {
    const one = await openStore(t, { allowHosts: [server.host] });
    const [a, b, c] = [
      await one.ensure(`${server.origin}/a.raw`),
      await one.ensure(`${server.origin}/b.raw`),
      await one.ensure(`${server.origin}/c.raw`),
    ];
    writeFileSync(join(one.directory, 'index.json'), spoilt);
    const two = await one.again();
    two.used.add(b.path);
    assert.equal(two.files().length, 3, 'nothing is removed before anyone was asked');
    assert.equal((await two.ensure(`${server.origin}/a.raw`)).path, a.path);
    await two.store.evict();
    assert.deepEqual(
      [a, b, c].map(({ path }) => existsSync(path)),
      [true, true, false],
    );
  }
});

test('half written files of an earlier run are gone after the start', async (t) => {
  const one = await openStore(t);
  writeFileSync(join(one.directory, 'tmp', 'half'), 'x');
  writeFileSync(join(one.directory, 'index.json.new'), '{');
  const two = await one.again();
  assert.deepEqual(two.files(), []);
  assert.deepEqual(readdirSync(two.directory).sort(), ['base', 'part', 'tmp']);
});
