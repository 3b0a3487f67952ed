// The ingress through everything that ends processes: Caddy killed or replaced, the agent gone and back, ports taken.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Ingress } from '../../../src/agent/ingress/caddy.ts';
import { caddyConfig } from '../../../src/agent/ingress/config.ts';
import { until } from '../../support/berth.ts';
import { caddiesOf, ingressDirectory, makeIngress, page, startUpstream, type Upstream } from './support.ts';

const run = promisify(execFile);
const address = '127.48.0.2';
const [one, two] = ['80-aaaaaaaaaaaaaaaa.localhost', '8080-bbbbbbbbbbbbbbbb.localhost'];

let directory: string;
let ingress: Ingress;
let upstream: Upstream;

before(async () => {
  upstream = await startUpstream('first');
});
after(() => {
  upstream.server.close().closeAllConnections();
});
beforeEach(async () => {
  directory = await ingressDirectory();
  ingress = makeIngress(directory, address);
  await ingress.open();
});
afterEach(async () => {
  await ingress.destroy();
  assert.deepEqual(caddiesOf(directory), []);
  await rm(dirname(directory), { recursive: true });
});

const serve = (...names: string[]) => ingress.change(() => new Map(names.map((name) => [name, upstream.place])));
const answers = (name: string) =>
  page(ingress, address, name).then(
    ({ status }) => status === 200,
    () => false,
  );

test('nothing runs until there is something to serve', async () => {
  await serve();
  assert.deepEqual(caddiesOf(directory), []);
  assert.deepEqual(ingress.place, { domain: 'localhost', port: 443 });
  await serve(one);
  assert.equal(caddiesOf(directory).length, 1);
  assert.equal(await answers(one), true);
});

test('a Caddy that is killed comes back with everything that it served', async () => {
  await serve(one, two);
  const authority = await readFile(ingress.rootCertificate, 'utf8');
  const [killed = 0] = caddiesOf(directory);
  process.kill(killed, 'SIGKILL');
  await until('it serves again', () => answers(two));
  assert.equal(await answers(one), true);
  const [back, ...others] = caddiesOf(directory);
  assert.deepEqual(others, []);
  assert.notEqual(back, killed);
  assert.equal(await readFile(ingress.rootCertificate, 'utf8'), authority);
});

test('an agent that comes back finds the Caddy of before, which has served on', async () => {
  await serve(one);
  const pids = caddiesOf(directory);
  await ingress.close();
  assert.equal(await answers(one), true);
  ingress = makeIngress(directory, address);
  await ingress.open();
  assert.equal(await answers(one), true, 'before anybody says what is to be served');
  await ingress.change((routes) => new Map([...routes, [two, upstream.place]]));
  assert.deepEqual([await answers(one), await answers(two)], [true, true]);
  assert.deepEqual(caddiesOf(directory), pids);
});

test('a Caddy that died while no agent was there is brought back by the next', async () => {
  await serve(one);
  await ingress.close();
  for (const pid of caddiesOf(directory)) process.kill(pid, 'SIGKILL');
  await until('it is gone', async () => caddiesOf(directory).length === 0);
  ingress = makeIngress(directory, address);
  await ingress.open();
  await until('it serves again', () => answers(one));
});

test('a Caddy that takes no orders any more is replaced', async () => {
  await serve(one);
  const [deaf] = caddiesOf(directory);
  await rm(join(directory, 'run', 'admin.sock'));
  await serve(one, two);
  assert.deepEqual([await answers(one), await answers(two)], [true, true]);
  assert.notDeepEqual(caddiesOf(directory), [deaf]);
});

test('the port is chosen once: the usual one if it is free, else another, and then always the same', async () => {
  const taken = createServer();
  const other = '127.48.0.3';
  await new Promise<void>((resolve) => taken.listen(443, other, resolve));
  const elsewhere = await ingressDirectory();
  const make = async () => {
    const made = makeIngress(elsewhere, other);
    await made.open();
    await made.close();
    return made.place;
  };
  assert.deepEqual(await make(), { domain: 'localhost', port: 8443 });
  await new Promise((resolve) => taken.close(resolve));
  assert.deepEqual(await make(), { domain: 'localhost', port: 8443 });
  await rm(dirname(elsewhere), { recursive: true });
});

test('while the port is somebody else’s the reason is told, and once it is free the names are served', async () => {
  await ingress.close();
  const warnings: object[] = [];
  const logger = { info: () => {}, warn: (about: object) => void warnings.push(about) };
  ingress = makeIngress(directory, address, { logger });
  await ingress.open();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(443, address, resolve));
  try {
    await assert.rejects(serve(one), /did not come up: .*address already in use/);
    await sleep(4_000);
    assert.ok(warnings.length >= 1 && warnings.length <= 3, `attempts grow rare, not ${warnings.length}`);
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
  await until('it serves', () => answers(one));
});

test('without Caddy there is no ingress, and that is all', async () => {
  const child = join(import.meta.dirname, 'no-caddy-child.ts');
  const hidden = 'mount --bind /dev/null "$(command -v caddy)" && exec "$0" "$@"';
  const folder = await ingressDirectory();
  const { stdout } = await run('unshare', ['--mount', 'sh', '-c', hidden, process.execPath, child, folder]);
  assert.deepEqual(JSON.parse(stdout), { place: null, told: 1 });
  await rm(dirname(folder), { recursive: true });
});

test('what Caddy would be told for a public domain is something that it understands', async () => {
  const options = {
    domain: 'apps.example.com',
    address: '192.0.2.1',
    port: 443,
    isPublic: true,
    email: 'ops@example.com',
  };
  const places = { storage: join(directory, 'storage'), run: join(directory, 'run') };
  const routes = new Map([['80-aaaaaaaaaaaaaaaa.apps.example.com', '10.213.0.2:80']]);
  for (const version of ['v2.6.2', 'v2.10.0']) {
    const config = caddyConfig(options, routes, places, version);
    const file = join(directory, `${version}.json`);
    await writeFile(file, JSON.stringify(config));
    const validated = run('caddy', ['validate', '--config', file], { env: { ...process.env, HOME: directory } });
    // A later Caddy's settings are not in this one, which names what it does not know.
    if (version === 'v2.6.2') assert.match((await validated).stdout, /Valid configuration/);
    else await assert.rejects(validated, /unknown field "stream_close_delay"/);
  }
});
