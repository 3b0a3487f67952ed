// Accounts in Bytemark's dialect: what a caller sees of them, and operators who open and close them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listAccounts, overviewAccounts } from '../../../src/app/overview.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { asOperator } from './identity.ts';
import { callerWith, openAccount, type Send, sender } from './reading.ts';
import { created, untilPower, type Vm } from './vms.ts';

interface Account {
  id: number;
  name: string;
  suspended: boolean;
  type: string;
  groups?: { id: number; account_id: number; name: string; type: string; virtual_machines: Vm[] }[];
}

let berth: TestBerth;
let database: Database;
let send: Send;
let operator: Send;
const all = '?view=overview&include_deleted=true';

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.2.0/24' });
  database = await openStore(berth);
  send = sender(berth, `apikey.${berth.apiKey}`);
  operator = await callerWith(berth, database, 'cluster_admin');
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

test('an account is shown by number and name, alone or with everything in it', async () => {
  const { virtual_machine: vm } = await created(berth);
  await untilPower(berth, vm.id, true);
  const { body: account } = await send<Account>('GET', '/accounts/default');
  const alone = { id: account.id, name: 'default', suspended: false, type: 'application/vnd.bigv.account' };
  assert.ok(Number.isInteger(account.id));
  assert.deepEqual(account, alone);
  assert.deepEqual((await send('GET', '/accounts')).body, [alone]);
  const { body: overview } = await send<Account>('GET', `/accounts/${account.id}${all}`);
  assert.deepEqual((await send('GET', `/accounts${all}`)).body, [overview]);
  const [group] = overview.groups ?? [];
  const { virtual_machines: vms, ...rest } = group ?? assert.fail('there is no group');
  assert.deepEqual(overview, { ...alone, groups: [group] });
  assert.deepEqual(rest, {
    ...{ account_id: account.id, id: vm.group_id, name: 'default', type: 'application/vnd.bigv.group' },
  });
  assert.deepEqual(
    vms.map(({ id, discs, network_interfaces: nics }) => [id, discs?.length, nics?.length]),
    [[vm.id, 1, 1]],
  );
});

test('an overview takes one query for each kind of thing, however many there are', async () => {
  const counted = () =>
    asOperator(berth, async (context) => {
      let queries = 0;
      const database = context.database.withPlugin({
        transformQuery({ node }) {
          queries += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const caller = { actor: 'test', grants: [{ level: 'cluster_admin' as const }], user: null, apiKeyId: null };
      const counting = { ...context, database };
      const accounts = await overviewAccounts(counting, caller, await listAccounts(counting, caller), true);
      const vms = accounts.flatMap(({ groups }) => groups.flatMap(({ vms }) => vms));
      return { queries, vms: vms.length };
    });
  const before = await counted();
  await Promise.all([created(berth), created(berth), created(berth)]);
  assert.deepEqual(await counted(), { queries: before.queries, vms: before.vms + 3 });
  // Accounts, groups, VMs, disks, their backups and schedules, addresses.
  assert.equal(before.queries, 7);
});

test('an account in which one sees nothing is not there', async () => {
  await openAccount(berth, 'foreign');
  for (const path of ['/accounts/foreign', '/accounts/foreign/groups', '/accounts/nobody', '/accounts/999999']) {
    assert.equal((await send('GET', path)).status, 404, path);
  }
  const names = async (as: Send) => (await as<Account[]>('GET', '/accounts')).body.map(({ name }) => name);
  assert.deepEqual(await names(send), ['default']);
  assert.deepEqual(await names(operator), ['default', 'foreign']);
});

test('an operator opens an account, and closes one in which nothing ever was', async () => {
  const { status, body: account } = await operator<Account>('POST', '/accounts', { name: 'acme', frobnicate: 1 });
  assert.deepEqual([status, account.name], [200, 'acme']);
  assert.deepEqual((await operator<Account>('GET', '/accounts/acme')).body, account);
  const overview = (await operator<Account>('GET', `/accounts/acme${all}`)).body;
  assert.deepEqual(
    overview.groups?.map(({ name }) => name),
    ['default'],
  );
  await operator('POST', '/accounts/acme/groups', { name: 'web' });
  assert.equal((await operator('DELETE', '/accounts/acme')).status, 204);
  assert.equal((await operator('GET', '/accounts/acme')).status, 404);
  assert.equal((await operator('POST', '/accounts', { name: 'acme' })).status, 200);
});

test('an account with a past is not closed', async () => {
  const answer = await operator<{ base: string[] }>('DELETE', '/accounts/default');
  assert.equal(answer.status, 400);
  assert.match(answer.body.base[0] ?? '', /^Account default has or had instances/);
  assert.equal((await send('GET', '/accounts/default')).status, 200);
});

test('an account keeps its name, whatever is put', async () => {
  for (const body of [{}, { name: 'renamed' }, { suspended: true }]) {
    const answer = await send<Account>('PUT', '/accounts/default', body);
    assert.deepEqual([answer.status, answer.body.name, answer.body.suspended], [200, 'default', false]);
  }
});

test('names that an account can’t have are refused field by field', async () => {
  for (const [name, faults] of [
    [undefined, ["can't be blank"]],
    ['', ["can't be blank"]],
    ['a.b', ['is invalid']],
    ['ab', ['is too short (minimum is 3 characters)']],
    ['default', ['has already been taken']],
    [{}, ['is invalid']],
  ] as const) {
    const answer = await operator('POST', '/accounts', { name });
    assert.deepEqual([answer.status, answer.body], [400, { name: faults }], JSON.stringify(name));
  }
});

test('only operators open and close accounts', async () => {
  assert.equal((await send('POST', '/accounts', { name: 'mine' })).status, 403);
  assert.equal((await send('DELETE', '/accounts/default')).status, 403);
  assert.equal((await send('DELETE', '/accounts/foreign')).status, 404);
  const console = await callerWith(berth, database, 'group_admin', { account: 'default', group: 'default' });
  assert.equal((await console('PUT', '/accounts/default', {})).status, 403);
});

test('what can’t be read, and what is nowhere, is answered in statuses that clients know', async () => {
  const raw = (path: string, method: string, body: string, type: string) =>
    fetch(berth.url + path, {
      ...{ method, body, headers: { 'content-type': type, authorization: `Bearer apikey.${berth.apiKey}` } },
    });
  for (const [path, body, type, status] of [
    ['/accounts/default/groups', '{', 'application/json', 400],
    ['/accounts/default/groups', '', 'application/json', 400],
    ['/accounts/default/groups', '[]', 'application/json', 400],
    ['/accounts/default/groups', '"name"', 'application/json', 400],
    ['/accounts/default/groups', 'name=web', 'text/plain', 400],
    ['/accounts/default/groups', JSON.stringify({ name: 'x'.repeat(1_200_000) }), 'application/json', 400],
    ['/accounts/default/nowhere', '{', 'text/plain', 404],
    ['/discs', '{', 'text/plain', 404],
    ['/admin/nowhere', '{', 'text/plain', 404],
  ] as const) {
    const answer = await raw(path, 'POST', body, type);
    const given = (await answer.json()) as Record<string, unknown>;
    assert.equal(answer.status, status, `${path} ${body.slice(0, 20)}`);
    assert.deepEqual(
      Object.values(given).map((value) => (Array.isArray(value) ? typeof value[0] : typeof value)),
      ['string'],
      JSON.stringify(given).slice(0, 200),
    );
  }
  assert.equal((await raw('/accounts/default', 'PUT', '', 'application/json')).status, 200);
  assert.equal((await raw('/accounts/default', 'PUT', '{"name":1}', 'application/vnd.bigv.account+json')).status, 200);
});
