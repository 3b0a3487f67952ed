// Logging in as Bytemark's clients do: by password, with a second factor, as a form; how long it lasts; acting as others; and how
// guessing is slowed.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { addSecondFactor, setPassword } from '../../../src/app/user.ts';
import { totpCode } from '../../../src/model/totp.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { addUser, asOperator, grant, logIn, postSession, secretOf, tokenOf } from './identity.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.61.0.0/17' });
  database = await openStore(berth);
});
after(async () => {
  await database.destroy();
  await berth.close();
});

interface Session {
  username: string;
  factors: string[];
  group_memberships: string[];
}

const readSession = (token: string) => callApi<Session>(berth.url, null, 'GET', `/session/${token}`);
const forgetFailures = () => database.deleteFrom('login_failure').execute();

/** When a session ends that has just been opened, in seconds from now. */
async function secondsLeft(token: string): Promise<number> {
  const { expires_at } = await database
    .selectFrom('session')
    .where('token_sha256', '=', secretOf(token))
    .select('expires_at')
    .executeTakeFirstOrThrow();
  return Math.round((expires_at.getTime() - Date.now()) / 1000);
}

test('a login answers with the bare token, which says whose it is and lets him in', async () => {
  const user = await addUser(berth, 'default');
  const answer = await postSession(berth, JSON.stringify({ ...user, validity: '1800' }), 'application/json');
  assert.equal(answer.status, 200);
  assert.match(answer.type, /^text\/plain/);
  assert.match(answer.text, /^[\w-]+$/);
  const session = await readSession(answer.text);
  assert.deepEqual(session.body, { username: user.username, factors: ['password'], group_memberships: [] });
  const account = await callApi<{ name: string }>(berth.url, answer.text, 'GET', '/accounts/default');
  assert.deepEqual([account.status, account.body.name], [200, 'default']);
  assert.equal((await callApi(berth.url, `${answer.text}x`, 'GET', '/accounts/default')).status, 401);
});

test('a form logs in as JSON does, and JSON of an older media type', async () => {
  const user = await addUser(berth, 'default');
  const form = new URLSearchParams({ ...user, validity: '60' }).toString();
  assert.equal((await postSession(berth, form, 'application/x-www-form-urlencoded')).status, 200);
  const type = 'application/vnd.bigv.session+json';
  assert.equal((await postSession(berth, JSON.stringify(user), type)).status, 200);
});

test('a wrong password and an unknown user are refused in the same words', async () => {
  const { username, password } = await addUser(berth, 'default');
  for (const wrong of [
    { username, password: `${password}x` },
    { username: `nobody-${randomUUID()}`, password },
    { username: username.toUpperCase(), password },
    { username, password: password.repeat(1000) },
  ]) {
    const { status, text, type } = await logIn(berth, wrong);
    assert.deepEqual([status, text], [403, 'Bad login credentials']);
    assert.match(type, /^text\/plain/);
  }
  assert.ok(!berth.log().includes(password));
});

test('what can’t be read is told as badly formed', async () => {
  const { username, password } = await addUser(berth, 'default');
  for (const body of [
    {},
    { username },
    { password },
    { username: '', password },
    { username: [username], password },
    { username, password: { a: 1 } },
    { username, password, validity: 'soon' },
    { username: null, password },
  ]) {
    const { status, text } = await logIn(berth, body);
    assert.deepEqual([status, text], [400, 'Badly-formed parameters'], JSON.stringify(body));
  }
  for (const [text, type] of [
    ['{', 'application/json'],
    ['[]', 'application/json'],
    ['<a/>', 'text/xml'],
  ] as const) {
    const answer = await postSession(berth, text, type);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /^Badly-formed parameters: /);
  }
});

test('a session lasts as long unused as was asked for, within an hour, and five minutes unless asked', async () => {
  const user = await addUser(berth, 'default');
  for (const [validity, seconds] of [
    [undefined, 300],
    ['1800', 1800],
    [60, 60],
    ['86400', 3600],
    ['-5', 1],
    [null, 300],
  ] as const) {
    const token = await tokenOf(berth, { ...user, validity });
    const left = await secondsLeft(token);
    assert.ok(left <= seconds && left >= seconds - 5, `${validity}: ${left}`);
  }
});

test('each use puts the end off, by reading it and by any other call, and what is over is gone', async () => {
  const user = await addUser(berth, 'default');
  const token = await tokenOf(berth, { ...user, validity: '600' });
  const setExpiry = (seconds: number) =>
    database
      .updateTable('session')
      .set({ expires_at: new Date(Date.now() + seconds * 1000) })
      .where('token_sha256', '=', secretOf(token))
      .execute();
  for (const path of [`/session/${token}`, '/accounts/default']) {
    await setExpiry(30);
    assert.equal((await callApi(berth.url, token, 'GET', path)).status, 200);
    assert.ok((await secondsLeft(token)) > 590, path);
  }
  await setExpiry(-1);
  assert.equal((await readSession(token)).status, 404);
  assert.equal((await callApi(berth.url, token, 'GET', '/accounts/default')).status, 401);
});

test('a session that is used all the time is not written at each call', async () => {
  const token = await tokenOf(berth, await addUser(berth, 'default'));
  const version = async () => {
    const row = await database
      .selectFrom('session')
      .where('token_sha256', '=', secretOf(token))
      .select((eb) => eb.cast<string>(eb.ref('xmin' as 'expires_at'), 'text').as('version'))
      .executeTakeFirstOrThrow();
    return row.version;
  };
  const before = await version();
  for (let call = 0; call < 5; call += 1) await readSession(token);
  assert.equal(await version(), before);
});

test('a second factor is asked for by its text, taken once, and shows among the factors', async () => {
  const user = await addUser(berth, 'default');
  const secret = await secondFactorOf(user.username);
  const missing = await logIn(berth, user);
  assert.deepEqual([missing.status, missing.text], [403, 'Missing 2FA']);
  assert.equal((await logIn(berth, { ...user, password: 'wrong', '2fa': '000000' })).text, 'Bad login credentials');
  const code = totpCode(secret, new Date());
  const wrong = code === '123456' ? '654321' : '123456';
  assert.equal((await logIn(berth, { ...user, '2fa': wrong })).text, 'Bad login credentials');
  const token = await tokenOf(berth, { ...user, '2fa': code });
  assert.deepEqual((await readSession(token)).body.factors, ['password', '2fa']);
  const again = await logIn(berth, { ...user, '2fa': code });
  assert.deepEqual([again.status, again.text], [403, 'Bad login credentials']);
  const next = totpCode(secret, new Date(Date.now() + 30_000));
  const yubikey = await tokenOf(berth, { ...user, yubikey: next });
  assert.deepEqual((await readSession(yubikey)).body.factors, ['password', 'yubikey']);
});

test('a code of one who has no second factor is refused, an empty one is none', async () => {
  const user = await addUser(berth, 'default');
  assert.equal((await logIn(berth, { ...user, '2fa': '123456' })).text, 'Bad login credentials');
  assert.equal((await logIn(berth, { ...user, '2fa': '', yubikey: '' })).status, 200);
});

test('who runs the cluster acts as users below, never as his like or above, and the session says so', async () => {
  const [chief, admin, plain, peer] = await Promise.all([1, 2, 3, 4].map(() => addUser(berth, 'default')));
  if (!chief || !admin || !plain || !peer) throw new Error('four users were added');
  await grant(berth, chief.username, 'cluster_su');
  await grant(berth, admin.username, 'cluster_admin');
  await grant(berth, peer.username, 'cluster_admin');
  const actAs = (token: string, username?: string) =>
    postSession(berth, JSON.stringify(username === undefined ? {} : { username }), 'application/json', `/${token}`);
  const own = await tokenOf(berth, admin);
  const as = await actAs(own, plain.username);
  assert.equal(as.status, 200);
  const session = await readSession(as.text);
  assert.deepEqual(session.body, {
    username: plain.username,
    factors: ['password', 'impersonated'],
    group_memberships: [],
  });
  assert.equal((await callApi(berth.url, as.text, 'GET', '/accounts/default')).status, 200);
  const refused = async (token: string, username: string) =>
    assert.equal((await actAs(token, username)).status, 403, username);
  await refused(own, peer.username);
  await refused(own, chief.username);
  await refused(own, admin.username);
  await refused(as.text, plain.username);
  await refused(await tokenOf(berth, plain), admin.username);
  assert.equal((await actAs(await tokenOf(berth, chief), peer.username)).status, 200);
  assert.equal((await actAs(own, 'nobody')).status, 404);
  assert.equal((await actAs('never', plain.username)).status, 404);
  assert.deepEqual([(await actAs(own)).status, (await actAs(own)).text], [400, 'Badly-formed parameters']);
  // It holds no longer than the right that it was opened by.
  await database
    .deleteFrom('privilege')
    .where('level', '=', 'cluster_admin')
    .where('user_id', '=', (eb) => eb.selectFrom('user').where('username', '=', admin.username).select('user.id'))
    .execute();
  assert.equal((await readSession(as.text)).status, 404);
  assert.equal((await readSession(own)).status, 200);
});

test('a token stands in no log, also where something goes wrong', async () => {
  const token = await tokenOf(berth, await addUser(berth, 'default'));
  await sql`alter table session rename to mislaid`.execute(database);
  try {
    assert.equal((await readSession(token)).status, 500);
    assert.equal((await callApi(berth.url, token, 'GET', '/accounts')).status, 500);
  } finally {
    await sql`alter table mislaid rename to session`.execute(database);
  }
  assert.match(berth.log(), /"path":"\/session\/\[secret\]","status":500/);
  assert.ok(!berth.log().includes(token));
});

/** Lets the waits that have begun last, so that a slow machine finds them. @returns how many there are */
async function holdWaits(): Promise<number> {
  const held = await database
    .updateTable('login_failure')
    .set({ blocked_until: new Date(Date.now() + 60_000) })
    .where('blocked_until', 'is not', null)
    .returning('count')
    .execute();
  return held.length;
}

test('a user who is guessed at is slowed, also for who knows the password, and no other user is', async () => {
  await forgetFailures();
  const [victim, other] = [await addUser(berth, 'default'), await addUser(berth, 'default')];
  const guess = () => logIn(berth, { ...victim, password: 'wrong' });
  const guesses = await Promise.all(Array.from({ length: 10 }, guess));
  assert.deepEqual(new Set(guesses.map(({ status }) => status)), new Set([403]));
  assert.equal(await holdWaits(), 0, 'ten at once are free');
  assert.equal((await guess()).status, 403);
  assert.equal(await holdWaits(), 1, 'the next begins the wait');
  const slowed = await logIn(berth, victim);
  assert.equal(slowed.status, 503);
  assert.match(slowed.text, /^Too many logins have failed; try again in \d+ s\.$/);
  assert.equal((await logIn(berth, other)).status, 200);
  const over = { blocked_until: new Date() };
  await database.updateTable('login_failure').set(over).where('blocked_until', 'is not', null).execute();
  assert.equal((await logIn(berth, victim)).status, 200);
  assert.equal((await guess()).status, 403);
  assert.equal(await holdWaits(), 0, 'who has logged in begins anew');
  await forgetFailures();
});

test('an address that guesses at many users is slowed, for all of them', async () => {
  await forgetFailures();
  const user = await addUser(berth, 'default');
  const guess = () => logIn(berth, { username: randomUUID(), password: 'wrong' });
  for (let round = 0; round < 5; round += 1) {
    const guesses = await Promise.all(Array.from({ length: 10 }, guess));
    assert.deepEqual(new Set(guesses.map(({ status }) => status)), new Set([403]));
  }
  assert.equal((await logIn(berth, user)).status, 200);
  assert.equal(await holdWaits(), 0, 'a login that is right counts for nothing');
  assert.equal((await guess()).status, 403);
  assert.equal(await holdWaits(), 1);
  assert.equal((await logIn(berth, user)).status, 503);
  await forgetFailures();
});

test('a password without its second factor is no failure, and takes none back', async () => {
  await forgetFailures();
  const user = await addUser(berth, 'default');
  await secondFactorOf(user.username);
  const failures = async () =>
    (await database.selectFrom('login_failure').select('count').orderBy('count').execute()).map(({ count }) => count);
  for (let count = 0; count < 3; count += 1) await logIn(berth, { ...user, '2fa': 'wrong' });
  assert.deepEqual(await failures(), [3, 3]);
  for (let count = 0; count < 3; count += 1) assert.equal((await logIn(berth, user)).text, 'Missing 2FA');
  assert.deepEqual(await failures(), [3, 3]);
  await forgetFailures();
});

test('a login that is no failure makes nobody wait, however many there were before', async () => {
  await forgetFailures();
  const [user, other] = [await addUser(berth, 'default'), await addUser(berth, 'default')];
  const secret = await secondFactorOf(user.username);
  assert.equal((await logIn(berth, { ...user, password: 'wrong' })).status, 403);
  // The next failure of either begins a wait of a minute.
  await database.updateTable('login_failure').set({ count: 100, blocked_until: null }).execute();
  assert.equal((await logIn(berth, user)).text, 'Missing 2FA');
  assert.equal((await logIn(berth, { ...user, '2fa': totpCode(secret, new Date()) })).status, 200);
  assert.equal((await logIn(berth, other)).status, 200, 'nor of the address');
  assert.equal((await logIn(berth, { ...other, password: 'wrong' })).status, 403);
  assert.equal((await logIn(berth, other)).status, 503);
  await forgetFailures();
});

test('another password ends the sessions that were there', async () => {
  const user = await addUser(berth, 'default');
  const token = await tokenOf(berth, user);
  await asOperator(berth, (context) => setPassword(context, user.username, 'quite another password', 'the password'));
  assert.equal((await readSession(token)).status, 404);
  assert.equal((await logIn(berth, user)).status, 403);
  assert.equal((await logIn(berth, { ...user, password: 'quite another password' })).status, 200);
});

/** Gives a user a second factor. @returns its secret */
async function secondFactorOf(username: string): Promise<string> {
  const uri = await asOperator(berth, (context) => addSecondFactor(context, username));
  return new URL(uri).searchParams.get('secret') ?? '';
}
