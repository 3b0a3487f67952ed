// Privileges in the Bytemark dialect: granted and revoked by who is above and by nobody else, seen by whom they concern, and what
// they are worth under each of their terms.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { createAccount } from '../../../src/app/account.ts';
import { addSecondFactor } from '../../../src/app/user.ts';
import { totpCode } from '../../../src/model/totp.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { deployBody, deployed, openStore, untilStatus } from '../support.ts';
import { addUser, asOperator, grant, type TestUser, tokenOf } from './identity.ts';

interface Privilege {
  id: number;
  username: string;
  level: string;
  account_id: number | null;
  account_name: string | null;
  group_id: number | null;
  group_name: string | null;
  virtual_machine_id: number | null;
  virtual_machine_name: string | null;
  api_key_id: number | null;
  password_required: boolean;
  yubikey_required: boolean;
  yubikey_otp_max_age: number | null;
  ip_restrictions: string | null;
  creating_username: string | null;
  _links: Record<string, { href: string }>;
}

let berth: TestBerth;
let database: Database;
/** The numbers of what the first account has. */
let account: number;
let group: number;
let vm: number;
/** One who runs the account, one who has nothing, and one who runs another. */
let owner: TestUser;
let guest: TestUser;
let stranger: TestUser;
let root: TestUser;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.61.0.0/17' });
  database = await openStore(berth);
  await asOperator(berth, (context) => createAccount(context, 'other', 'name'));
  await asOperator(berth, (context) => createAccount(context, 'nothing', 'name'));
  const [id = ''] = await deployed(berth, deployBody({ name: 'web' }));
  await untilStatus(berth, id, 'Active');
  const row = await database
    .selectFrom('instance')
    .innerJoin('account', 'account.id', 'account_id')
    .where('instance.id', '=', id)
    .select(['instance.number', 'group_id', 'account.number as account_number'])
    .executeTakeFirstOrThrow();
  [vm, group, account] = [Number(row.number), Number(row.group_id), Number(row.account_number)];
  owner = await addUser(berth, 'default');
  stranger = await addUser(berth, 'other');
  guest = await addUser(berth, 'nothing');
  root = await addUser(berth, 'nothing');
  await grant(berth, root.username, 'cluster_su');
});
after(async () => {
  await database.destroy();
  await berth.close();
});

type Faults = Record<string, string[]>;

async function call<Body = Privilege>(user: TestUser, method: string, path: string, body?: unknown) {
  return callApi<Body>(berth.url, await tokenOf(berth, user), method, path, body);
}
const give = <Body = Privilege>(by: TestUser, to: TestUser, body: object): Promise<Answer<Body>> =>
  call<Body>(by, 'POST', `/users/${to.username}/privileges`, body);
const list = async (by: TestUser, path: string) => (await call<Privilege[]>(by, 'GET', path)).body;

/** Gives a privilege, does something, and takes it away again. */
async function having(
  by: TestUser,
  to: TestUser,
  body: object,
  work: (made: Privilege) => Promise<void>,
): Promise<void> {
  const made = await give(by, to, body);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  try {
    await work(made.body);
  } finally {
    assert.equal((await call(by, 'DELETE', `/privileges/${made.body.id}`)).status, 204);
  }
}

const vmPath = '/accounts/default/groups/default/virtual_machines/web';

test('a grant on a group as the command-line client sends it lets its user in there, until it is revoked as the client does', async () => {
  const path = '/accounts/default/groups/default';
  assert.equal((await call(guest, 'GET', path)).status, 404);
  const body = { group_id: group, group_name: 'default', level: 'group_admin', password_required: true };
  const made = await give(owner, guest, { ...body, yubikey_required: false });
  assert.equal(made.status, 200);
  assert.deepEqual(made.body, {
    id: made.body.id,
    username: guest.username,
    level: 'group_admin',
    account_id: null,
    account_name: 'default',
    group_id: group,
    group_name: 'default',
    virtual_machine_id: null,
    virtual_machine_name: null,
    api_key_id: null,
    password_required: true,
    yubikey_required: false,
    yubikey_otp_max_age: null,
    ip_restrictions: null,
    creating_username: owner.username,
    _links: made.body._links,
  });
  assert.equal(made.body._links.self?.href, `/privileges/${made.body.id}`);
  assert.equal((await call(guest, 'GET', path)).status, 200);
  const [found] = (await list(owner, `${path}/privileges`)).filter(({ username }) => username === guest.username);
  assert.deepEqual(found, made.body);
  const revoked = await call(owner, 'DELETE', `/privileges/${found?.id}`);
  assert.deepEqual([revoked.status, revoked.body], [204, null]);
  assert.equal((await call(guest, 'GET', path)).status, 404);
});

test('each level holds for what is in its object and not beside it', async () => {
  const statuses = async () => {
    const paths = ['/accounts/default', '/accounts/default/groups/default', vmPath, '/accounts/other'];
    return Promise.all(paths.map(async (path) => (await call(guest, 'GET', path)).status));
  };
  assert.deepEqual(await statuses(), [404, 404, 404, 404]);
  for (const [level, target] of [
    ['vm_console', { virtual_machine_id: vm }],
    ['vm_admin', { virtual_machine_id: String(vm) }],
    ['group_admin', { group_id: group }],
  ] as const) {
    await having(owner, guest, { level, ...target }, async () =>
      assert.deepEqual(await statuses(), [200, 200, 200, 404]),
    );
  }
  await having(root, guest, { level: 'account_admin', account_id: account }, async () =>
    assert.deepEqual(await statuses(), [200, 200, 200, 404]),
  );
  await having(root, guest, { level: 'cluster_admin' }, async () =>
    assert.deepEqual(await statuses(), [200, 200, 200, 200]),
  );
});

test('nobody grants what is as high as his own, or where he has nothing', async () => {
  const onAccount = { level: 'account_admin', account_id: account };
  const onGroup = { level: 'group_admin', group_id: group };
  const onVm = (level: string) => ({ level, virtual_machine_id: vm });
  const refused = async (by: TestUser, body: object, status: number) =>
    assert.equal((await give(by, guest, body)).status, status, JSON.stringify(body));
  await refused(owner, onAccount, 403);
  await refused(owner, { level: 'cluster_admin' }, 403);
  await refused(root, { level: 'cluster_su' }, 403);
  for (const body of [onAccount, onGroup, onVm('vm_console')]) await refused(stranger, body, 400);
  const helper = await addUser(berth, 'nothing');
  await having(owner, helper, onGroup, async () => {
    await refused(helper, onGroup, 403);
    await refused(helper, onAccount, 403);
    await having(helper, guest, onVm('vm_admin'), async () => {
      await refused(guest, onVm('vm_admin'), 403);
      await having(guest, stranger, onVm('vm_console'), async () =>
        assert.equal((await call(stranger, 'GET', vmPath)).status, 200),
      );
    });
  });
  // An account's own key is as good as who runs the account.
  const key = `apikey.${berth.apiKey}`;
  const path = `/users/${guest.username}/privileges`;
  const made = await callApi<Privilege>(berth.url, key, 'POST', path, onGroup);
  assert.deepEqual([made.status, made.body.creating_username], [200, null]);
  assert.equal((await callApi(berth.url, key, 'POST', path, onAccount)).status, 403);
  assert.equal((await callApi(berth.url, key, 'DELETE', `/privileges/${made.body.id}`)).status, 204);
});

test('nobody revokes or changes what is as high as his own, nor his own', async () => {
  const [own] = await list(owner, '/privileges');
  assert.equal(own?.level, 'account_admin');
  const colleague = await addUser(berth, 'default');
  for (const user of [owner, colleague]) {
    assert.equal((await call(user, 'DELETE', `/privileges/${own?.id}`)).status, 403);
    assert.equal((await call(user, 'PUT', `/privileges/${own?.id}`, { yubikey_required: true })).status, 403);
  }
  assert.equal((await call(stranger, 'DELETE', `/privileges/${own?.id}`)).status, 404);
  assert.equal((await call(stranger, 'GET', `/privileges/${own?.id}`)).status, 404);
  assert.equal((await call(owner, 'DELETE', '/privileges/99999999')).status, 404);
  assert.equal((await call(owner, 'DELETE', '/privileges/x')).status, 404);
});

test('one sees one’s own, and on what one manages those that are no higher', async () => {
  await having(owner, guest, { level: 'vm_console', virtual_machine_id: vm }, async ({ id }) => {
    const ids = async (by: TestUser, path: string) => (await list(by, path)).map((one) => one.id);
    assert.ok((await ids(guest, '/privileges')).includes(id));
    assert.deepEqual(await ids(guest, `${vmPath}/privileges`), [id]);
    assert.deepEqual(await ids(guest, '/accounts/default/privileges'), []);
    assert.deepEqual(await ids(owner, `${vmPath}/privileges`), [id]);
    assert.deepEqual(await ids(owner, `/privileges?vm_id=${vm}`), [id]);
    assert.deepEqual(await ids(owner, `/privileges?privilege_id=${id}`), [id]);
    // By names, and of what is named the innermost.
    const within = 'account_name=default&group_name=default';
    for (const query of ['vm_name=web', `account_id=${account}&vm_id=${vm}`, `${within}&vm_name=web`]) {
      assert.deepEqual(await ids(owner, `/privileges?${query}`), [id], query);
    }
    assert.deepEqual(await ids(owner, `/privileges?${within}`), []);
    for (const query of ['vm_name=nobody', 'group_name=nobody', `group_name=nobody&vm_id=${vm}`]) {
      assert.equal((await call(owner, 'GET', `/privileges?${query}`)).status, 404, query);
    }
    // Of what the guest has elsewhere, the owner learns nothing.
    assert.deepEqual(await ids(owner, `/users/${guest.username}/privileges`), [id]);
    assert.deepEqual(await ids(owner, `/privileges?user_id=${guest.username}`), [id]);
    assert.equal((await call(guest, 'GET', `/users/${owner.username}/privileges`)).status, 404);
    assert.equal((await call(stranger, 'GET', `${vmPath}/privileges`)).status, 404);
    const onAccount = await list(owner, '/accounts/default/privileges');
    assert.ok(onAccount.some(({ username }) => username === owner.username));
    assert.ok(onAccount.every(({ account_id }) => account_id === account));
    const all = await callApi<Privilege[]>(berth.url, `apikey.${berth.apiKey}`, 'GET', '/privileges');
    assert.ok(all.body.some((one) => one.id === id));
    assert.ok(all.body.every(({ account_name }) => account_name === 'default'));
  });
});

test('a request that says too little, too much or nonsense is refused at its fields', async () => {
  for (const [body, field] of [
    [{}, 'level'],
    [{ level: 'king', account_id: account }, 'level'],
    [{ level: null, account_id: account }, 'level'],
    [{ level: 'group_admin' }, 'group_id'],
    [{ level: 'group_admin', account_id: account }, 'group_id'],
    [{ level: 'vm_admin', virtual_machine_id: 99_999_999 }, 'virtual_machine_id'],
    [{ level: 'vm_admin', virtual_machine_id: 'web' }, 'virtual_machine_id'],
    [{ level: 'group_admin', group_id: group, api_key_id: 99_999 }, 'api_key_id'],
    [{ level: 'group_admin', group_id: group, api_key_id: -1 }, 'api_key_id'],
    [{ level: 'group_admin', group_id: group, api_key_id: 'x' }, 'api_key_id'],
    [{ level: 'group_admin', group_id: group, yubikey_required: 'perhaps' }, 'yubikey_required'],
    [{ level: 'group_admin', group_id: group, yubikey_otp_max_age: 0 }, 'yubikey_otp_max_age'],
    [{ level: 'group_admin', group_id: group, ip_restrictions: '300.1.1.1' }, 'ip_restrictions'],
    [{ level: 'group_admin', group_id: group, ip_restrictions: '10.0.0.0/33' }, 'ip_restrictions'],
  ] as const) {
    const { status, body: faults } = await give<Faults>(owner, guest, body);
    assert.deepEqual([status, Object.keys(faults)], [400, [field]], JSON.stringify([body, faults]));
  }
  assert.equal((await call(owner, 'POST', '/users/nobody/privileges', { level: 'vm_admin' })).status, 404);
  const nobody = await call<Faults>(owner, 'POST', '/privileges', { level: 'group_admin', group_id: group });
  assert.deepEqual([nobody.status, Object.keys(nobody.body)], [400, ['user_id']]);
});

test('the same is not held twice', async () => {
  const body = { level: 'group_admin', group_id: group };
  await having(owner, guest, body, async () => {
    const again = await give<Faults>(owner, guest, body);
    assert.deepEqual([again.status, again.body], [400, { level: ['has already been taken'] }]);
  });
});

test('the flat call grants as well, by number or by name', async () => {
  const { id } = (await call<{ id: number }>(guest, 'GET', `/users/${guest.username}`)).body;
  for (const user of [{ user_id: id }, { username: guest.username }]) {
    const made = await call(owner, 'POST', '/privileges', { ...user, level: 'vm_admin', virtual_machine_id: vm });
    assert.deepEqual([made.status, made.body.username], [200, guest.username]);
    assert.equal((await call(owner, 'DELETE', `/privileges/${made.body.id}`)).status, 204);
  }
});

test('a privilege that needs a second factor holds only in a session with one, and while that is fresh', async () => {
  const member = await addUser(berth, 'nothing');
  const uri = await asOperator(berth, (context) => addSecondFactor(context, member.username));
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const plain = await addUser(berth, 'nothing');
  const body = { level: 'vm_admin', virtual_machine_id: vm, yubikey_required: true };
  const token = await tokenOf(berth, { ...member, '2fa': totpCode(secret, new Date()), validity: '3600' });
  const sees = async () => (await callApi(berth.url, token, 'GET', vmPath)).status === 200;
  const made = (await give(owner, member, body)).body;
  assert.ok(await sees());
  await having(owner, plain, body, async () => assert.equal((await call(plain, 'GET', vmPath)).status, 404));
  const aged = await call(owner, 'PUT', `/privileges/${made.id}`, { yubikey_otp_max_age: 900 });
  assert.deepEqual([aged.status, aged.body.yubikey_otp_max_age], [200, 900]);
  assert.ok(await sees());
  await database
    .updateTable('session')
    .set({ authenticated_at: new Date(Date.now() - 901_000) })
    .execute();
  assert.ok(!(await sees()));
  const eased = await call(owner, 'PUT', `/privileges/${made.id}`, { yubikey_otp_max_age: null });
  assert.equal(eased.body.yubikey_otp_max_age, null);
  assert.ok(await sees());
});

test('a privilege that is bound to addresses holds from there alone', async () => {
  const body = { level: 'vm_admin', virtual_machine_id: vm, ip_restrictions: '192.0.2.0/24, 2001:db8::1' };
  await having(owner, guest, body, async ({ id, ip_restrictions }) => {
    assert.equal(ip_restrictions, '192.0.2.0/24, 2001:db8::1');
    const status = async () => (await call(guest, 'GET', vmPath)).status;
    const bind = (where: unknown) => call(owner, 'PUT', `/privileges/${id}`, { ip_restrictions: where });
    assert.equal(await status(), 404);
    assert.equal((await bind('127.0.0.0/8')).body.ip_restrictions, '127.0.0.0/8');
    assert.equal(await status(), 200);
    assert.equal((await bind(['192.0.2.1'])).body.ip_restrictions, '192.0.2.1');
    assert.equal(await status(), 404);
    assert.equal((await bind(null)).body.ip_restrictions, null);
    assert.equal(await status(), 200);
    assert.equal((await call(owner, 'PUT', `/privileges/${id}`, { level: 'vm_console' })).body.level, 'vm_admin');
  });
});

test('a user holds a bounded number of privileges in an account, which keeps nobody else from granting him one', async () => {
  const crowd = await addUser(berth, 'nothing');
  await asOperator(berth, (context) => createAccount(context, 'crowded', 'name'));
  await sql`
    with made as (insert into "group" (account_id, name, created_at)
      select id, 'group-' || n, now() from account, generate_series(1, 500) n where name = 'crowded' returning id)
    insert into privilege (user_id, level, group_id, password_required, created_at)
      select "user".id, 'group_admin', made.id, true, now() from made, "user" where username = ${crowd.username}`.execute(
    database,
  );
  await assert.rejects(
    grant(berth, crowd.username, 'group_admin', { account: 'crowded', group: 'default' }),
    /very much/,
  );
  assert.equal((await give(owner, crowd, { level: 'vm_console', virtual_machine_id: vm })).status, 200);
});

test('a privilege on a VM that is gone is held on nothing, and what happens to privileges is told to the account', async () => {
  const [id = ''] = await deployed(berth, deployBody({ name: 'short-lived' }));
  await untilStatus(berth, id, 'Active');
  const { number } = await database
    .selectFrom('instance')
    .where('id', '=', id)
    .select('number')
    .executeTakeFirstOrThrow();
  const made = await give(owner, guest, { level: 'vm_admin', virtual_machine_id: Number(number) });
  assert.equal(made.body.virtual_machine_name, 'short-lived');
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: [id] })).status, 200);
  assert.ok(!(await list(guest, '/privileges')).some((one) => one.id === made.body.id));
  const { items: events } = (
    await berth.call<{ items: { kind: string; actor: string }[] }>('GET', '/berth/v1/events?limit=1000')
  ).body;
  const granted = events.filter(({ kind }) => kind === 'privilege.granted');
  assert.ok(granted.some(({ actor }) => actor === `user:${owner.username}`));
  assert.ok(events.some(({ kind }) => kind === 'privilege.revoked'));
});
