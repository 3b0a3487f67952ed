// Who may do what in Bytemark's dialect, walked over every operation of its document: without a token and with wrong ones, by
// somebody who has to do with another account only, and by somebody who may look at one VM. An operation that is missing from the
// table fails.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openApiDocuments } from '../../../src/api/openapi.ts';
import { sha256 } from '../../../src/app/authenticate.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { holdings, openStore } from '../support.ts';
import { callerWith, openAccount, type Send, sender } from './reading.ts';
import { createBody, created, untilPower, type Vm } from './vms.ts';

const group = '/accounts/{account}/groups/{group}';
const machine = `${group}/virtual_machines/{vm}`;
const disc = `${machine}/discs/{disc}`;

/** Every operation, with what the stranger is answered and what the looker is. An empty list is 200. */
const table: Record<string, [stranger: number, looker: number]> = {
  'GET /users': [200, 200],
  'GET /users/{user}': [404, 404],
  'PUT /users/{user}': [404, 404],
  'DELETE /users/{user}': [404, 404],
  'GET /users/{user}/privileges': [404, 404],
  'POST /users/{user}/privileges': [400, 403],
  'GET /privileges': [200, 200],
  'POST /privileges': [400, 403],
  'GET /privileges/{privilege}': [404, 404],
  'PUT /privileges/{privilege}': [404, 404],
  'DELETE /privileges/{privilege}': [404, 404],
  'GET /accounts/{account}/privileges': [404, 200],
  [`GET ${group}/privileges`]: [404, 200],
  [`GET ${machine}/privileges`]: [404, 200],
  'GET /api_keys': [200, 200],
  'POST /api_keys': [400, 400],
  'DELETE /api_keys/{key}': [404, 404],

  'GET /accounts': [200, 200],
  'POST /accounts': [403, 403],
  'GET /accounts/{account}': [404, 200],
  'PUT /accounts/{account}': [404, 403],
  'DELETE /accounts/{account}': [404, 403],
  'GET /groups': [200, 200],
  'GET /groups/{group}': [404, 200],
  'GET /accounts/{account}/groups': [404, 200],
  'POST /accounts/{account}/groups': [404, 403],
  [`GET ${group}`]: [404, 200],
  [`PUT ${group}`]: [404, 403],
  [`DELETE ${group}`]: [404, 403],

  'GET /virtual_machines': [200, 200],
  'GET /virtual_machines/{vm}': [404, 200],
  [`GET ${group}/virtual_machines`]: [404, 200],
  [`POST ${group}/virtual_machines`]: [404, 403],
  [`POST ${group}/vm_create`]: [404, 403],
  [`GET ${machine}`]: [404, 200],
  [`PUT ${machine}`]: [404, 403],
  [`DELETE ${machine}`]: [404, 403],
  [`POST ${machine}/reimage`]: [404, 403],
  [`POST ${machine}/signal`]: [404, 403],
  'POST /vm_defaults': [404, 403],

  'GET /discs': [200, 200],
  'GET /discs/{disc}': [404, 200],
  'PUT /discs/{disc}': [404, 403],
  'DELETE /discs/{disc}': [404, 403],
  [`GET ${machine}/discs`]: [404, 200],
  [`POST ${machine}/discs`]: [404, 403],
  [`GET ${disc}`]: [404, 200],
  [`PUT ${disc}`]: [404, 403],
  [`DELETE ${disc}`]: [404, 403],
  [`GET ${disc}/backups`]: [404, 200],
  [`POST ${disc}/backups`]: [404, 403],
  [`GET ${disc}/backups/{backup}`]: [404, 404],
  [`PUT ${disc}/backups/{backup}`]: [404, 403],
  [`DELETE ${disc}/backups/{backup}`]: [404, 403],
  [`POST ${disc}/backup_schedules`]: [404, 403],
  [`DELETE ${disc}/backup_schedules/{schedule}`]: [404, 403],

  'GET /nics': [200, 200],
  'GET /nics/{nic}': [404, 200],
  [`GET ${machine}/nics`]: [404, 200],
  [`GET ${machine}/nics/{nic}`]: [404, 200],
  [`POST ${machine}/nics/{nic}/ip_create`]: [404, 403],
  'POST /nics/{nic}/ip_create': [404, 403],
  'GET /ips/{ip}': [404, 200],
  'PUT /ips/{ip}': [404, 403],
  'DELETE /ips/{ip}': [404, 403],
  'POST /ips/swap_virtual_machine_ips': [404, 403],

  'GET /api/v1/accounts': [200, 200],
  'GET /api/v1/people': [200, 200],
};

/** What is for who runs the cluster. */
const ofTheCluster = /^(GET|PUT|POST|DELETE) \/admin\//;
/** What is for everybody, or is how one becomes somebody. */
const forEverybody = /^(GET \/definitions|GET \/session\/\{token\}|POST \/session(\/\{token\})?)$/;

let berth: TestBerth;
let database: Database;
let vm: Vm;
let values: Record<string, string>;
let stranger: Send;
let looker: Send;
const bodies: Record<string, object> = {};
const operations: string[] = [];

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.7.0/24' });
  database = await openStore(berth);
  await created(berth, createBody({ name: 'guarded' }));
  vm = await untilPower(berth, 'guarded', true);
  await openAccount(berth, 'elsewhere');
  stranger = await callerWith(berth, database, 'account_admin', { account: 'elsewhere' });
  looker = await callerWith(berth, database, 'vm_console', { account: 'default', group: 'default', vm: 'guarded' });
  const first = await database
    .selectFrom('privilege')
    .innerJoin('user', 'user.id', 'user_id')
    .select(['privilege.id', 'username'])
    .orderBy('privilege.id')
    .executeTakeFirstOrThrow();
  const account = await database
    .selectFrom('account')
    .select('number')
    .where('name', '=', 'default')
    .executeTakeFirst();
  values = {
    ...{ account: 'default', group: String(vm.group_id), vm: String(vm.id), disc: String(vm.discs?.[0]?.id) },
    ...{ nic: String(vm.network_interfaces?.[0]?.id), ip: vm.network_interfaces?.[0]?.ips[0] ?? '' },
    ...{ user: first.username, privilege: String(first.id), key: '1', backup: '1', schedule: '1' },
    ...{ ref: '1', vlan: '1', id: '1' },
  };
  bodies['POST /vm_defaults'] = {
    name: 'mine',
    public: false,
    account_id: Number(account?.number),
    server_settings: {},
  };
  const privilege = { level: 'vm_console', virtual_machine_id: vm.id };
  bodies['POST /users/{user}/privileges'] = privilege;
  bodies['POST /privileges'] = { ...privilege, username: first.username };
  bodies['POST /ips/swap_virtual_machine_ips'] = { virtual_machine_1_id: vm.id, virtual_machine_2_id: vm.id };
  const { paths } = JSON.parse((await openApiDocuments()).get('bytemark.json') ?? '{}') as { paths: object };
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) operations.push(`${method.toUpperCase()} ${path}`);
  }
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

/** Calls an operation with what belongs to the first account. */
function ask(as: Send, operation: string, more: Record<string, string> = {}): Promise<Answer> {
  const [method = '', path = ''] = operation.split(' ');
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => ({ ...values, ...more })[name] ?? '');
  return as(method, filled, method === 'GET' || method === 'DELETE' ? undefined : (bodies[operation] ?? {}));
}

test('every operation of the document is in the table, and nothing else', () => {
  const known = operations.filter((operation) => !ofTheCluster.test(operation) && !forEverybody.test(operation));
  assert.deepEqual(known.toSorted(), Object.keys(table).toSorted());
});

test('who shows no token, or one that is nobody’s, is refused, whatever he asks for', async () => {
  const held = await holdings(database);
  const account = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const keyOf = async (ended: { revoked_at: Date | null; expires_at?: Date }) => {
    const secret = `berth_${randomUUID()}`;
    await database
      .insertInto('api_key')
      .values({
        ...{ id: randomUUID(), account_id: account.id, name: 'test', secret_sha256: sha256(secret) },
        ...{ created_at: new Date(), ...ended },
      })
      .execute();
    return `apikey.${secret}`;
  };
  const past = new Date(Date.now() - 86_400_000);
  const tokens = [
    ...['', 'wrong', 'apikey.', `apikey.berth_${randomUUID()}`, berth.apiKey],
    ...[await keyOf({ revoked_at: past }), await keyOf({ revoked_at: null, expires_at: past })],
  ];
  for (const operation of operations.filter((one) => !forEverybody.test(one))) {
    for (const token of tokens) {
      const { status, body } = await ask(sender(berth, token), operation);
      assert.deepEqual([status, body], [401, { error: 'There is no such API key or session.' }], operation);
    }
  }
  assert.deepEqual(await holdings(database), held);
});

test('for a stranger nothing of another account is there, and who may look at a VM changes nothing', async () => {
  const held = await holdings(database);
  const wrong: string[] = [];
  for (const [operation, expected] of Object.entries(table)) {
    const [theirs, looked] = [await ask(stranger, operation), await ask(looker, operation)];
    const text = JSON.stringify([theirs.body, looked.body]);
    assert.ok(!JSON.stringify(theirs.body).includes('guarded'), operation);
    if (`${theirs.status},${looked.status}` !== `${expected}`) wrong.push(`${operation}: ${text}`);
  }
  assert.deepEqual(wrong, []);
  for (const operation of operations.filter((one) => ofTheCluster.test(one))) {
    for (const as of [stranger, looker]) assert.equal((await ask(as, operation)).status, 403, operation);
  }
  assert.deepEqual(await holdings(database), held);
  assert.equal((await ask(looker, `GET ${machine}`)).status, 200);
});

test('an answer about what is another account’s is word for word that about what never was', async () => {
  for (const [operation, [ofStranger]] of Object.entries(table)) {
    const [, , name] = /^(\w+) .*\{(account|vm|group|disc|nic)\}/.exec(operation) ?? [];
    if (ofStranger !== 404 || !name || !/^\w+ \/(accounts|groups|virtual_machines|discs|nics)\/\{/.test(operation))
      continue;
    const first = /\{(\w+)\}/.exec(operation)?.[1] ?? '';
    const never = first === 'account' ? 'nobodys' : '999999';
    const [theirs, none] = [await ask(stranger, operation), await ask(stranger, operation, { [first]: never })];
    assert.equal(
      JSON.stringify(theirs.body).replaceAll(`"${values[first]}\\"`, `"${never}\\"`),
      JSON.stringify(none.body),
      operation,
    );
  }
});

test('a read-only key reads everything and changes nothing', async () => {
  const account = await database
    .selectFrom('account')
    .select('id')
    .where('name', '=', 'default')
    .executeTakeFirstOrThrow();
  const secret = `berth_${randomUUID()}`;
  await database
    .insertInto('api_key')
    .values({
      ...{ id: randomUUID(), account_id: account.id, name: 'reader', secret_sha256: sha256(secret) },
      ...{ created_at: new Date(), revoked_at: null, scope: 'read-only' },
    })
    .execute();
  const reader = sender(berth, `apikey.${secret}`);
  const held = await holdings(database);
  for (const [operation, [, ofLooker]] of Object.entries(table)) {
    if (operation.startsWith('GET ') || ofLooker !== 403) continue;
    assert.equal((await ask(reader, operation)).status, 403, operation);
  }
  assert.equal((await ask(reader, `GET ${machine}`)).status, 200);
  assert.deepEqual(await holdings(database), held);
});
