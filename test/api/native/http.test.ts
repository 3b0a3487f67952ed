// What HTTP itself asks of Berth's own API: methods, paths, content types, bodies, HEAD and OPTIONS, rates, and pages of other sites.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { patternRules } from '../../../src/api/failure.ts';
import { type Answer, callApi, startTestBerth } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { document, operations } from './document.ts';
import { assertProblem, type Problem } from './problem.ts';

const berth = await startTestBerth();
after(() => berth.close());

const operatorUser = await addUser(berth, 'default');
await grant(berth, operatorUser.username, 'cluster_admin');
const operator = await tokenOf(berth, operatorUser);

const call = <Body = unknown>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> => berth.call<Body>(method, `/berth/v1${path}`, body, headers);
const json = { 'content-type': 'application/json' };

test('every path takes OPTIONS, says what else it takes, and refuses the rest with that', async () => {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of operations) methods.set(path, (methods.get(path) ?? new Set()).add(method));
  for (const [path, own] of methods) {
    const place = path.replace('/berth/v1', '').replace(/\{\w+\}/g, 'x');
    const told = await call('OPTIONS', place);
    assert.deepEqual([told.status, told.body], [204, null], path);
    const allowed = (told.headers.get('allow') ?? '').split(', ');
    for (const method of own) assert.ok(allowed.includes(method), `${method} ${path} of ${allowed}`);
    const other = ['PUT', 'PATCH', 'DELETE', 'POST'].find((method) => !allowed.includes(method)) ?? '';
    const refused = await callApi(berth.url, null, other, `/berth/v1${place}`);
    assertProblem(refused, 405, 'method_not_allowed');
    assert.equal(refused.headers.get('allow'), allowed.join(', '));
  }
});

test('HEAD is answered as GET is, without a body', async () => {
  for (const path of ['/groups', '/me', '/offers', '/groups/grp_99', '/nowhere', '/hosts']) {
    const [head, whole] = [await call('HEAD', path), await call('GET', path)];
    assert.deepEqual([head.status, head.body], [whole.status, null], path);
    for (const name of ['etag', 'content-type', 'content-length']) {
      if (whole.status < 300) assert.equal(head.headers.get(name), whole.headers.get(name), `${path} ${name}`);
    }
  }
});

test('what is nowhere, and what can not be a path, is a problem with an id like every other', async () => {
  for (const path of ['', '/', '/nowhere', '//groups', '/Groups', '/groups/grp_1/nothing', '/groups/%2e%2e']) {
    assertProblem(await call('GET', path), 404, 'not_found');
  }
  for (const path of ['/groups/', '/instances/', '/instances/x/ports/', '/webhooks/x/']) {
    assert.match(assertProblem(await call('GET', path), 404, 'not_found').detail, /slash at its end/, path);
  }
  for (const path of ['/groups/%', '/groups/%zz', '/groups/%ff']) {
    assertProblem(await call('GET', path), 400, 'malformed');
  }
  assertProblem(await call('GET', '/groups/%00'), 400, 'malformed');
});

test('what is missing is told as it was asked for, and never by another id', async () => {
  const ofOne = operations.filter(
    ({ method, path, streams, opensDoor }) => method === 'GET' && path.includes('{') && !streams && !opensDoor,
  );
  assert.ok(ofOne.length > 20);
  // The examples are of what is nowhere, but for the sizes that every Berth has.
  const missing = { configuration: 'cpu-99-ram-99gb-storage-99gb' };
  for (const { id, path, example } of ofOne) {
    const params: Record<string, string> = { ...example.params, ...missing };
    const place = path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? '');
    const answer = await callApi(berth.url, operator, 'GET', place);
    const { detail, subject = '' } = assertProblem(answer, 404, 'not_found') as Problem & { subject?: string };
    const named = Object.values(params);
    assert.ok(
      named.some((one) => detail.includes(one) || subject === one),
      `${id}: ${detail} ${subject}`,
    );
    assert.doesNotMatch(`${detail} ${subject}`, /[0-9a-f]{8}-[0-9a-f]{4}-|0x[0-9a-f]{40}/, id);
  }
});

test('ids and names are taken percent-encoded', async () => {
  const { body } = await call<{ items: { id: string }[] }>('GET', '/groups');
  const id = body.items[0]?.id ?? '';
  assert.equal((await call('GET', `/groups/${id.replace('_', '%5F')}`)).status, 200);
  assert.equal((await call('GET', '/images/debian%2D13-x64')).status, 200);
  assertProblem(await call('GET', `/groups/${id}%2F`), 404, 'not_found');
});

test('what a query or a body has that is not known is named, with what would be', async () => {
  const query = assertProblem(await call('GET', '/groups?colour=red'), 400, 'malformed');
  assert.equal(query.parameter, 'colour');
  assert.equal(
    query.detail,
    'The query has "colour", which is not known there; it takes account, cursor, limit, name, search.',
  );
  const twice = assertProblem(await call('GET', '/groups?name=a&name=b'), 400, 'malformed');
  assert.equal(twice.parameter, 'name');
  const body = assertProblem(await call('POST', '/groups', { name: 'a', colour: 'red' }), 400, 'malformed');
  assert.equal(body.pointer, '#/colour');
  assert.match(body.detail, /it takes account, name\.$/);
  const part = { ...{ name: 'a', image: 'micro' }, constraints: { land: 'PL' } };
  const inner = assertProblem(await call('POST', '/instances', part), 400, 'malformed');
  assert.equal(inner.pointer, '#/constraints/land');
  assert.match(inner.detail, /^constraints has "land".*countries/);
});

test('what a text has to look like is told in words, and which words there are', async () => {
  for (const amount of ['1,50', 'ten', '1.1234567', '$1']) {
    const answer = await call('GET', `/offers?maxPrice=${encodeURIComponent(amount)}`);
    const { detail, parameter } = assertProblem(answer, 400, 'malformed');
    assert.equal(parameter, 'maxPrice');
    assert.match(detail, /^maxPrice must be an amount of US dollars .* such as "1\.50" \(it is "/);
  }
  const power = await call('POST', '/instances/ins_1/power', { action: 'explode' });
  assert.match(assertProblem(power, 400, 'malformed').detail, /^action must be one of start, .*\(it is "explode"\)\.$/);
  const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)];
  assert.ok(patterns.length > 10);
  for (const [, pattern = ''] of patterns) assert.ok(patternRules[JSON.parse(pattern) as string], pattern);
});

test('a body that is no JSON, too large, packed or of another type is refused', async () => {
  assertProblem(await call('POST', '/groups', '{"name":'), 400, 'malformed');
  assertProblem(await call('POST', '/groups', '', json), 400, 'malformed');
  assertProblem(await call('POST', '/groups', '[]'), 400, 'malformed');
  assertProblem(await call('POST', '/groups', `"${'x'.repeat(1_100_000)}"`), 413, 'payload_too_large');
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
    assertProblem(await call('POST', '/groups', 'x', { 'content-type': type }), 415, 'unsupported_media_type');
  }
  const packed = await call('POST', '/groups', '{"name":"a"}', { ...json, 'content-encoding': 'gzip' });
  assert.match(assertProblem(packed, 415, 'unsupported_media_type').detail, /Content-Encoding is gzip/);
});

test('what takes no body takes an empty one, and says so of any other', async () => {
  for (const body of ['', '{}', 'null']) {
    assertProblem(await call('DELETE', '/groups/grp_99', body, json), 404, 'not_found');
  }
  const given = assertProblem(await call('DELETE', '/groups/grp_99', { force: true }), 400, 'malformed');
  assert.match(given.detail, /DELETE \/berth\/v1\/groups\/\{group\} takes no body/);
});

// As RFC 9110 (12.4.1) has it: who can't read JSON learns more from the answer than from a 406.
test('JSON is answered whatever is asked for', async () => {
  for (const accept of ['text/html', 'application/xml', 'application/json;q=0']) {
    const { status, headers } = await call('GET', '/groups', undefined, { accept });
    assert.deepEqual([status, headers.get('content-type')], [200, 'application/json; charset=utf-8']);
  }
});

/** Changes of what has no ETag of its own. */
const unmatched = new Set(['confirmSecondFactor']);

test('whatever changes or removes something that has an ETag takes If-Match', () => {
  for (const { id, method, headers } of operations) {
    if (!['PUT', 'PATCH', 'DELETE'].includes(method)) continue;
    assert.equal(headers.includes('if-match'), !unmatched.has(id), id);
  }
});

test('whatever changes anything takes Idempotency-Key and dryRun, but for a login', () => {
  for (const { id, method, headers, queries } of operations.filter((one) => one.method !== 'GET')) {
    assert.deepEqual(
      [headers.includes('idempotency-key'), queries.includes('dryRun')],
      [id !== 'createSession', id !== 'createSession'],
      `${method} ${id}`,
    );
  }
});

test('If-Match is refused where nothing is there to be matched, rather than not held', async () => {
  const headers = { 'if-match': '"x"' };
  const problem = assertProblem(await call('POST', '/groups', { name: 'conditional' }, headers), 422, 'unsupported');
  assert.equal(problem.parameter, 'If-Match');
});

test('who shows a key that is none counts, too, and in nobody else’s place', async () => {
  await writeFile(join(berth.directory, 'settings.json'), JSON.stringify({ api: { requestsPerMinute: 3 } }));
  await berth.restart();
  const statuses: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    statuses.push((await callApi(berth.url, 'berth_wrong', 'GET', '/berth/v1/groups')).status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  const refused = await callApi(berth.url, 'berth_wrong', 'GET', '/berth/v1/groups');
  assert.equal(refused.headers.get('ratelimit'), `"requests";r=0;t=${refused.headers.get('retry-after')}`);
  assert.equal((await call('GET', '/groups')).status, 200);
  assertProblem(
    await callApi(berth.url, null, 'POST', '/berth/v1/sessions', { username: 'x', password: 'y' }),
    401,
    'bad_credentials',
  );
});

test('pages of sites that the operator has named may read answers, those of others may not', async () => {
  const named = 'https://shop.example.com';
  await writeFile(join(berth.directory, 'settings.json'), JSON.stringify({ api: { allowedOrigins: [named] } }));
  await berth.restart();
  const asked = { 'access-control-request-method': 'PATCH' };
  const preflight = await callApi(berth.url, null, 'OPTIONS', '/berth/v1/groups/x', undefined, {
    origin: named,
    ...asked,
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), named);
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PATCH/);
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Authorization.*Idempotency-Key/);
  for (const path of ['/groups', '/nowhere', '/offers?x=1']) {
    const { headers } = await call('GET', path, undefined, { origin: named });
    assert.equal(headers.get('access-control-allow-origin'), named, path);
    assert.match(headers.get('access-control-expose-headers') ?? '', /Request-Id/);
    assert.equal(headers.get('vary'), 'Origin');
    // A cookie is never taken from there.
    assert.equal(headers.get('access-control-allow-credentials'), null);
    const theirs = await call('GET', path, undefined, { origin: 'https://shop.example.com.evil.example' });
    assert.equal(theirs.headers.get('access-control-allow-origin'), null);
    assert.equal(theirs.headers.get('vary'), 'Origin');
  }
  const other = await callApi(berth.url, null, 'OPTIONS', '/berth/v1/groups', undefined, {
    origin: 'https://x.example',
    ...asked,
  });
  assert.equal(other.headers.get('access-control-allow-methods'), null);
});
