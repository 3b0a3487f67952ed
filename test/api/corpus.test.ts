// Two thousand requests that were right once and then had something done to them: whatever is sent, the answer is one that
// the OpenAPI document names, in the contract's shape, and afterwards the books agree. A failing run repeats from its seed.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openApiDocuments } from '../../src/api/openapi.ts';
import { partsOf } from '../../src/model/ssh-key.ts';
import { startTestBerth } from '../support/berth.ts';
import { type Document, faultOf, maybeBent, type Sent, someHeaders, spoiled } from './requests.ts';
import { driftOf, imageUrl, keys, openStore, untilGone, type Vm } from './support.ts';

const seed = Number(process.env.BERTH_CORPUS_SEED ?? 20_260_101);
const requestsCount = 2_000;
const atOnce = 8;

const berth = await startTestBerth({ agent: { capacity: { memoryMib: 48 * 1024 } } });
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

/** Few enough that they meet each other. */
const name = fc.stringMatching(/^[a-h][0-9]$/);
const mostly = <Value>(right: fc.Arbitrary<Value>, wrong: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong });
const port = fc.record({ port: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom('tcp', 'udp') });
const constraints = fc.record({
  basicConfiguration: mostly(
    fc.constantFrom(null, 'cpu-1-ram-1gb-storage-5gb', 'cpu-2-ram-4gb-storage-25gb'),
    fc.constant('cpu-9'),
  ),
  additionalResources: fc.option(
    fc.record({
      storage: fc.array(fc.record({ type: mostly(fc.constant('NVMe'), fc.constant('SSD')), supply: fc.nat(30) }), {
        maxLength: 2,
      }),
    }),
  ),
  hardware: mostly(
    fc.constantFrom<object | null>(null, {}, { storage: [{ type: 'NVMe' }] }),
    fc.constant({ cpu: [{ manufacturer: 'VIA' }] }),
  ),
  datacenter: mostly(
    fc.constantFrom<object | null>(null, {}, { countries: [] }),
    fc.constantFrom({ countries: ['fr'] }, { countries: ['XX'] }),
  ),
  maxTotalPricePerEpochUsd: mostly(fc.constantFrom(null, '1.5'), fc.constantFrom('.1', '0.30697', '1e9')),
});
const deployBody = fc.record({
  constraints: fc.option(constraints),
  instances: mostly(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 12 })),
  vmConfiguration: fc.record({
    name,
    hostname: fc.option(name),
    openPorts: fc.option(fc.array(port, { maxLength: 5 })),
    osImage: mostly(fc.constant(imageUrl), fc.constant('http://10.0.0.1/x.img')),
    sshKeys: mostly(
      fc.constantFrom<string[]>([keys.ed25519], [keys.rsa, keys.ecdsa]),
      fc.constantFrom<string[]>([], ['a1'], ['b2']),
    ),
  }),
});
/** `ids` stands for VMs that are there when the request is sent. */
const someId = fc.constantFrom('@0', '@1', '@2', '@7', `0x${'0'.repeat(40)}`, 'x');
const updateBody = fc.record({
  updates: fc.array(
    fc.record({ id: someId, vmName: fc.option(name), openPorts: fc.option(fc.array(port, { maxLength: 4 })) }),
    {
      maxLength: 3,
    },
  ),
});
const deleteBody = fc.record({ vmIds: fc.array(someId, { maxLength: 3 }) });
const estimateBody = fc.record({ constraints: fc.option(constraints), instances: fc.integer({ min: 0, max: 11 }) });
const publicKey = fc.constantFrom<string>(...Object.values(keys));
const registerBody = fc.record({ name: fc.option(name), publicKey });
const forgetBody = fc.record({ fingerprint: publicKey.map((key) => partsOf(key).fingerprint) });

const queryText = fc.oneof(
  fc.constantFrom(
    '',
    'page=1',
    'page=0',
    'per_page=2&page=3',
    'page=1e3',
    'ids=',
    'ids=@0,@1',
    'ids=@0%2C@2',
    'ids=%',
    'a[b]=c',
    'ids=a&ids=b',
    'page=%00',
    '__proto__=1',
  ),
  fc
    .tuple(fc.constantFrom('page', 'per_page', 'ids', 'x'), fc.string({ unit: 'binary', maxLength: 40 }))
    .map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`),
);

const withBody = (method: string, body: fc.Arbitrary<unknown>, path = '/vms/v3') =>
  fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    headers: someHeaders,
    body: fc.oneof(
      { weight: 8, arbitrary: maybeBent(body).map((value) => JSON.stringify(value)) },
      spoiled(maybeBent(deployBody)),
      fc.constant(undefined),
    ),
  });
const withQuery = (path: string) =>
  fc.record({
    method: fc.constant('GET'),
    path: queryText.map((query) => `${path}?${query}`),
    headers: someHeaders,
    body: fc.constant(undefined),
  });
const elsewhere = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
  path: fc.constantFrom(
    '/x',
    '/vms',
    '/vms/v3/',
    '/vms/v3/x',
    '/vms//v3',
    '/vms/v3/%zz',
    '/vms/v3/%2e%2e',
    '/healthz/x',
    '/images/%2e',
    '/berth/v1',
    '/agent/v1/x',
  ),
  headers: someHeaders,
  body: fc.constant(undefined),
});

const requests: Sent[] = fc.sample(
  fc.oneof(
    { weight: 8, arbitrary: withBody('POST', deployBody) },
    { weight: 3, arbitrary: withBody('PATCH', updateBody) },
    { weight: 3, arbitrary: withBody('DELETE', deleteBody) },
    { weight: 3, arbitrary: withBody('POST', constraints, '/marketplace/offers') },
    { weight: 2, arbitrary: withBody('POST', estimateBody, '/vms/v3/estimate') },
    { weight: 2, arbitrary: withBody('POST', registerBody, '/ssh_keys') },
    { weight: 1, arbitrary: withBody('DELETE', forgetBody, '/ssh_keys') },
    { weight: 2, arbitrary: withQuery('/vms/v3') },
    { weight: 2, arbitrary: withQuery('/vms/v3/status') },
    { weight: 1, arbitrary: withQuery('/vms/v3/default_images') },
    { weight: 1, arbitrary: elsewhere },
  ) as fc.Arbitrary<Sent>,
  { seed, numRuns: requestsCount },
);

const fluence = JSON.parse((await openApiDocuments()).get('fluence.json') ?? '') as Document;

test(`no request of ${requestsCount} gets an answer that the contract does not name (seed ${seed})`, async () => {
  const faults: string[] = [];
  const statuses = new Map<string, number>();
  let ids: string[] = [];
  const send = async (sent: Sent, number: number) => {
    const fill = (text: string) =>
      text.replace(/@(\d)/g, (_, digit) => ids[(number * 7 + Number(digit)) % ids.length] ?? 'x');
    const headers: Record<string, string> = {
      'x-api-key': berth.apiKey,
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    };
    const response = await fetch(berth.url + fill(sent.path), {
      method: sent.method,
      headers,
      body: sent.body === undefined ? null : fill(sent.body),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const key = `${sent.method} ${response.status}`;
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
    const answer = { status: response.status, type: response.headers.get('content-type') ?? undefined, text };
    const what = faultOf(fluence, sent, answer);
    if (what) {
      const shown = JSON.stringify({ ...sent, body: sent.body?.slice(0, 500) });
      faults.push(`request ${number}: ${what}: ${response.status} ${text.slice(0, 300)} for ${shown}`);
    }
  };
  for (let at = 0; at < requests.length; at += atOnce) {
    if (at % 80 === 0) ids = (await berth.call<Vm[]>('GET', '/vms/v3')).body.map(({ id }) => id);
    await Promise.all(requests.slice(at, at + atOnce).map((sent, index) => send(sent, at + index)));
  }
  assert.deepEqual(faults.slice(0, 5), []);
  // The corpus is worth something only as long as it reaches into every call, on both sides.
  for (const key of [
    'POST 200',
    'POST 201',
    'POST 400',
    'POST 403',
    'POST 409',
    'POST 415',
    'POST 422',
    'PATCH 204',
    'PATCH 404',
    'DELETE 200',
    'DELETE 404',
    'GET 200',
    'GET 400',
  ]) {
    assert.ok(statuses.has(key), `no answer was ${key}: ${JSON.stringify([...statuses])}`);
  }
});

test('bytes that are no HTTP, or too much of it, get an answer in the same shape', async () => {
  const { hostname, port } = new URL(berth.url);
  const answerTo = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket.setTimeout(30_000, () => socket.destroy(new Error('no answer')));
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
      );
      socket.on('close', () => resolve(answer));
    });
  const cases: [bytes: string, status: number][] = [
    ['\u0000\u0001\u0002\r\n\r\n', 400],
    ['HELLO /vms/v3 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    [`GET /vms/v3 HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    [`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['POST /vms/v3 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['POST /vms/v3 HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', 400],
  ];
  for (const [bytes, status] of cases) {
    const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), bytes.slice(0, 60));
    assert.match(head, /content-type: application\/json/i);
    assert.deepEqual(Object.keys(JSON.parse(body)), ['error']);
  }
});

test('after all of it the server is healthy, the books agree, and everything can be given back', async () => {
  assert.equal((await berth.call('GET', '/healthz')).status, 200);
  const ids = (await berth.call<Vm[]>('GET', '/vms/v3')).body.map(({ id }) => id);
  assert.ok(ids.length > 0);
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: ids })).status, 200);
  const left = await database.selectFrom('assignment').select('instance_id').execute();
  if (left.length > 0)
    await untilGone(
      database,
      left.map((row) => row.instance_id),
    );
  assert.deepEqual(await driftOf(database), []);
  const host = await database.selectFrom('host').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([host.vcpus_used, host.memory_mib_used, host.disk_gib_used], [0, 0, 0]);
  assert.ok(!berth.log().includes(berth.apiKey));
  assert.doesNotMatch(berth.log(), /"level":50/);
});
