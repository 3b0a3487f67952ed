// Who may do what, walked over every operation of the customers' documents: without a key, with a wrong, a revoked, an
// expired and a read-only one, and with a right key of another account. An operation that is missing from the table fails.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { openApiDocuments } from '../../src/api/openapi.ts';
import { sha256 } from '../../src/app/authenticate.ts';
import { type Answer, callApi, startTestBerth } from '../support/berth.ts';
import * as hiveon from './hiveon/support.ts';
import {
  assertRefused,
  type Deployed,
  deployBody,
  deployed,
  holdings,
  keys,
  openStore,
  untilStatus,
  type Vm,
} from './support.ts';

/** Where nobody takes what is delivered. */
const deafReceiver = '127.0.0.1:9';
const berth = await startTestBerth({ allowCallbackHosts: [deafReceiver] });
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

/** Adds a key. @returns its secret */
async function addKey(accountId: string, more: { scope?: 'read-only'; expires_at?: Date; revoked_at?: Date } = {}) {
  const secret = `berth_${randomUUID()}`;
  const row = { id: randomUUID(), account_id: accountId, name: 'test', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...row, secret_sha256: sha256(secret), ...more })
    .execute();
  return secret;
}

const own = (await database.selectFrom('account').select('id').executeTakeFirstOrThrow()).id;
const stranger = randomUUID();
await database.insertInto('account').values({ id: stranger, name: 'stranger', created_at: new Date() }).execute();
const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
const keyOf = {
  full: await addKey(own, { expires_at: tomorrow }),
  readOnly: await addKey(own, { scope: 'read-only' }),
  stranger: await addKey(stranger),
};
const noKeys: [what: string, key: string | null][] = [
  ['no key', null],
  ['a wrong key', `berth_${randomUUID()}`],
  ['a revoked key', await addKey(own, { revoked_at: yesterday })],
  ['an expired key', await addKey(own, { expires_at: yesterday })],
];

// What the first account has, and the stranger asks for.
const [vm = ''] = await deployed(berth, deployBody({ name: 'mine' }));
await untilStatus(berth, vm, 'Active');
const registered = (
  await berth.call<{ fingerprint: string }>('POST', '/ssh_keys', { name: 'mine', publicKey: keys.ed25519 })
).body;

const [rented, free] = (await hiveon.letSlots(berth, 2)) as [hiveon.Machine, hiveon.Machine];
const webhookBody = { event_type: 'EVENT_TYPE_DEPLOYMENT_CREATED', callback_url: `http://${deafReceiver}/` };
const webhook = (await hiveon.call<{ id: string }>(berth, 'POST', '/webhooks', webhookBody)).body.id;
const container = await hiveon.started(berth, hiveon.startBody(rented, {}, { external_deployment_id: 'mine' }));
await hiveon.untilStatus(berth, container, 'STATUS_RUNNING');
const delivery = (
  await hiveon.call<{ deliveries: { delivery_id: string }[] }>(berth, 'GET', `/webhooks/${webhook}/deliveries`)
).body.deliveries[0]?.delivery_id as string;

interface Request {
  /** What stands in the place of `{id}` and the like, in their order. */
  ids?: string[];
  /** What follows the path. */
  path?: string;
  body?: unknown;
}
interface Access {
  reads: boolean;
  /** A request that is right. */
  request(): Request;
  /** Requests with what belongs to the first account, sent by the stranger, and what has to come of them. */
  foreign: [request: Request, holds: (answer: Answer) => void][];
}

const isEmpty = (answer: Answer) => assert.deepEqual([answer.status, answer.body], [200, []]);
const isNotFound = (answer: Answer) => assertRefused(answer, 404);
const isUnknownKey = (answer: Answer) => assertRefused(answer, 422, 'neither a public SSH key nor');
const isNoDeployment = (answer: Answer) => hiveon.assertRefused(answer, 404, 5, 'There is no deployment');
const isNoWebhook = (answer: Answer) => hiveon.assertRefused(answer, 404, 5, 'There is no webhook');
const hasNoDeployment = (answer: Answer) => {
  assert.equal(answer.status, 200);
  assert.equal((answer.body as { total: number }).total, 0);
};
const reads = (foreign: Access['foreign'] = [], request: () => Request = () => ({})): Access => ({
  reads: true,
  request,
  foreign,
});
const writes = (request: () => Request, foreign: Access['foreign']): Access => ({ reads: false, request, foreign });

const table: Record<string, Access> = {
  'POST /marketplace/offers': reads([], () => ({ body: {} })),
  'GET /marketplace/basic_configurations': reads(),
  'GET /marketplace/countries': reads(),
  'GET /marketplace/hardware': reads(),
  'GET /v1/marketplace/datacenters': reads(),
  'POST /vms/v3/estimate': reads([], () => ({ body: { instances: 1 } })),
  'POST /vms/v3': writes(
    () => ({ body: deployBody() }),
    [
      [{ body: deployBody({ sshKeys: ['mine'] }) }, isUnknownKey],
      [{ body: deployBody({ sshKeys: [registered.fingerprint] }) }, isUnknownKey],
    ],
  ),
  'GET /vms/v3': reads([
    [{}, isEmpty],
    [{ path: '?page=1' }, isEmpty],
  ]),
  'GET /vms/v3/status': reads([[{ path: `?ids=${vm}` }, isEmpty]]),
  'GET /vms/v3/default_images': reads(),
  'PATCH /vms/v3': writes(
    () => ({ body: { updates: [{ id: vm, vmName: 'renamed' }] } }),
    [
      [{ body: { updates: [{ id: vm, vmName: 'theirs' }] } }, isNotFound],
      [{ body: { updates: [{ id: vm, openPorts: [] }] } }, isNotFound],
      [{ body: { updates: [{ id: vm }] } }, isNotFound],
    ],
  ),
  'DELETE /vms/v3': writes(() => ({ body: { vmIds: [vm] } }), [[{ body: { vmIds: [vm] } }, isNotFound]]),
  'GET /ssh_keys': reads([[{}, isEmpty]]),
  'POST /ssh_keys': writes(
    () => ({ body: { name: 'other', publicKey: keys.rsa } }),
    // The same name and the same key are both new to another account.
    [[{ body: { name: 'mine', publicKey: keys.ed25519 } }, (answer) => assert.equal(answer.status, 201)]],
  ),
  'DELETE /ssh_keys': writes(
    () => ({ body: { fingerprint: registered.fingerprint } }),
    // What the stranger registered above goes; what is left is the first account's.
    [
      [{ body: { fingerprint: registered.fingerprint } }, (answer) => assert.equal(answer.status, 200)],
      [{ body: { fingerprint: registered.fingerprint } }, isNotFound],
    ],
  ),
  'GET /vendors/v1/machines': reads(),
  'GET /vendors/v1/machines/{id}': reads([], () => ({ ids: [rented.machine_id] })),
  'POST /vendors/v1/machines/deployments/start': writes(
    () => ({ body: hiveon.startBody(free) }),
    [
      // Another account's external id means nothing here.
      [
        { body: hiveon.startBody(rented, {}, { external_deployment_id: 'mine' }) },
        (answer) => hiveon.assertRefused(answer, 400, 9, 'MACHINE_NOT_AVAILABLE'),
      ],
    ],
  ),
  'GET /vendors/v1/machines/deployments': reads([
    [{}, hasNoDeployment],
    [{ path: '?external_deployment_id=mine' }, hasNoDeployment],
    [{ path: `?machine_id=${rented.machine_id}` }, hasNoDeployment],
  ]),
  'GET /vendors/v1/machines/deployments/{id}': reads(
    [
      [{ ids: [container] }, isNoDeployment],
      [{ ids: ['mine'] }, isNoDeployment],
    ],
    () => ({ ids: [container] }),
  ),
  'GET /vendors/v1/machines/deployments/by-external-id/{externalId}': reads(
    [[{ ids: ['mine'] }, isNoDeployment]],
    () => ({
      ids: ['mine'],
    }),
  ),
  'GET /vendors/v1/machines/deployments/{id}/logs': reads([[{ ids: [container] }, isNoDeployment]], () => ({
    ids: [container],
  })),
  'POST /vendors/v1/machines/deployments/{id}/stop': writes(
    () => ({ ids: [container], body: {} }),
    [
      [{ ids: [container], body: {} }, isNoDeployment],
      [{ ids: ['mine'] }, isNoDeployment],
    ],
  ),
  'GET /vendors/v1/webhooks': reads([
    [{}, (answer) => assert.deepEqual([answer.status, answer.body], [200, { webhooks: [] }])],
  ]),
  'POST /vendors/v1/webhooks': writes(() => ({ body: webhookBody }), []),
  'GET /vendors/v1/webhooks/{id}': reads([[{ ids: [webhook] }, isNoWebhook]], () => ({ ids: [webhook] })),
  'DELETE /vendors/v1/webhooks/{id}': writes(() => ({ ids: [webhook] }), [[{ ids: [webhook] }, isNoWebhook]]),
  'GET /vendors/v1/webhooks/{id}/deliveries': reads([[{ ids: [webhook] }, isNoWebhook]], () => ({ ids: [webhook] })),
  'POST /vendors/v1/webhooks/{id}/deliveries/{deliveryId}/resend': writes(
    () => ({ ids: [webhook, delivery] }),
    [[{ ids: [webhook, delivery] }, isNoWebhook]],
  ),
};

const operations: { name: string; dialect: string; access: Access }[] = [];
const missing: string[] = [];
for (const [file, text] of await openApiDocuments()) {
  const dialect = file.replace('.json', '');
  // Bytemark's privileges have a table of their own, in bytemark/access.test.ts; Berth's own API is walked in native/walk.test.ts.
  if (['agent', 'bytemark', 'native'].includes(dialect)) continue;
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      const access = table[name];
      if (access) operations.push({ name, dialect, access });
      else missing.push(name);
    }
  }
}

function send(key: string | null, name: string, { ids = [], path = '', body }: Request): Promise<Answer> {
  const [method = '', base = ''] = name.split(' ');
  const left = [...ids];
  return callApi(berth.url, key, method, base.replace(/\{\w+\}/g, () => left.shift() ?? '') + path, body);
}

/** Holds an answer to be an error in its dialect's shape. */
function assertProblem(dialect: string, answer: Answer, status: number, text: RegExp): void {
  const shown = JSON.stringify(answer.body);
  assert.equal(answer.status, status, shown);
  if (dialect === 'fluence') assert.deepEqual(Object.keys(answer.body as object), ['error'], shown);
  if (dialect === 'hiveon') hiveon.assertRefused(answer, status, status === 401 ? 16 : 7);
  const { error, detail } = answer.body as { error?: string; detail?: string };
  assert.match(error ?? detail ?? '', text);
}

test('every operation of the documents is in the table, and nothing else', () => {
  assert.deepEqual(missing, []);
  assert.deepEqual(operations.map(({ name }) => name).toSorted(), Object.keys(table).toSorted());
});

test('every operation refuses who has no key, a wrong, a revoked or an expired one, all alike', async () => {
  const held = await holdings(database);
  for (const { name, dialect, access } of operations) {
    const [status, text] =
      dialect === 'fluence' ? [403, /^Auth failed\. No such API Key$/] : ([401, /no such API key/] as const);
    for (const [, key] of noKeys) {
      assertProblem(dialect, await send(key, name, access.request()), status, text);
      // Who may not ask learns nothing of what was wrong with the request.
      const { body, ...place } = access.request();
      const wrong = { ...place, path: '?page=x', body: body === undefined ? body : '{' };
      assertProblem(dialect, await send(key, name, wrong), status, text);
    }
  }
  assert.deepEqual(await holdings(database), held);
});

test('a read-only key reads everything and changes nothing', async () => {
  const held = await holdings(database);
  for (const { name, dialect, access } of operations) {
    const answer = await send(keyOf.readOnly, name, access.request());
    if (access.reads) assert.equal(answer.status, 200, `${name}: ${JSON.stringify(answer.body)}`);
    else assertProblem(dialect, answer, 403, new RegExp(`may only read; ${RegExp.escape(name)} needs`));
  }
  assert.deepEqual(await holdings(database), held);
  const vms = (await callApi<Vm[]>(berth.url, keyOf.readOnly, 'GET', '/vms/v3')).body;
  assert.equal(vms.find(({ id }) => id === vm)?.vmName, 'mine');
  assert.equal((await callApi<unknown[]>(berth.url, keyOf.readOnly, 'GET', '/ssh_keys')).body.length, 1);
});

test('what is another account’s is as if it were not there: no operation answers 403, or tells that it exists', async () => {
  for (const { access, name } of operations) {
    for (const [request, holds] of access.foreign) holds(await send(keyOf.stranger, name, request));
  }
  const [mine] = (await berth.call<Vm[]>('GET', '/vms/v3')).body;
  assert.deepEqual([mine?.id, mine?.vmName, mine?.status], [vm, 'mine', 'Active']);
  assert.equal((await berth.call<unknown[]>('GET', '/ssh_keys')).body.length, 1);
  assert.equal((await hiveon.read(berth, 'mine')).status, 'STATUS_RUNNING');
});

test('an answer about what is another account’s is word for word that about what never was', async () => {
  const read = 'GET /vendors/v1/machines/deployments/{id}';
  const nobodys = randomUUID();
  assert.equal(
    JSON.stringify((await send(keyOf.stranger, read, { ids: [container] })).body).replaceAll(container, nobodys),
    JSON.stringify((await send(keyOf.stranger, read, { ids: [nobodys] })).body),
  );
  const never = `0x${'0'.repeat(40)}`;
  for (const [name, body] of [
    ['PATCH /vms/v3', (id: string) => ({ updates: [{ id, vmName: 'x' }] })],
    ['DELETE /vms/v3', (id: string) => ({ vmIds: [id] })],
  ] as const) {
    const [theirs, none] = [
      await send(keyOf.stranger, name, { body: body(vm) }),
      await send(keyOf.stranger, name, { body: body(never) }),
    ];
    assert.equal(JSON.stringify(theirs.body).replaceAll(vm, never), JSON.stringify(none.body));
  }
});

test('a name and an idempotency key of one account mean nothing in another', async () => {
  const header = { 'idempotency-key': 'same' };
  const body = deployBody({ name: 'shared' });
  const first = await callApi<Deployed>(berth.url, keyOf.full, 'POST', '/vms/v3', body, header);
  assert.equal(first.status, 201);
  const other = await callApi<Deployed>(berth.url, keyOf.stranger, 'POST', '/vms/v3', body, header);
  // The stranger's deployment stands or falls by itself, and never answers with the first account's.
  assert.ok(!JSON.stringify(other.body).includes(first.body[0]?.vmId ?? ''));
  assert.notEqual(other.status, 409);
});

test('a key that expires is refused from then on, with its scope as without', async () => {
  const key = await addKey(own, { scope: 'read-only', expires_at: tomorrow });
  assert.equal((await callApi(berth.url, key, 'GET', '/vms/v3')).status, 200);
  await database
    .updateTable('api_key')
    .set({ expires_at: yesterday })
    .where('secret_sha256', '=', Buffer.from(sha256(key)))
    .execute();
  assertRefused(await callApi(berth.url, key, 'GET', '/vms/v3'), 403, 'Auth failed. No such API Key');
});
