// Users' privileges and second factors by an operator's hand, and what each means at the API.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { totpCode } from '../../src/model/totp.ts';
import { logIn } from '../api/bytemark/identity.ts';
import { deployBody, deployed } from '../api/support.ts';
import { callApi, startTestBerth, type TestBerth } from '../support/berth.ts';
import { Operator } from './support.ts';

interface Privilege {
  id: number;
  username: string;
  level: string;
  account: string | null;
  group: string | null;
  vm: string | null;
  fromAddresses: string[] | null;
  secondFactorRequired: boolean;
}

const password = 'correct horse battery';
let berth: TestBerth;
let operator: Operator;
before(async () => {
  berth = await startTestBerth({ addressPool: '127.61.0.0/17' });
  operator = new Operator(berth.directory);
  await operator.text('account', 'create', 'acme');
  const added = await operator.typing(`${password}\n`, 'account', 'user', 'add', 'acme', 'ann', '--password-stdin');
  assert.equal(added.status, 0, added.stderr);
  await deployed(berth, deployBody({ name: 'web' }));
});
after(() => berth.close());

const held = async () =>
  (await operator.json<{ privileges: Privilege[] }>('privilege', 'list', 'ann')).privileges.map(
    ({ level, account, group, vm }) => [level, account, group, vm],
  );

test('a privilege is granted on what is named, listed, and revoked by its id', async () => {
  assert.deepEqual(await held(), [['account_admin', 'acme', null, null]]);
  const onVm = await operator.json<Privilege>(
    'privilege',
    'grant',
    'ann',
    'vm_admin',
    '--account',
    'default',
    '--vm',
    'web',
  );
  const onGroup = ['privilege', 'grant', 'ann', 'group_admin', '--account', 'default', '--from', '10.0.0.0/8,::1'];
  assert.deepEqual((await operator.json<Privilege>(...onGroup, '--second-factor')).fromAddresses, [
    '10.0.0.0/8',
    '::1',
  ]);
  assert.match(
    await operator.text('privilege', 'grant', 'ann', 'cluster_admin'),
    /^User ann holds cluster_admin from now on/,
  );
  assert.deepEqual((await held()).slice(1), [
    ['vm_admin', 'default', 'default', 'web'],
    ['group_admin', 'default', 'default', null],
    ['cluster_admin', null, null, null],
  ]);
  const text = await operator.text('privilege', 'list');
  assert.match(text, /ann +vm_admin +on VM web\.default\.default/);
  assert.match(text, /ann +group_admin +on group default\.default +second factor; from 10\.0\.0\.0\/8, ::1/);
  assert.match(text, /admin +account_admin +on account default/);
  await operator.text('privilege', 'revoke', String(onVm.id));
  assert.equal((await held()).length, 3);
  await operator.refused(['privilege', 'revoke', String(onVm.id)], String(onVm.id));
});

test('what is missing, unknown or held already is refused', async () => {
  const grant = (...more: string[]) => ['privilege', 'grant', ...more];
  await operator.refused(grant('nobody', 'cluster_su'), 'user', 'nobody');
  await operator.refused(grant('ann', 'king'), 'king', 'account_admin');
  await operator.refused(grant('ann', 'account_admin'), '--account');
  await operator.refused(grant('ann', 'account_admin', '--account', 'none'), 'none');
  await operator.refused(grant('ann', 'vm_console', '--account', 'default'), '--vm');
  await operator.refused(grant('ann', 'vm_console', '--account', 'default', '--vm', 'none'), 'none');
  await operator.refused(grant('ann', 'group_admin', '--account', 'acme', '--group', 'none'), 'none');
  await operator.refused(grant('ann', 'account_admin', '--account', 'acme'), 'holds account_admin there already');
  await operator.refused(grant('ann', 'cluster_su', '--from', 'home'), '--from', 'home');
});

test('a second factor is shown once, asked for from then on, and taken away again', async () => {
  const login = (more: object = {}) => logIn(berth, { username: 'ann', password, ...more });
  const session = (await login()).text;
  const { uri } = await operator.json<{ uri: string }>('account', 'user', 'totp', 'ann');
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  assert.equal((await callApi(berth.url, null, 'GET', `/session/${session}`)).status, 404, 'its sessions have ended');
  assert.equal((await login()).text, 'Missing 2FA');
  const code = totpCode(secret, new Date());
  assert.equal((await login({ '2fa': code })).status, 200);
  const users = await operator.text('account', 'user', 'list');
  assert.match(users, /ann +acme.* yes /);
  assert.ok(!users.includes(secret));
  // Another one replaces it.
  const again = await operator.json<{ uri: string }>('account', 'user', 'totp', 'ann');
  assert.notEqual(again.uri, uri);
  assert.equal((await login({ '2fa': totpCode(secret, new Date(Date.now() + 30_000)) })).status, 403);
  await operator.text('account', 'user', 'totp', 'ann', '--off');
  assert.equal((await login()).status, 200);
  await operator.refused(['account', 'user', 'totp', 'nobody'], 'nobody');
});
