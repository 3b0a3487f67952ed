// Every error of Berth's in this dialect's shape, every documented status reached on a real server, and what the readers of
// protobuf's JSON are lenient about.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { hiveonError } from '../../../src/api/hiveon/error.ts';
import { deploymentObject } from '../../../src/api/hiveon/mapping.ts';
import { sha256 } from '../../../src/app/authenticate.ts';
import type { ContainerRow } from '../../../src/app/container.ts';
import { failureCodes } from '../../../src/model/container.ts';
import { BerthError, type ErrorCode, errorTable } from '../../../src/model/errors.ts';
import { instanceStatuses } from '../../../src/model/instance.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { driftOf, holdings, openStore } from '../support.ts';
import { assertRefused, call, type ErrorBody, letSlots, type Machine, startBody, started, stopped } from './support.ts';

let berth: TestBerth;
let database: Database;
let machine: Machine;

before(async () => {
  berth = await startTestBerth();
  database = await openStore(berth);
  [machine] = (await letSlots(berth, 1)) as [Machine];
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const startPath = '/machines/deployments/start';
const start = (body: unknown, apiKey?: string) => call(berth, 'POST', startPath, body, apiKey);

/** What is answered for each error: code, status, and the reason where the code does not tell. */
const answers: Record<ErrorCode, [code: number, status: number, reason?: string]> = {
  unauthenticated: [16, 401],
  bad_credentials: [16, 401],
  second_factor_needed: [16, 401],
  cross_site: [7, 403],
  forbidden: [7, 403],
  not_found: [5, 404],
  method_not_allowed: [5, 404],
  malformed: [3, 400],
  invalid_value: [3, 400],
  unsupported: [3, 400],
  no_suitable_offer: [9, 400, 'MACHINE_NOT_AVAILABLE'],
  not_enough_offers: [9, 400, 'MACHINE_NOT_AVAILABLE'],
  insufficient_balance: [9, 400, 'INSUFFICIENT_BALANCE'],
  name_taken: [6, 409],
  slot_not_available: [9, 400, 'MACHINE_NOT_AVAILABLE'],
  price_stale: [9, 400, 'MACHINE_PRICE_STALE'],
  quote_over: [9, 400, 'QUOTE_OVER'],
  quote_too_small: [9, 400, 'QUOTE_TOO_SMALL'],
  external_id_reused: [6, 409, 'EXTERNAL_ID_REUSED'],
  wrong_state: [9, 400, 'WRONG_STATE'],
  precondition_failed: [9, 400],
  idempotency_key_reused: [3, 400],
  payload_too_large: [3, 400],
  unsupported_media_type: [3, 400],
  too_many_requests: [8, 429],
  internal: [13, 500],
  unavailable: [14, 503],
};

for (const code of Object.keys(errorTable) as ErrorCode[]) {
  test(`${code} is answered with the code and status of its kind, and names what is at fault`, () => {
    const [number, status, reason] = answers[code];
    const answer = hiveonError(new BerthError(code, 'What was wrong.', 'part.field'));
    assert.equal(answer.status, status);
    const body = answer.body as ErrorBody;
    assertRefused({ ...answer, body, headers: new Headers() }, status, number, 'What was wrong.');
    const violation = { field: 'part.field', description: 'What was wrong.' };
    const badRequest = { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] };
    const info = { reason, domain: 'berth', metadata: { subject: 'part.field' } };
    const errorInfo = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', ...info };
    assert.deepEqual(body.details, [...(number === 3 ? [badRequest] : []), ...(reason ? [errorInfo] : [])]);
    assert.deepEqual((hiveonError(new BerthError(code, 'x')).body as ErrorBody).details.length, reason ? 1 : 0);
  });
}

test('a deployment has a fail reason exactly when it has failed, with a number for each code', () => {
  const row: ContainerRow = {
    ...{ deploymentId: randomUUID(), instanceId: `0x${'0'.repeat(40)}`, hostId: '', slotId: '', slotPriceId: '' },
    ...{ externalId: null, status: 'active', statusReason: null, failureCode: null, metadata: { own: 'kept' } },
    ...{ ports: [], ssh: null, address: null, image: 'nginx', createdAt: new Date(), activatedAt: null },
    ...{ statusChangedAt: new Date(), endedAt: null },
  };
  for (const status of instanceStatuses) {
    for (const [failureCode, number] of Object.entries(failureCodes)) {
      const shown = deploymentObject({ ...row, status, statusReason: 'The reason.', failureCode });
      const failed = status === 'failed' || status === 'terminated';
      assert.equal(shown.status === 'STATUS_FAILED', failed, status);
      assert.deepEqual(shown.fail_reason, failed ? { code: number, message: 'The reason.' } : null);
      assert.deepEqual(shown.metadata, failed ? { own: 'kept', fail_reason_code: failureCode } : { own: 'kept' });
    }
  }
  assert.equal(deploymentObject({ ...row, status: 'failed', failureCode: 'something.else' }).fail_reason?.code, 2);
});

/** Adds a key to the first account. @returns its secret */
async function addKey(scope: 'read-only' | 'full'): Promise<string> {
  const secret = `berth_${randomUUID()}`;
  const { id } = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const row = { id: randomUUID(), account_id: id, name: 'test', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...row, secret_sha256: sha256(secret), scope })
    .execute();
  return secret;
}

test('a key is read from its own header and from Authorization; the first goes before the second', async () => {
  const send = (headers: Record<string, string>) =>
    callApi(berth.url, null, 'GET', '/vendors/v1/machines', undefined, headers);
  const key = berth.apiKey;
  assert.equal((await send({ 'x-api-key': key })).status, 200);
  assert.equal((await send({ authorization: `Bearer ${key}` })).status, 200);
  assert.equal((await send({ authorization: `bearer  ${key} ` })).status, 200);
  assert.equal((await send({ 'x-api-key': key, authorization: 'Bearer x' })).status, 200);
  assert.equal((await send({ 'x-api-key': '', authorization: `Bearer ${key}` })).status, 200);
  const wrong: Record<string, string>[] = [{}, { 'x-api-key': 'x', authorization: `Bearer ${key}` }];
  for (const headers of [...wrong, { authorization: key }, { authorization: `Basic ${key}` }]) {
    assertRefused(await send(headers), 401, 16, 'no such API key');
  }
});

test('who may not starts and stops nothing, whatever is sent', async () => {
  const held = await holdings(database);
  const readOnly = await addKey('read-only');
  const body = startBody(machine);
  for (const sent of [body, {}, '{', undefined]) {
    assertRefused(await start(sent, `berth_${randomUUID()}`), 401, 16);
    assertRefused(await start(sent, readOnly), 403, 7, 'may only read');
  }
  assert.deepEqual(await holdings(database), held);
});

test('an error of ours is 500 with nothing of its inside, and leaves nothing behind', async () => {
  const held = await holdings(database);
  await sql`alter table container add constraint broken check (external_id <> 'broken')`.execute(database);
  const body = startBody(machine, { startup_script: 'echo private' }, { external_deployment_id: 'broken' });
  const { message, details } = assertRefused(await start(body), 500, 13, 'request id');
  assert.deepEqual(details, []);
  assert.doesNotMatch(message, /constraint|container|private/);
  await sql`alter table container drop constraint broken`.execute(database);
  assert.deepEqual(await holdings(database), held);
  const id = await started(berth, body);
  await stopped(berth, id);
});

test('what is nowhere under /vendors is answered in the same shape', async () => {
  const readOnly = await addKey('read-only');
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/tasks/x'],
    ['PUT', startPath],
    ['DELETE', '/machines/deployments/x'],
    ['POST', '/machines/deployments/x/restart'],
    ['PATCH', `/${'x'.repeat(5_000)}`],
  ] as const) {
    for (const key of [berth.apiKey, readOnly]) {
      const { message } = assertRefused(
        await call(berth, method, path, undefined, key),
        404,
        5,
        `There is no ${method}`,
      );
      assert.ok(message.length < 300);
    }
    assertRefused(await call(berth, method, path, undefined, 'x'), 401, 16);
  }
});

test('bodies are taken whatever their content type says; what is no JSON is refused', async () => {
  const right = JSON.stringify(startBody(machine));
  for (const type of [
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'x/y; charset=latin1',
    'x',
    '',
  ]) {
    const headers = { 'x-api-key': berth.apiKey, 'content-type': type };
    const path = `/vendors/v1${startPath}`;
    const answer = await callApi<{ deployment_id: string }>(berth.url, null, 'POST', path, `\uFEFF ${right}`, headers);
    assert.equal(answer.status, 200, `${type}: ${JSON.stringify(answer.body)}`);
    await stopped(berth, answer.body.deployment_id);
    assertRefused(await callApi(berth.url, null, 'POST', path, 'a=b', headers), 400, 3, 'not valid JSON');
  }
  for (const body of [undefined, '', ' ', '{}']) assertRefused(await start(body), 400, 3, 'machine_id');
  for (const body of ['null', '[]', '7', '"x"']) assertRefused(await start(body), 400, 3);
  for (const body of ['{"__proto__":{}}', '['.repeat(1_000), `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`]) {
    assertRefused(await start(body), 400, 3);
  }
});

test('a key of the customer’s own may be anything; what is wrong under it is told by its name, cut to a length', async () => {
  const held = await holdings(database);
  const cases: [container: Record<string, unknown>, rest: Record<string, unknown>, field: string][] = [
    [{}, { metadata: { 'a/b~c': {} } }, 'metadata.a/b~c'],
    [{}, { metadata: { a: null } }, 'metadata.a'],
    [{}, { metadata: { a: 'x\0' } }, 'metadata.a'],
    [{}, { metadata: { a: '\uD800' } }, 'metadata.a'],
    [{}, { metadata: { [`${'k'.repeat(10_000)}`]: [] } }, `metadata.${'k'.repeat(100)}…`],
    [{ environment_variables: { A: '\0' } }, {}, 'container_config.environment_variables.A'],
    [{ environment_variables: { A: '\uDC00' } }, {}, 'container_config.environment_variables.A'],
    [{ environment_variables: { '\uD800': 'x' } }, {}, 'container_config.environment_variables'],
    [{ environment_variables: { '': 'x' } }, {}, 'container_config.environment_variables'],
    [{ startup_script: 'echo \0' }, {}, 'container_config.startup_script'],
    [{}, { external_deployment_id: 'a\0b' }, 'external_deployment_id'],
    [{}, { external_deployment_id: '\uD800' }, 'external_deployment_id'],
  ];
  for (const [container, rest, field] of cases) {
    const { message, details } = assertRefused(await start(startBody(machine, container, rest)), 400, 3);
    assert.equal(details[0]?.fieldViolations?.[0]?.field, field);
    assert.ok(message.length < 500, message);
  }
  const long = { environment_variables: { [`${'k'.repeat(10_000)}`]: '\0' } };
  const { details } = assertRefused(await start(startBody(machine, long)), 400, 3);
  assert.ok((details[0]?.fieldViolations?.[0]?.field.length ?? 0) <= 256);
  assert.deepEqual(await holdings(database), held);
});

test('nothing of all this has left anything', async () => {
  assert.deepEqual(await driftOf(database), []);
});
