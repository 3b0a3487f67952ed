// What comes in by HTTPS, through a real Caddy, with certificates checked: each name leads to its container and no further.

import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import https from 'node:https';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import type { Ingress } from '../../../src/agent/ingress/caddy.ts';
import { ask, caddiesOf, ingressDirectory, makeIngress, page, startUpstream, type Upstream } from './support.ts';

const address = '127.48.0.1';
const [one, two] = ['80-aaaaaaaaaaaaaaaa.localhost', '8080-bbbbbbbbbbbbbbbb.localhost'];

let directory: string;
let ingress: Ingress;
let first: Upstream;
let second: Upstream;

before(async () => {
  directory = await ingressDirectory();
  first = await startUpstream('first');
  second = await startUpstream('second');
  ingress = makeIngress(directory, address);
  await ingress.open();
  await serve([one, first.place], [two, second.place]);
});
after(async () => {
  await ingress.destroy();
  first.server.close().closeAllConnections();
  second.server.close().closeAllConnections();
  assert.deepEqual(caddiesOf(directory), []);
  await rm(dirname(directory), { recursive: true });
});

const serve = (...routes: [string, string][]) => ingress.change(() => new Map(routes));
const get = (name: string, asking = {}) => page(ingress, address, name, asking);
const told = async (name: string, asking = {}) => JSON.parse((await get(name, asking)).text);

test('each name leads to its container, with a certificate for it', async () => {
  assert.equal((await told(one, { path: '/some/page?x=%20y' })).name, 'first');
  const other = await told(two, { path: '/some/page?x=%20y' });
  assert.deepEqual([other.name, other.url], ['second', '/some/page?x=%20y']);
});

test('a container hears who asks and by what, and nobody can pretend to be somebody else', async () => {
  const { headers } = await told(one, { headers: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'http' } });
  assert.equal(headers.host, one);
  assert.equal(headers['x-forwarded-host'], one);
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.match(headers['x-forwarded-for'], /^127\.\d+\.\d+\.\d+$/);
});

test('a name that is not served gets no certificate, and no container under another’s', async () => {
  await assert.rejects(get('80-cccccccccccccccc.localhost'), /alert/);
  await assert.rejects(get('localhost'), /alert/);
  const { status, text } = await get(one, { host: '80-cccccccccccccccc.localhost' });
  assert.equal(status, 404);
  assert.ok(text.length < 100, text);
  const local = await readdir(join(directory, 'storage/certificates/local'));
  assert.deepEqual(local.sort(), [one, two].sort());
});

test('a container that does not listen is answered for with 502, briefly', async () => {
  await serve([one, first.place], [two, '127.0.0.1:9']);
  const { status, text } = await get(two);
  assert.equal(status, 502);
  assert.match(text, /does not answer/);
  assert.ok(text.length < 100, text);
  await serve([one, first.place], [two, second.place]);
});

test('a WebSocket passes both ways', async () => {
  const options = await ask(ingress, address, one, { headers: { connection: 'Upgrade', upgrade: 'websocket' } });
  const socket = await new Promise<Duplex>((resolve, reject) => {
    https
      .request(options)
      .on('upgrade', (answer, upgraded) => {
        assert.equal(answer.statusCode, 101);
        resolve(upgraded);
      })
      .on('error', reject)
      .end();
  });
  for (const word of ['to', 'and fro']) {
    socket.write(word);
    const echo = await new Promise((resolve) => socket.once('data', resolve));
    assert.equal(String(echo), word);
  }
  socket.destroy();
});

test('an answer is passed on as it comes, and a change of another name does not cut it short', async () => {
  const options = await ask(ingress, address, one, { path: '/slow' });
  const pieces: string[] = [];
  let ended: () => void = () => {};
  const whole = new Promise<void>((resolve) => {
    ended = resolve;
  });
  await new Promise<void>((resolve, reject) => {
    https
      .get(options, (answer) => {
        answer.on('error', reject).on('end', ended);
        answer.on('data', (piece) => {
          pieces.push(String(piece));
          resolve();
        });
      })
      .on('error', reject);
  });
  assert.deepEqual(pieces, ['begun\n'], 'before the container has said the rest');
  await serve([one, first.place]);
  await serve([one, first.place], [two, second.place]);
  await get(one, { path: '/finish' });
  await whole;
  assert.deepEqual(pieces, ['begun\n', 'finished\n']);
});

test('while other names come and go, a name keeps its certificate', async () => {
  let isOver = false;
  const failures: string[] = [];
  const client = async () => {
    while (!isOver) await get(one).catch((error: Error) => failures.push(error.message));
  };
  const clients = [client(), client(), client()];
  for (let number = 0; number < 20; number += 1) {
    await ingress.change((routes) => new Map([...routes, [`${number}-dddddddddddddddd.localhost`, second.place]]));
  }
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(
    failures.filter((message) => /alert/.test(message)),
    [],
  );
  await serve([one, first.place], [two, second.place]);
});

test('a body of 20 MB arrives whole', async () => {
  const options = await ask(ingress, address, one);
  const size = 20 * 1024 * 1024;
  const text = await new Promise<string>((resolve, reject) => {
    const request = https.request({ ...options, method: 'POST' }, (answer) => {
      let said = '';
      answer.on('data', (piece) => (said += piece)).on('end', () => resolve(said));
    });
    request.on('error', reject).end(Buffer.alloc(size, 'x'));
  });
  assert.equal(JSON.parse(text).length, size);
});

test('a name that is served no more is gone', async () => {
  await serve([two, second.place]);
  const { status } = await get(two, { host: one });
  assert.equal(status, 404);
  assert.equal((await told(two)).name, 'second');
  await serve();
  await assert.rejects(get('80-cccccccccccccccc.localhost'), /alert/, 'no name is served, and none gets a certificate');
  await serve([one, first.place], [two, second.place]);
  assert.equal((await told(one)).name, 'first');
});

test('Caddy has one privilege, and its orders and keys are nobody else’s', async () => {
  const [pid = 0, ...others] = caddiesOf(directory);
  assert.deepEqual(others, []);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/)[0];
  const bindService = (1n << 10n).toString(16).padStart(16, '0');
  assert.deepEqual(['Uid', 'Gid', 'CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs'].map(field), [
    '65534',
    '65534',
    bindService,
    bindService,
    bindService,
    '1',
  ]);
});

test('nothing of what was asked is written down', async () => {
  await get(one, { path: '/a-secret-path' });
  await serve([one, '127.0.0.1:9']);
  await get(one, { path: '/a-secret-path' });
  await serve([one, first.place], [two, second.place]);
  for (const file of [join(directory, 'caddy.out'), join(directory, 'run', 'caddy.log')]) {
    assert.doesNotMatch(await readFile(file, 'utf8'), /secret-path/);
  }
});
