// Twenty thousand requests over every operation of the customers' documents, made from the documents' schemas, most of them
// bent: no server error, no request without an answer, no answer that is not documented, and of all that was refused not
// a row. A failing run repeats from its seed (BERTH_GENERATED_SEED).

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { openApiDocuments } from '../../src/api/openapi.ts';
import { startTestBerth } from '../support/berth.ts';
import { deafReceiver, fluenceHints, hiveonHints } from './hints.ts';
import { call, type Deployment, letSlots, priceOf } from './hiveon/support.ts';
import {
  type Document,
  faultOf,
  fromSchema,
  type Hints,
  junk,
  maybeBent,
  type Operation,
  type Sent,
  sendOver,
  someHeaders,
  spoiled,
  templateOf,
} from './requests.ts';
import { driftOf, openStore, untilGone, type Vm } from './support.ts';

const seed = Number(process.env.BERTH_GENERATED_SEED ?? 20_260_301);
const requestsCount = 20_000;
const atOnce = 12;
/** Not a measure of speed: an answer that takes this long is none. */
const answerMsMax = 60_000;
/** How often the ids that requests name are read anew. */
const idsEvery = 120;

const berth = await startTestBerth({
  agent: { capacity: { memoryMib: 64 * 1024 } },
  allowCallbackHosts: [deafReceiver],
});
const database = await openStore(berth);
const machines = await letSlots(berth, 6);
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
after(async () => {
  agent.destroy();
  await database.destroy();
  await berth.close();
});

const documents = [...(await openApiDocuments())]
  // Bytemark's dialect reads bodies in a way of its own, and Berth's own API knows ids of many kinds: both have such tests of their
  // own, in bytemark/generated.test.ts and native/generated.test.ts.
  .filter(([name]) => !['agent.json', 'bytemark.json', 'native.json'].includes(name))
  .map(([, text]) => JSON.parse(text) as Document);
const document: Document = { paths: Object.assign({}, ...documents.map(({ paths }) => paths)) };

const hintsOf = (path: string) => (path.startsWith('/vendors/') ? hiveonHints : fluenceHints);

const queryValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '0', '1', '2', '1e3', '-1', '%00', '99999999999999999999', '1.5', 'x') },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed())),
  },
);

/** A path with something in the place of each parameter, by what stands before it. */
function placeOf(path: string): fc.Arbitrary<string> {
  const parts = path.split('/').map((part, at, all) => {
    const right = hintsOf(path)[`{${all[at - 1]}}`] as fc.Arbitrary<string> | undefined;
    return part.startsWith('{') ? (right ?? fc.constant('x')) : fc.constant(part);
  });
  return fc.tuple(...parts).map((filled) => filled.join('/'));
}

/** The query of an operation, right or not. */
function queryOf({ parameters = [] }: Operation, hints: Hints): fc.Arbitrary<string> {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const parts = known.map(({ name: key, schema }) =>
    fc
      .oneof(
        fromSchema(schema, key, hints).map((value) => (hints[key] ? String(value) : encodeURIComponent(String(value)))),
        queryValue,
      )
      .map((value) => `${key}=${value}`),
  );
  const stray = fc.constantFrom('x=1', 'a[b]=c', '__proto__=1', 'page=1&page=2', '%', 'ids=a&ids=b');
  return fc
    .tuple(fc.subarray(parts.map((_part, index) => index)), fc.tuple(...parts), fc.option(stray, { freq: 5 }))
    .map(([chosen, values, more]) => [...chosen.map((index) => values[index]), ...(more ? [more] : [])].join('&'))
    .map((query) => query && `?${query}`);
}

function bodyOf({ requestBody }: Operation, hints: Hints): fc.Arbitrary<string | undefined> {
  const schema = requestBody?.content['application/json']?.schema;
  if (!schema)
    return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant('{}') });
  const right = fromSchema(schema, '', hints);
  return fc.oneof(
    { weight: 16, arbitrary: maybeBent(right).map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: spoiled(right) },
    { weight: 1, arbitrary: junk.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

const startPath = '/vendors/v1/machines/deployments/start';
// Deploying is where most can go wrong; each webhook takes part in every deployment from then on.
const weights: Record<string, number> = {
  'post /vms/v3': 12,
  [`post ${startPath}`]: 12,
  'post /vendors/v1/webhooks': 1,
};
const ofOperations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    weight: weights[`${method} ${path}`] ?? (operation.requestBody ? 4 : 2),
    arbitrary: fc.record({
      method: fc.constant(method.toUpperCase()),
      path: fc.tuple(placeOf(path), queryOf(operation, hintsOf(path))).map((parts) => parts.join('')),
      headers: someHeaders,
      body: bodyOf(operation, hintsOf(path)),
    }),
  })),
);

const elsewhere = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'),
  path: fc
    .tuple(
      fc.constantFrom('/', '/vms', '/images', '/berth/v1', '/agent/v1', ...Object.keys(document.paths)),
      fc.constantFrom(
        '',
        '/',
        '/x',
        '/%zz',
        '/%2e%2e',
        '/%00',
        '//',
        ';x',
        '?',
        '/..',
        `/${'a'.repeat(5_000)}`,
        '%20',
        '/*',
      ),
    )
    .map(([path, end]) => path + end),
  headers: someHeaders,
  body: fc.constantFrom(undefined, '{}', '[]', 'x'),
});

const requests = fc.sample(fc.oneof(...ofOperations, { weight: 2, arbitrary: elsewhere }) as fc.Arbitrary<Sent>, {
  seed,
  numRuns: requestsCount,
});

/** What was accepted, as far as rows come of it. */
const accepted = { deployments: new Set<string>(), instances: new Set<string>(), keys: new Set<string>(), sshKeys: 0 };

function note(sent: Sent, status: number, text: string): void {
  const outcome = `${sent.method} ${sent.path.split('?', 1)[0]} ${status}`;
  if (outcome === 'POST /vms/v3 201') {
    const ids = (JSON.parse(text) as { vmId: string }[]).map(({ vmId }) => vmId);
    accepted.deployments.add(ids[0] ?? '');
    for (const one of ids) accepted.instances.add(one);
    if (sent.headers['idempotency-key']) accepted.keys.add(sent.headers['idempotency-key']);
  }
  if (outcome === `POST ${startPath} 200`) {
    const { deployment_id: id } = JSON.parse(text) as { deployment_id: string };
    accepted.deployments.add(id);
    accepted.instances.add(id);
  }
  if (outcome === 'POST /ssh_keys 201') accepted.sshKeys += 1;
  if (outcome === 'DELETE /ssh_keys 200') accepted.sshKeys -= 1;
}

/** The id of the newest delivery to a webhook. */
async function newestDelivery(webhook: string): Promise<string> {
  const path = `/webhooks/${webhook}/deliveries?limit=1`;
  const { deliveries } = (await call<{ deliveries?: { delivery_id: string }[] }>(berth, 'GET', path)).body;
  return deliveries?.[0]?.delivery_id ?? 'x';
}

test(`${requestsCount} generated requests over every operation are answered as documented (seed ${seed})`, async () => {
  const faults: string[] = [];
  const statuses = new Map<string, number>();
  const ids = {
    '': [] as string[],
    d: [] as string[],
    w: [] as string[],
    e: [] as string[],
    m: machines.map(({ machine_id }) => machine_id),
    p: machines.map((machine) => priceOf(machine)),
  };
  const send = async (given: Sent, number: number) => {
    const fill = (text: string) =>
      text.replace(/@([dempw]?)(\d)/g, (_, kind: keyof typeof ids, digit) => {
        return ids[kind][(number * 7 + Number(digit)) % ids[kind].length] ?? 'x';
      });
    const headers = {
      'x-api-key': berth.apiKey,
      authorization: `Bearer ${berth.apiKey}`,
      ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...given.headers,
    };
    const body = given.body === undefined ? undefined : fill(given.body);
    const sent: Sent = { method: given.method, path: fill(given.path), headers, body };
    const answer = await sendOver(agent, berth.url, sent, answerMsMax);
    const key = `${sent.method} ${templateOf(document, sent.path) ?? 'elsewhere'} ${answer.status}`;
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
    note(sent, answer.status, answer.text);
    const what = faultOf(document, sent, answer);
    if (what) {
      const shown = JSON.stringify({ ...sent, path: sent.path.slice(0, 200), body: sent.body?.slice(0, 500) });
      faults.push(`request ${number}: ${what}: ${answer.status} ${answer.text.slice(0, 300)} for ${shown}`);
    }
  };
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < requests.length; number = next++) {
      if (number % idsEvery === 0) {
        ids[''] = (await berth.call<Vm[]>('GET', '/vms/v3?page=1&per_page=50')).body.map((vm) => vm.id);
        const running = '/machines/deployments?status=running&per_page=100';
        const { deployments } = (await call<{ deployments: Deployment[] }>(berth, 'GET', running)).body;
        ids.d = deployments.map((deployment) => deployment.deployment_id);
        const { webhooks } = (await call<{ webhooks: { id: string }[] }>(berth, 'GET', '/webhooks')).body;
        ids.w = webhooks.map((webhook) => webhook.id);
        ids.e = await Promise.all(ids.w.map(newestDelivery));
      }
      await send(requests[number] as Sent, number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  assert.deepEqual(faults.slice(0, 5), []);
  // The requests are worth something only as long as they reach into every operation, on both sides.
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const call = `${method.toUpperCase()} ${path}`;
      const seen = [...statuses.keys()].filter((key) => key.startsWith(`${call} `)).join(', ');
      assert.ok(
        [200, 201, 204].some((status) => statuses.has(`${call} ${status}`)),
        `never accepted: ${call}: ${seen}`,
      );
      if (operation.requestBody) assert.ok(statuses.has(`${call} 400`), `never malformed: ${call}: ${seen}`);
    }
  }
});

test('there is a row for what was accepted, and none for what was refused', async () => {
  const count = async (table: string) => {
    const { rows } = await sql<{ count: bigint }>`select count(*) as count from ${sql.table(table)}`.execute(database);
    return Number(rows[0]?.count);
  };
  assert.ok(accepted.deployments.size > 100, String(accepted.deployments.size));
  assert.equal(await count('deployment'), accepted.deployments.size);
  assert.equal(await count('instance'), accepted.instances.size);
  assert.ok((await count('container')) > 100);
  assert.equal(await count('disk'), accepted.instances.size);
  assert.equal(await count('bill'), accepted.instances.size);
  assert.equal(await count('idempotency_record'), accepted.keys.size);
  assert.equal(await count('ssh_key'), accepted.sshKeys);
});

test('afterwards the server is healthy, nothing unforeseen is in the log, and everything can be given back', async () => {
  assert.equal((await berth.call('GET', '/healthz')).status, 200);
  assert.doesNotMatch(berth.log(), /"level":50/);
  assert.ok(!berth.log().includes(berth.apiKey));
  const ids = (await berth.call<Vm[]>('GET', '/vms/v3')).body.map((vm) => vm.id);
  if (ids.length > 0) assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: ids })).status, 200);
  const left = await database.selectFrom('assignment').select('instance_id').execute();
  if (left.length > 0)
    await untilGone(
      database,
      left.map((row) => row.instance_id),
    );
  assert.deepEqual(await driftOf(database), []);
});
