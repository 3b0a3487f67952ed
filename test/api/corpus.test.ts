// Two thousand requests that were right once and then had something done to them: whatever is sent, the answer is one that
// the OpenAPI document names, in the contract's shape, and afterwards the books agree. A failing run repeats from its seed.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { openApiDocuments } from '../../src/api/openapi.ts';
import { startTestBerth } from '../support/berth.ts';
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

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Values that break things, each for a reason of its own. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    0,
    -0,
    -1,
    1.5,
    1e308,
    2 ** 31,
    2 ** 53,
    -(2 ** 63),
    '0',
    '\u0000',
    '\uD800',
    '\u202e',
    '%00',
    '../../etc/passwd',
    "'; drop table instance; --",
    'a'.repeat(70_000),
    [],
    {},
    [[]],
    [null],
    { length: 3 },
    { toString: 1 },
    { constructor: { prototype: 1 } },
    Array(2_000).fill('x'),
    Array(60).fill({ port: 1, protocol: 'tcp' }),
    `0x${'0'.repeat(40)}`,
  ),
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
);

/** Few enough that they meet each other. */
const name = fc.stringMatching(/^[a-h][0-9]$/);
const mostly = <Value>(right: fc.Arbitrary<Value>, wrong: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong });
const port = fc.record({ port: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom('tcp', 'udp') });
const deployBody = fc.record({
  constraints: fc.option(
    fc.record({
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
      hardware: mostly(fc.constantFrom<object | null>(null, {}), fc.constant({ cpu: [{ manufacturer: 'AMD' }] })),
      maxTotalPricePerEpochUsd: mostly(fc.constantFrom(null, '1.5'), fc.constantFrom('.1', '0.30697')),
    }),
  ),
  instances: mostly(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 12 })),
  vmConfiguration: fc.record({
    name,
    hostname: fc.option(name),
    openPorts: fc.option(fc.array(port, { maxLength: 5 })),
    osImage: mostly(fc.constant(imageUrl), fc.constant('http://10.0.0.1/x.img')),
    sshKeys: mostly(fc.constantFrom<string[]>([keys.ed25519], [keys.rsa, keys.ecdsa]), fc.constant<string[]>([])),
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

/** Puts junk in one place of a value, or takes the place away, or adds one. */
function bent(value: unknown, where: readonly number[], what: unknown, how: number): unknown {
  const [step = 0, ...rest] = where;
  if (value === null || typeof value !== 'object' || where.length === 0) return what;
  const entries = Object.entries(value);
  if (how === 1) entries.push([JSON.stringify(what).slice(0, 50), what]);
  else if (entries.length === 0) return what;
  else {
    const at = step % entries.length;
    const [key, part] = entries[at] ?? ['', null];
    if (how === 2 && rest.length === 0) entries.splice(at, 1);
    else entries[at] = [key, bent(part, rest, what, how)];
  }
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
}

const maybeBent = (body: fc.Arbitrary<unknown>) =>
  fc
    .tuple(body, fc.option(fc.array(fc.nat(9), { minLength: 0, maxLength: 4 }), { freq: 2 }), junk, fc.nat(2))
    .map(([right, where, what, how]) => (where === null ? right : bent(right, where, what, how)));

/** Text that is nearly JSON. */
const spoiled = fc
  .tuple(
    maybeBent(deployBody),
    fc.nat(),
    fc.constantFrom('', '}', '\u0000', '"', ',', '\\', '\uFEFF', '{"__proto__":1}'),
  )
  .map(([body, at, text]) => {
    const whole = JSON.stringify(body) ?? '';
    const cut = at % (whole.length + 1);
    return whole.slice(0, cut) + text + whole.slice(cut + (at % 3));
  });

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

const headers = fc
  .record(
    {
      'content-type': fc.constantFrom(
        'application/json',
        'application/json; charset=utf-8',
        'text/plain',
        'application/xml',
        'x',
      ),
      'idempotency-key': fc.constantFrom('a', 'b', 'c d', '', 'x'.repeat(300)),
      authorization: fc.constantFrom('Bearer wrong', 'Basic eA==', ''),
      accept: fc.constantFrom('text/html', '*/*', 'x'),
      'x-api-key': fc.constantFrom('', 'wrong'),
      'accept-encoding': fc.constantFrom('gzip', 'br', 'identity;q=0'),
    },
    { requiredKeys: [] },
  )
  .map((given) => (Object.keys(given).length > 3 ? {} : { ...given }) as Record<string, string>);

const withBody = (method: string, body: fc.Arbitrary<unknown>) =>
  fc.record({
    method: fc.constant(method),
    path: fc.constant('/vms/v3'),
    headers,
    body: fc.oneof(
      { weight: 8, arbitrary: maybeBent(body).map((value) => JSON.stringify(value)) },
      spoiled,
      fc.constant(undefined),
    ),
  });
const withQuery = (path: string) =>
  fc.record({
    method: fc.constant('GET'),
    path: queryText.map((query) => `${path}?${query}`),
    headers,
    body: fc.constant(undefined),
  });
const elsewhere = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
  path: fc.constantFrom(
    '/',
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
  headers,
  body: fc.constant(undefined),
});

const requests: Sent[] = fc.sample(
  fc.oneof(
    { weight: 8, arbitrary: withBody('POST', deployBody) },
    { weight: 3, arbitrary: withBody('PATCH', updateBody) },
    { weight: 3, arbitrary: withBody('DELETE', deleteBody) },
    { weight: 2, arbitrary: withQuery('/vms/v3') },
    { weight: 2, arbitrary: withQuery('/vms/v3/status') },
    { weight: 1, arbitrary: withQuery('/vms/v3/default_images') },
    { weight: 1, arbitrary: elsewhere },
  ) as fc.Arbitrary<Sent>,
  { seed, numRuns: requestsCount },
);

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
const fluence = JSON.parse((await openApiDocuments()).get('fluence.json') ?? '') as {
  paths: Record<string, Record<string, Operation>>;
};
const ajv = new Ajv({ strict: false });

/** What is wrong with an answer, or null. */
function fault(sent: Sent, status: number, type: string | null, text: string): string | null {
  if (status >= 500) return 'a server error';
  if (sent.method === 'HEAD') return null;
  const operation = fluence.paths[sent.path.split('?', 1)[0] ?? '']?.[sent.method.toLowerCase()];
  const documented = operation?.responses[status];
  if (operation && !documented) return 'a status that is not documented';
  if (status === 204) return text === '' ? null : '204 with a body';
  if (!type?.startsWith('application/json')) return `not JSON but ${type}`;
  const body: unknown = JSON.parse(text);
  if (status >= 400) {
    const { error, ...rest } = body as { error?: unknown };
    // Berth's own API has an error shape of its own, below its own paths.
    if (typeof error !== 'string' || error === '' || Object.keys(rest).length > 0) return 'an error of another shape';
    if (error.length > 1_000) return 'an error text without end';
    return null;
  }
  const schema = documented?.content?.['application/json']?.schema;
  if (!schema) return 'an answer where nothing is documented';
  return ajv.validate(schema, body) ? null : `not the documented shape: ${ajv.errorsText()}`;
}

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
    const what = fault(sent, response.status, response.headers.get('content-type'), text);
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
