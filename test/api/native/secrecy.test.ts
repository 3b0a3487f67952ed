// What answers give away beside what they answer: to caches, to pages that are led to them, to keys that may do less than the one that
// asked first, and to neighbours of the site.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { canonicalJson } from '../../../src/model/canonical-json.ts';
import { type Answer, callApi } from '../../support/berth.ts';
import { operations } from './document.ts';
import { startPeople } from './people.ts';
import { assertProblem } from './problem.ts';

const people = await startPeople();
const { berth, database, call, ann, root } = people;
after(() => people.close());

const problem = (answer: Answer<unknown>, status: number, code: string) => assertProblem(answer, status, code);

test('no answer about somebody is kept by a cache, and nothing of one runs in a browser', async () => {
  const paths = [
    '/berth/v1/me',
    '/berth/v1/no-such-path',
    '/berth/v1/accounts',
    '/vms/v3',
    '/healthz',
    '/metrics',
    '/no',
  ];
  for (const key of [berth.apiKey, null]) {
    for (const path of paths) {
      const { headers } = await fetch(berth.url + path, { headers: key ? { authorization: `Bearer ${key}` } : {} });
      if (path.includes('v1') || path.includes('v3')) assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('x-frame-options'), 'DENY', path);
      assert.equal(headers.get('referrer-policy'), 'same-origin', path);
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'", path);
    }
  }
  const image = await fetch(`${berth.url}/images/no-such-image`);
  assert.equal(image.headers.get('x-content-type-options'), 'nosniff');
});

test('pages keep policies of their own', async () => {
  for (const path of ['/docs/', '/docs/guide/', '/docs/guide/security', '/docs/openapi/native.json']) {
    const { headers, status } = await fetch(berth.url + path);
    assert.equal(status, 200, path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.ok(!policy.includes('unsafe-'), path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
  }
});

test('a repeat under the key of somebody who may do more is not answered to a key that may do less', async () => {
  const once = { 'idempotency-key': 'the-same-for-all' };
  const asked = { account: 'acme', name: 'robot' };
  const made = await call<{ secret: string }>(ann, 'POST', '/api-keys', asked, once);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const own = await call<{ secret: string }>(ann, 'POST', '/api-keys', { name: 'weak', privileges: [] });
  assert.equal(own.status, 201, JSON.stringify(own.body));
  const stolen = await call<{ secret?: string }>(own.body.secret, 'POST', '/api-keys', asked, once);
  assert.equal(stolen.body.secret, undefined, 'a key of the user’s that may do nothing');
  assert.ok([403, 404].includes(stolen.status), JSON.stringify(stolen.body));
  const again = await call<{ secret: string }>(ann, 'POST', '/api-keys', asked, once);
  assert.equal(again.body.secret, made.body.secret);
});

test('a read-only key is not answered what the account’s full key was', async () => {
  const once = { 'idempotency-key': 'the-same-for-all' };
  const scoped = (scope: string) =>
    call<{ secret: string }>(ann, 'POST', '/api-keys', { account: 'acme', name: `k-${scope}`, scope });
  const [full, reading] = [(await scoped('full')).body.secret, (await scoped('read-only')).body.secret];
  const asked = { account: 'acme', name: 'another' };
  const made = await call<{ secret: string }>(full, 'POST', '/api-keys', asked, once);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  problem(await call(reading, 'POST', '/api-keys', asked, once), 403, 'forbidden');
  const rotated = await call<{ secret: string }>(made.body.secret, 'POST', '/api-keys', asked, once);
  assert.equal(rotated.headers.get('idempotent-replayed'), 'true', 'the keys of an account that may do all are one');
});

test('no operation that changes anything is taken with the cookie from a page of another site, or from who knows where', async () => {
  const cookie = `berth_session=${root.token}`;
  const changing = operations.filter(({ changes, isPublic, opensDoor }) => changes && !isPublic && !opensDoor);
  assert.ok(changing.length > 60);
  for (const { id, method, path, example } of changing) {
    const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => example.params[name] ?? 'x');
    for (const headers of [
      {},
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://127.0.0.1:1' },
      { origin: 'null' },
    ]) {
      const sent = { cookie, ...(headers as Record<string, string>) };
      const answer = await callApi<{ code: string }>(berth.url, null, method, filled, example.body, sent);
      assert.deepEqual([answer.status, answer.body.code], [403, 'cross_site'], `${id} ${JSON.stringify(headers)}`);
    }
  }
});

test('over HTTPS the cookie is one that no neighbour can plant', async () => {
  const https = { 'x-forwarded-proto': 'https' };
  const logIn = (headers: Record<string, string>) =>
    callApi(berth.url, null, 'POST', '/berth/v1/sessions', { ...credentialsOf(ann), cookie: true }, headers);
  const given = (await logIn(https)).headers.get('set-cookie') ?? '';
  assert.match(given, /^__Host-berth_session=session_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  assert.match((await logIn({ 'x-forwarded-proto': 'https, http' })).headers.get('set-cookie') ?? '', /^__Host-/);
  const [cookie = ''] = given.split(';');
  const me = (headers: Record<string, string>) =>
    callApi<{ user: { username: string } }>(berth.url, null, 'GET', '/berth/v1/me', undefined, headers);
  assert.equal((await me({ ...https, cookie })).body.user.username, ann.username);
  // What another host below the same domain sets has a name without that prefix.
  const planted = `berth_session=${root.token}`;
  assert.equal((await me({ ...https, cookie: `${planted}; ${cookie}` })).body.user.username, ann.username);
  problem(await me({ ...https, cookie: planted }), 401, 'unauthenticated');
  const out = await call(null, 'DELETE', '/sessions/current', undefined, {
    ...{ ...https, cookie, 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie') ?? '', /^__Host-berth_session=; Max-Age=0; Path=\/; .*Secure$/);
});

const credentialsOf = ({ username, password }: { username: string; password: string }) => ({ username, password });

test('what is kept for repeats is no hash that passwords can be tried against', async () => {
  const body = { password: 'another passphrase of ann', currentPassword: ann.password };
  const changed = await call(ann, 'PATCH', '/users/me', body, { 'idempotency-key': 'new-password' });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const { request_sha256: kept } = await database
    .selectFrom('kept_answer')
    .where('key', '=', 'new-password')
    .select('request_sha256')
    .executeTakeFirstOrThrow();
  const guess = canonicalJson(['PATCH', '/berth/v1/users/me', body]);
  assert.ok(!Buffer.from(kept).equals(createHash('sha256').update(guess).digest()));
  const again = await call(ann, 'PATCH', '/users/me', body, { 'idempotency-key': 'new-password' });
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  const other = { ...body, password: 'quite another passphrase' };
  problem(
    await call(ann, 'PATCH', '/users/me', other, { 'idempotency-key': 'new-password' }),
    422,
    'idempotency_key_reused',
  );
});
