// What holds of every operation of Berth's own API alike, shown on groups: idempotency keys, conditions, dry runs, pages, problems.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { type Answer, callApi, startTestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { assertProblem } from './problem.ts';

interface Group {
  id: string;
  account: string;
  name: string;
}
interface Page {
  items: Group[];
  nextCursor: string | null;
}
const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const call = <Body = Group>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  berth.call<Body>(method, `/berth/v1${path}`, body, headers);
let names = 0;
const newName = () => {
  names += 1;
  return `group-${names}`;
};
const make = async (name = newName()): Promise<Answer<Group>> => {
  const answer = await call('POST', '/groups', { name });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer;
};
const groupsNow = async () => (await call<Page>('GET', '/groups?limit=200')).body.items.length;

test('what was made is told where it is, and found there', async () => {
  const { body, headers } = await make('found');
  assert.equal(headers.get('location'), `/berth/v1/groups/${body.id}`);
  assert.match(body.id, /^grp_\d+$/);
  const found = await berth.call<Group>('GET', headers.get('location') ?? '');
  assert.deepEqual(found.body, body);
  assert.equal(found.headers.get('etag'), headers.get('etag'));
});

test('a request sent again under its key is done once and answered alike', async () => {
  const before = await groupsNow();
  const headers = { 'idempotency-key': randomUUID() };
  const body = { name: newName() };
  const first = await call('POST', '/groups', body, headers);
  assert.equal(first.status, 201);
  assert.equal(first.headers.get('idempotent-replayed'), null);
  const again = await call('POST', '/groups', body, headers);
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.equal(again.headers.get('location'), first.headers.get('location'));
  assert.equal(again.headers.get('etag'), first.headers.get('etag'));
  assert.equal(await groupsNow(), before + 1);
  assertProblem(await call('POST', '/groups', { name: newName() }, headers), 422, 'idempotency_key_reused');
  assertProblem(await call('PATCH', `/groups/${first.body.id}`, body, headers), 422, 'idempotency_key_reused');
});

test('twenty sendings at once under one key make one group', async () => {
  const before = await groupsNow();
  const headers = { 'idempotency-key': randomUUID() };
  const body = { name: newName() };
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/groups', body, headers)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map(({ body: { id } }) => id)).size, 1);
  assert.equal(answers.filter((one) => one.headers.get('idempotent-replayed') === null).length, 1);
  assert.equal(await groupsNow(), before + 1);
});

test('a refused request leaves its key free, and nothing else behind', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const { body: taken } = await make();
  const problem = assertProblem(await call('POST', '/groups', { name: taken.name }, headers), 422, 'invalid_value');
  assert.equal(problem.pointer, '#/name');
  assert.deepEqual(problem.errors, [{ detail: 'name has already been taken', pointer: '#/name' }]);
  const kept = await database
    .selectFrom('kept_answer')
    .where('key', '=', headers['idempotency-key'])
    .selectAll()
    .execute();
  assert.deepEqual(kept, []);
  assert.equal((await call('POST', '/groups', { name: newName() }, headers)).status, 201);
});

test('keys of different callers have nothing to do with each other', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  assert.equal((await call('POST', '/groups', { name: newName() }, headers)).status, 201);
  const id = randomUUID();
  await database.insertInto('account').values({ id, name: 'other', created_at: new Date() }).execute();
  const { sha256 } = await import('../../../src/app/authenticate.ts');
  const secret = `berth_${randomUUID()}`;
  const key = { id: randomUUID(), account_id: id, name: 'k', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...key, secret_sha256: sha256(secret) })
    .execute();
  const theirs = await callApi<Group>(berth.url, secret, 'POST', '/berth/v1/groups', { name: 'theirs' }, headers);
  assert.deepEqual([theirs.status, theirs.body.name], [201, 'theirs']);
});

test('a dry run answers as if it were done, and does nothing', async () => {
  const before = await groupsNow();
  const name = newName();
  const dry = await call('POST', '/groups?dryRun=true', { name });
  assert.deepEqual([dry.status, dry.body.name, dry.headers.get('dry-run')], [201, name, 'true']);
  assert.equal(await groupsNow(), before);
  const { body: group } = await make(name);
  assertProblem(await call('POST', '/groups?dryRun=true', { name }), 422, 'invalid_value');
  assert.equal((await call('DELETE', `/groups/${group.id}?dryRun=true`)).status, 204);
  assert.equal((await call('GET', `/groups/${group.id}`)).status, 200);
});

test('a change is held against what its sender has seen', async () => {
  const made = await make();
  const path = `/groups/${made.body.id}`;
  const seen = made.headers.get('etag') ?? '';
  const changed = await call('PATCH', path, { name: newName() }, { 'if-match': seen });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get('etag'), seen);
  const stale = assertProblem(
    await call('PATCH', path, { name: newName() }, { 'if-match': seen }),
    412,
    'precondition_failed',
  );
  assert.equal(stale.parameter, 'If-Match');
  assertProblem(await call('DELETE', path, undefined, { 'if-match': seen }), 412, 'precondition_failed');
  assert.equal((await call('GET', path)).body.name, changed.body.name);
  assert.equal(
    (await call('DELETE', path, undefined, { 'if-match': `"other", ${changed.headers.get('etag')}` })).status,
    204,
  );
  assertProblem(await call('GET', path), 404, 'not_found');
});

test('of changes at once that have all seen the same, one is made', async () => {
  const made = await make();
  const headers = { 'if-match': made.headers.get('etag') ?? '' };
  const changes = Array.from({ length: 8 }, () =>
    call('PATCH', `/groups/${made.body.id}`, { name: newName() }, headers),
  );
  const statuses = (await Promise.all(changes)).map(({ status }) => status);
  assert.deepEqual(statuses.toSorted(), [200, ...Array(7).fill(412)]);
});

test('what is known already is not sent again', async () => {
  const { body, headers } = await make();
  const known = { 'if-none-match': headers.get('etag') ?? '' };
  const same = await call('GET', `/groups/${body.id}`, undefined, known);
  assert.deepEqual([same.status, same.body], [304, null]);
  assert.equal((await call('GET', `/groups/${body.id}`, undefined, { 'if-none-match': '"other"' })).status, 200);
});

test('a list comes in pages that miss and repeat nothing', async () => {
  for (let count = 0; count < 5; count += 1) await make();
  const all = (await call<Page>('GET', '/groups?limit=200')).body.items;
  const seen: Group[] = [];
  let cursor: string | null = null;
  do {
    const path: string = `/groups?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { body }: Answer<Page> = await call<Page>('GET', path);
    assert.ok(body.items.length <= 2);
    seen.push(...body.items);
    cursor = body.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(seen, all);
  for (const wrong of ['x', 'WzFd', 'WyIxIl0', 'WyIxIiwieCJd', encodeURIComponent('["1"]')]) {
    const problem = assertProblem(await call('GET', `/groups?cursor=${wrong}`), 422, 'invalid_value');
    assert.equal(problem.parameter, 'cursor', wrong);
  }
  assert.equal(assertProblem(await call('GET', '/groups?cursor=%00'), 400, 'malformed').parameter, 'cursor');
  for (const wrong of ['0', '201', 'x', '1.5', '-1']) {
    assertProblem(await call('GET', `/groups?limit=${wrong}`), 400, 'malformed');
  }
});

test('a problem says where it is', async () => {
  const missing = assertProblem(await call('POST', '/groups', {}), 400, 'malformed');
  assert.equal(missing.pointer, '#/name');
  const unknown = assertProblem(await call('POST', '/groups', { name: newName(), colour: 'red' }), 400, 'malformed');
  assert.match(unknown.detail, /colour|additional/);
  assertProblem(await call('GET', '/groups?colour=red'), 400, 'malformed');
  assertProblem(await call('POST', '/groups', '{"name":'), 400, 'malformed');
  assertProblem(await call('GET', '/groups/acc_17'), 404, 'not_found');
  assertProblem(await call('GET', '/groups/17'), 404, 'not_found');
  assertProblem(await call('GET', '/nowhere'), 404, 'not_found');
  assertProblem(await callApi(berth.url, null, 'GET', '/berth/v1/nowhere'), 404, 'not_found');
  const put = await call('PUT', '/groups');
  assertProblem(put, 405, 'method_not_allowed');
  assert.equal(put.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
  assertProblem(
    await call('POST', '/groups', { name: newName() }, { 'idempotency-key': 'two words' }),
    422,
    'invalid_value',
  );
  assertProblem(await call('POST', '/groups', { name: newName(), account: 'nobody' }), 404, 'not_found');
  const text = await fetch(`${berth.url}/berth/v1/groups`, {
    method: 'POST',
    headers: { authorization: `Bearer ${berth.apiKey}`, 'content-type': 'text/plain' },
    body: 'name',
  });
  assert.equal(text.status, 415);
});

test('a key is taken in either header', async () => {
  const own = await callApi<Page>(berth.url, null, 'GET', '/berth/v1/groups', undefined, { 'x-api-key': berth.apiKey });
  assert.equal(own.status, 200);
});

test('who asks too often is told when he may ask again', async () => {
  const { writeFile } = await import('node:fs/promises');
  const { join } = await import('node:path');
  await writeFile(join(berth.directory, 'settings.json'), JSON.stringify({ api: { requestsPerMinute: 5 } }));
  await berth.restart();
  const answers: Answer<Page>[] = [];
  for (let count = 0; count < 7; count += 1) answers.push(await call<Page>('GET', '/groups'));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429]);
  const [first, refused] = [answers[0], answers[6]];
  assert.equal(first?.headers.get('ratelimit-policy'), '"requests";q=5;w=60');
  assert.match(first?.headers.get('ratelimit') ?? '', /^"requests";r=4;t=\d+$/);
  assertProblem(refused as Answer<Page>, 429, 'too_many_requests');
  const again = Number(refused?.headers.get('retry-after'));
  assert.ok(again > 1 && again <= 60, String(again));
  assert.equal((await berth.call('GET', '/vms/v3')).status, 200, 'the dialects count for themselves');
});
