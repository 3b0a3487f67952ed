// Logging in to Berth's own API: with a token or a cookie, with a second factor, out again, as somebody else; and what a cookie
// is not enough for.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseId } from '../../../src/api/native/id.ts';
import { createAccount } from '../../../src/app/account.ts';
import { addSecondFactor } from '../../../src/app/user.ts';
import { totpCode } from '../../../src/model/totp.ts';
import { type Answer, callApi, startTestBerth } from '../../support/berth.ts';
import { addUser, asOperator, grant, type TestUser } from '../bytemark/identity.ts';
import { openStore } from '../support.ts';
import { assertProblem } from './problem.ts';

interface Session {
  id: string;
  user: { id: string; username: string };
  factors: string[];
  current?: boolean;
  token?: string;
  userAgent: string | null;
  fromAddress: string | null;
}

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const call = <Body = Session>(
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => callApi<Body>(berth.url, token, method, `/berth/v1${path}`, body, headers);
const logIn = (user: object, more: object = {}, headers: Record<string, string> = {}) =>
  call(null, 'POST', '/sessions', { ...user, ...more }, headers);
async function tokenFor(user: TestUser): Promise<string> {
  const { status, body } = await logIn(user);
  assert.equal(status, 201, JSON.stringify(body));
  return body.token ?? '';
}
const sessionsInAll = async () => (await database.selectFrom('session').select('id').execute()).length;
const cookieOf = (answer: Answer<unknown>) => answer.headers.get('set-cookie') ?? '';

test('a login answers with a token that is its user', async () => {
  const user = await addUser(berth, 'default');
  const answer = await logIn(user, {}, { 'user-agent': 'tests/1' });
  assert.equal(answer.status, 201);
  assert.deepEqual([answer.body.user.username, answer.body.factors], [user.username, ['password']]);
  assert.deepEqual([answer.body.userAgent, answer.body.fromAddress], ['tests/1', '127.0.0.1']);
  assert.equal(answer.headers.get('set-cookie'), null);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const token = answer.body.token ?? '';
  const current = await call(token, 'GET', '/sessions/current');
  assert.deepEqual([current.status, current.body.id, current.body.current], [200, answer.body.id, true]);
  assert.equal(current.body.token, undefined);
  const me = await call<{ user: { username: string } }>(token, 'GET', '/me');
  assert.equal(me.body.user.username, user.username);
  const kept = await database.selectFrom('session').selectAll().execute();
  assert.ok(!JSON.stringify(kept).includes(token));
});

test('a wrong password and an unknown user are refused alike, and nothing of what was typed is told or logged', async () => {
  const { username, password } = await addUser(berth, 'default');
  const before = await sessionsInAll();
  const details = new Set<string>();
  for (const wrong of [
    { username, password: `${password}x` },
    { username: 'nobody-at-all', password },
    { username, password: password.repeat(1000) },
    { username, password: `${password}x`, code: '000000' },
  ]) {
    details.add(assertProblem(await logIn(wrong), 401, 'bad_credentials').detail);
  }
  assert.equal(details.size, 1);
  assert.ok(![...details].join().includes(password));
  assert.ok(!berth.log().includes(password));
  assert.equal(await sessionsInAll(), before);
});

test('a login that is not of the documented shape is told so', async () => {
  const user = await addUser(berth, 'default');
  for (const wrong of [
    {},
    { username: user.username },
    { ...user, username: '' },
    { ...user, username: 'no\0body' },
    { ...user, password: '' },
    { ...user, validitySeconds: 0 },
    { ...user, validitySeconds: 3601 },
    { ...user, cookie: 'yes' },
    { ...user, colour: 'red' },
  ]) {
    assertProblem(await logIn(wrong), 400, 'malformed');
  }
});

test('who has a second factor is asked for it only with the right password, and a code is taken once', async () => {
  const user = await addUser(berth, 'default');
  const uri = await asOperator(berth, (context) => addSecondFactor(context, user.username));
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  assertProblem(await logIn(user), 401, 'second_factor_needed');
  assertProblem(await logIn({ ...user, password: 'wrong' }), 401, 'bad_credentials');
  assertProblem(await logIn(user, { code: '000000' }), 401, 'bad_credentials');
  const code = totpCode(secret, new Date());
  const answer = await logIn(user, { code });
  assert.deepEqual([answer.status, answer.body.factors], [201, ['password', '2fa']]);
  assertProblem(await logIn(user, { code }), 401, 'bad_credentials');
});

test('guessing is slowed, however the guesses come', async () => {
  const user = await addUser(berth, 'default');
  const wrong = { ...user, password: 'not this one, nor that' };
  for (let count = 0; count < 11; count += 1) assertProblem(await logIn(wrong), 401, 'bad_credentials');
  const slowed = await logIn(user);
  assertProblem(slowed, 429, 'too_many_requests');
  assert.ok(Number(slowed.headers.get('retry-after')) > 0);
  await database.deleteFrom('login_failure').execute();
  assert.equal((await logIn(user)).status, 201);
});

test('one sees one’s own sessions and ends them, here and elsewhere', async () => {
  const user = await addUser(berth, 'default');
  const [here, there] = [await tokenFor(user), await tokenFor(user)];
  const other = await tokenFor(await addUser(berth, 'default'));
  const { body } = await call<{ items: Session[] }>(here, 'GET', '/sessions');
  assert.deepEqual(body.items.map((one) => one.current).toSorted(), [false, true]);
  const elsewhere = body.items.find((one) => !one.current)?.id ?? '';
  for (const one of body.items) assert.deepEqual((await call(here, 'GET', `/sessions/${one.id}`)).body, one);
  assertProblem(await call(other, 'GET', `/sessions/${elsewhere}`), 404, 'not_found');
  assertProblem(await call(berth.apiKey, 'GET', `/sessions/${elsewhere}`), 403, 'forbidden');
  assertProblem(await call(other, 'DELETE', `/sessions/${elsewhere}`), 404, 'not_found');
  assertProblem(await call(berth.apiKey, 'DELETE', `/sessions/${elsewhere}`), 403, 'forbidden');
  assert.equal((await call(here, 'DELETE', `/sessions/${elsewhere}?dryRun=true`)).status, 204);
  assert.equal((await call(there, 'GET', '/me')).status, 200);
  assert.equal((await call(here, 'DELETE', `/sessions/${elsewhere}`)).status, 204);
  assertProblem(await call(there, 'GET', '/me'), 401, 'unauthenticated');
  assertProblem(await call(here, 'GET', `/sessions/${elsewhere}`), 404, 'not_found');
  assertProblem(await call(here, 'DELETE', `/sessions/${elsewhere}`), 404, 'not_found');
  const out = await call(here, 'DELETE', '/sessions/current');
  assert.equal(out.status, 204);
  assert.match(cookieOf(out), /^berth_session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
  assertProblem(await call(here, 'GET', '/me'), 401, 'unauthenticated');
  assert.equal((await call(other, 'GET', '/me')).status, 200);
});

test('a session that is used for ever ends 30 days after its login', async () => {
  const token = await tokenFor(await addUser(berth, 'default'));
  const { body } = await call(token, 'GET', '/sessions/current');
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  const minutesLeft = async (authenticatedAt: Date) => {
    await database
      .updateTable('session')
      .set({ authenticated_at: authenticatedAt, expires_at: inMinutes(20) })
      .where('id', '=', parseId('session', body.id) ?? '')
      .execute();
    assert.equal((await call(token, 'GET', '/me')).status, 200);
    const session = await call<{ expiresAt: string }>(token, 'GET', '/sessions/current');
    return (Date.parse(session.body.expiresAt) - Date.now()) / 60_000;
  };
  const monthMinutes = 30 * 24 * 60;
  assert.ok((await minutesLeft(inMinutes(90 - monthMinutes))) > 50, 'each use puts the end off by an hour');
  const last = await minutesLeft(inMinutes(30 - monthMinutes));
  assert.ok(last > 20 && last <= 30, `but never beyond the month: ${last} minutes are left`);
});

test('a key has no session', async () => {
  assertProblem(await call(berth.apiKey, 'GET', '/sessions/current'), 403, 'forbidden');
  const { status, body } = await call<{ items: Session[] }>(berth.apiKey, 'GET', '/sessions');
  assert.deepEqual([status, body.items], [200, []]);
});

test('a page gets its token in a cookie that no script can read, and not in the body', async () => {
  const user = await addUser(berth, 'default');
  const answer = await logIn(user, { cookie: true });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.token, undefined);
  assert.match(cookieOf(answer), /^berth_session=session_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const secure = await logIn(user, { cookie: true }, { 'x-forwarded-proto': 'https' });
  assert.match(cookieOf(secure), /; Secure$/);
  const [cookie = ''] = cookieOf(answer).split(';');
  const me = await call<{ user: { username: string } }>(null, 'GET', '/me', undefined, {
    cookie: `a=b; ${cookie}; c=d`,
  });
  assert.deepEqual([me.status, me.body.user?.username], [200, user.username]);
  assertProblem(
    await call(null, 'GET', '/me', undefined, { cookie: 'berth_session=session_x' }),
    401,
    'unauthenticated',
  );
  assertProblem(await call(null, 'GET', '/me', undefined, { cookie: `xberth_session=x` }), 401, 'unauthenticated');
  const both = await call<{ user: null }>(berth.apiKey, 'GET', '/me', undefined, { cookie });
  assert.equal(both.body.user, null, 'what a program sends on purpose goes before the cookie');
  assertProblem(await call('wrong', 'GET', '/me', undefined, { cookie }), 401, 'unauthenticated');
});

test('a change that comes with a cookie is taken only from a page of this site', async () => {
  const answer = await logIn(await addUser(berth, 'default'), { cookie: true });
  const [cookie = ''] = cookieOf(answer).split(';');
  const groups = async () => (await database.selectFrom('group').select('id').execute()).length;
  const before = await groups();
  const make = (name: string, headers: Record<string, string>) =>
    call(null, 'POST', '/groups', { name }, { cookie, ...headers });
  for (const headers of [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', origin: berth.url },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${berth.url}1` },
  ]) {
    assertProblem(await make('stolen', headers as Record<string, string>), 403, 'cross_site');
  }
  assert.equal(await groups(), before);
  assertProblem(await call(null, 'DELETE', '/sessions/current', undefined, { cookie }), 403, 'cross_site');
  assert.equal((await make('own-1', { 'sec-fetch-site': 'same-origin' })).status, 201);
  assert.equal((await make('own-2', { origin: berth.url })).status, 201);
  const byToken = await call(berth.apiKey, 'POST', '/groups', { name: 'own-3' }, { origin: 'https://evil.example' });
  assert.equal(byToken.status, 201, 'a token is not sent along unasked');
});

test('no page of another site logs somebody in as somebody else', async () => {
  const user = await addUser(berth, 'default');
  const before = await sessionsInAll();
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    const answer = await logIn(user, { cookie: true }, headers as Record<string, string>);
    assertProblem(answer, 403, 'cross_site');
    assert.equal(answer.headers.get('set-cookie'), null);
  }
  assert.equal(await sessionsInAll(), before);
  assert.equal((await logIn(user, { cookie: true }, { origin: berth.url })).status, 201);
});

test('who runs the whole acts as others, as nobody of his own rank, and not from within that', async () => {
  await asOperator(berth, (context) => createAccount(context, 'acme', 'name'));
  const ann = await addUser(berth, 'acme');
  const [root, peer] = [await addUser(berth, 'default'), await addUser(berth, 'default')];
  for (const { username } of [root, peer]) await grant(berth, username, 'cluster_admin');
  const token = await tokenFor(root);
  const act = (who: string | null, user: unknown) => call(who, 'POST', '/sessions/impersonations', { user });
  const opened = await act(token, ann.username);
  assert.equal(opened.status, 201, JSON.stringify(opened.body));
  assert.deepEqual([opened.body.user.username, opened.body.factors], [ann.username, ['password', 'impersonated']]);
  assert.equal((await act(token, opened.body.user.id)).status, 201);
  const asAnn = opened.body.token ?? '';
  const me = await call<{ user: { username: string } }>(asAnn, 'GET', '/me');
  assert.equal(me.body.user.username, ann.username);
  const before = await sessionsInAll();
  assertProblem(await act(asAnn, ann.username), 403, 'forbidden');
  assertProblem(await act(await tokenFor(ann), root.username), 403, 'forbidden');
  assertProblem(await act(berth.apiKey, ann.username), 403, 'forbidden');
  assertProblem(await act(token, peer.username), 403, 'forbidden');
  const unknown = assertProblem(await act(token, 'nobody'), 404, 'not_found');
  assert.equal(unknown.pointer, '#/user');
  assertProblem(await act(token, 'no\0body'), 400, 'malformed');
  assertProblem(await act(token, 7), 400, 'malformed');
  assert.equal(await sessionsInAll(), before + 1);
});
