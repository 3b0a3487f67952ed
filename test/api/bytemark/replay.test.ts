// Every command of Bytemark's command-line client, as version 4.0 sends it, request by request and to the byte, in the order of
// an afternoon's work; and where version 2.5 sends something else. Recorded from the clients themselves, which version 3.4 is
// like 4.0 in but for its name.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { keys } from '../support.ts';
import { assertDecodes, definitionShapes, GoClient, type Shape, type Step, send, shapes } from './go-client.ts';
import { addUser, tokenOf } from './identity.ts';
import { untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let images: Server;
let token: string;
let client: GoClient;
/** Somebody else with rights on the account. */
let bob: string;
let cdUrl: string;

const account = '/accounts/default';
const group = `${account}/groups/default`;
const at = (name: string, inGroup = group) => `${inGroup}/virtual_machines/${name}`;

const get = (path: string, shape: Shape, status = 200): Step => ({ method: 'GET', path, status, shape });
const look = (name: string, inGroup = group) =>
  get(`${at(name, inGroup)}?include_deleted=true&view=overview`, shapes.vm);
const lookAtGroup = (name: string) => get(`${account}/groups/${name}?view=overview&include_deleted=true`, shapes.group);
const post = (path: string, body: string, shape?: Shape, status = 200): Step => {
  return { method: 'POST', path, body, status, ...(shape ? { shape } : {}) };
};
const put = (path: string, body: string, status = 200): Step => ({ method: 'PUT', path, body, status });
const remove = (path: string, status = 204): Step => ({ method: 'DELETE', path, status });

/** Runs a command. @returns what was answered to its last request */
async function run(...steps: Step[]): Promise<unknown> {
  let last: unknown;
  await client.checkSession();
  for (const step of steps) last = await client.take(step);
  return last;
}

/** A VM as the client sees it before it changes something about it. */
async function seen(name: string): Promise<Vm & { id: number }> {
  const vm = (await client.take(look(name))) as Vm;
  assert.notEqual(vm.hostname, '', 'the client shows a VM by its host name');
  assert.ok(vm.network_interfaces?.length, 'the client takes the first of them unseen');
  return vm;
}

before(async () => {
  // As much of a CD as can be told from other files.
  const cd = Buffer.alloc(64 * 1024);
  cd.write('\x01CD001\x01', 32 * 1024, 'latin1');
  images = createServer((request, response) => {
    const [, from = '0', to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const end = to ? Number(to) + 1 : cd.length;
    const range = { 'content-range': `bytes ${from}-${end - 1}/${cd.length}` };
    response.writeHead(request.headers.range ? 206 : 200, request.headers.range ? range : {});
    response.end(cd.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(images.address() as AddressInfo).port}`;
  cdUrl = `http://${host}/rescue.iso`;
  const pools = { addressPool: '127.68.5.0/24', consolePool: '127.69.5.0/24' };
  berth = await startTestBerth({ ...pools, allowImageHosts: [host] });
  bob = (await addUser(berth, 'default')).username;
  const { username, password } = JSON.parse(await readFile(join(berth.directory, 'credentials.json'), 'utf8'));
  token = await tokenOf(berth, { username, password, validity: '1800' });
  client = new GoClient(berth.url, token);
});
after(async () => {
  await berth.close();
  images.close();
});

test('login: a wrong password is asked for again, a right one gives a token', async () => {
  const { username, password } = JSON.parse(await readFile(join(berth.directory, 'credentials.json'), 'utf8'));
  const headers = { 'User-Agent': 'Go-http-client/1.1', 'Content-Type': 'application/json', Accept: 'text/plain' };
  const logIn = (body: object) => send(berth.url, 'POST', '/session', headers, JSON.stringify(body));
  const wrong = await logIn({ password: 'wrong', username, validity: '1800' });
  assert.match(wrong.text, /Badly-formed parameters|Bad login credentials|Authentication failed/);
  const right = await logIn({ password, username, validity: '1800' });
  assert.equal(right.status, 200);
  await new GoClient(berth.url, right.text).checkSession();
});

/** What can be chosen, asked for without a session. */
async function readDefinitions(): Promise<Map<string, unknown>> {
  const headers = { 'User-Agent': 'bytemark-client-4.0', Accept: 'application/json', Connection: 'close' };
  const { status, text } = await send(berth.url, 'GET', '/definitions', headers);
  assert.equal(status, 200);
  const told = JSON.parse(text) as { id: string; data: unknown }[];
  assertDecodes(told, shapes.definitions);
  const definitions = new Map(told.map(({ id, data }) => [id, data]));
  for (const [id, shape] of Object.entries(definitionShapes)) {
    assert.ok(definitions.has(id), id);
    assertDecodes(definitions.get(id), shape, id);
  }
  return definitions;
}

test('show zones, images, storage, hwprofiles: without a session', async () => {
  const definitions = await readDefinitions();
  // What has no description is not shown.
  const described = (id: string) => Object.keys(definitions.get(id) ?? {}).toSorted();
  assert.deepEqual(described('distribution_descriptions'), (definitions.get('distributions') as string[]).toSorted());
  assert.deepEqual(described('storage_grade_descriptions'), (definitions.get('storage_grades') as string[]).toSorted());
});

test('show accounts, account, groups, servers', async () => {
  const accounts = await run(get('/accounts?view=overview&include_deleted=true', shapes.accounts));
  assert.equal((accounts as Vm[])[0]?.name, 'default', 'the first is meant where none is named');
  await run(get(`${account}?view=overview&include_deleted=true`, shapes.account));
  await run(lookAtGroup('default'));
  await run(get(`${account}/groups/nonesuch?view=overview&include_deleted=true`, { fields: {} }, 404));
});

test('the default account is found through billing, where there is billing', async () => {
  const headers = { 'User-Agent': 'bytemark-client-4.0', Connection: 'close', Accept: 'application/json' };
  const billing = { ...headers, Authorization: `Token token=${token}`, 'Content-Type': 'application/json' };
  const { status, text } = await send(berth.url, 'GET', '/api/v1/accounts', billing);
  assert.equal(status, 200, text);
  assertDecodes(JSON.parse(text), shapes.billingAccounts);
  assert.equal(JSON.parse(text)[0].bigv_account_subscription, 'default');
});

test('add group', async () => {
  await run(post(`${account}/groups`, '{"name":"web"}\n'));
  await run(post(`${account}/groups`, '{"name":"dbs"}\n'));
  await run(post(`${account}/groups`, '{"name":"web"}\n', { fields: { name: { each: 'text' } } }, 400));
});

/** What `add server` sends. */
const createBody = (name: string, image: string | null) =>
  `{"virtual_machine":{${image ? '"autoreboot_on":true,' : ''}"cores":1,"memory":1024,"name":"${name}"},"discs":[{"label":"disc-1","storage_grade":"sata","size":25600,"backup_schedules":[{"start_at":"2026-11-22 00:00:00 UTC","interval_seconds":604800,"capacity":1}]}]${image ? `,"reimage":{"distribution":"${image}","firstboot_script":"","root_password":"s3cretpassword","ssh_public_key":""}` : ''}}\n`;

test('add server', async () => {
  const { distributions } = Object.fromEntries(await readDefinitions());
  assert.ok((distributions as string[]).includes('micro'), 'the client asks for no image that is not among them');
  await run(post(`${group}/vm_create`, createBody('web0', null), shapes.created, 202), look('web0'));
  await run(post(`${group}/vm_create`, createBody('web1', 'micro'), shapes.created, 202), look('web1'));
  await untilPower(berth, 'web1', true);
  assert.equal((await seen('web0')).power_on, false, 'nothing to boot');
  const taken: Shape = { fields: { name: { each: 'text' } } };
  await run(post(`${group}/vm_create`, createBody('web1', 'micro'), taken, 400));
  const unknown: Shape = { fields: { distribution: { each: 'text' } } };
  await run(post(`${group}/vm_create`, createBody('web9', 'nonesuch'), unknown, 400));
});

test('show server, discs, group, user, privileges', async () => {
  await run(look('web1'));
  await run(get(`/virtual_machines/${(await seen('web1')).id}?include_deleted=true&view=overview`, shapes.vm));
  await run(lookAtGroup('web'));
  await run(get('/users/admin', shapes.user));
  await run(get('/privileges', shapes.privileges));
  await run(get('/users/admin/privileges', shapes.privileges));
  await run(get(`${account}/privileges`, shapes.privileges));
});

test('add discs, show disc, update disc', async () => {
  const discs = `${at('web1')}/discs`;
  await run(
    look('web1'),
    post(discs, '{"label":"disc-2","storage_grade":"archive","size":35840}\n'),
    look('web1'),
    post(discs, '{"label":"data","storage_grade":"sata","size":30720}\n'),
  );
  const shown = (await run(get(`${discs}/data`, shapes.disc))) as { id: number };
  assert.deepEqual(await run(get(`/discs/${shown.id}`, shapes.disc)), shown);
  await run(get(`${discs}/data`, shapes.disc), put(`${discs}/data`, '{"size":40960}\n'));
  const { size } = (await client.take(get(`${discs}/data`, shapes.disc))) as { size: number };
  assert.equal(size, 40_960);
});

test('backup disc, show, restore and delete backups, schedule and unschedule them', async () => {
  const disc = `${at('web1')}/discs/data`;
  const { id } = (await run({ method: 'POST', path: `${disc}/backups`, status: 200, shape: shapes.backup })) as Vm;
  const listed = (await run(get(`${disc}/backups`, shapes.backups))) as { id: number; manual: boolean }[];
  assert.deepEqual(
    listed.map((backup) => [backup.id, backup.manual]),
    [[id, true]],
  );
  // What restores it must not overtake the host's word that it is there.
  await until('the backup is finished', async () => {
    const [backup] = (await client.take(get(`${disc}/backups`, shapes.backups))) as { storage_grade: string }[];
    return backup?.storage_grade === 'iceberg';
  });
  const daily = '{"start_at":"00:00","interval_seconds":86400,"capacity":0}\n';
  const schedule = (await run(post(`${disc}/backup_schedules`, daily, shapes.schedule))) as Record<string, number>;
  assert.equal(schedule.interval_seconds, 86_400);
  await run(remove(`${disc}/backup_schedules/${schedule.id}`));
  await run(put(at('web1'), '{"autoreboot_on":false, "power_on": false}'));
  await run(put(`${disc}/backups/${id}`, '{"restore":true}\n'));
  await run(remove(`${disc}/backups/${id}?purge=true`));
  await run(put(at('web1'), '{"autoreboot_on":true, "power_on": true}'));
});

const imaging =
  '{"distribution":"micro","firstboot_script":"","root_password":"anotherpassword","ssh_public_key":""}\n';

test('stop, start, reset, shutdown, restart and reimage server', async () => {
  const web1 = at('web1');
  const isOn = async () => (await seen('web1')).power_on;
  await run(post(`${web1}/reimage`, imaging, { fields: {} }, 400));
  await run(put(web1, '{"autoreboot_on":false, "power_on": false}'));
  assert.equal(await isOn(), false);
  await run(post(`${web1}/reimage`, imaging));
  await untilPower(berth, 'web1', true);
  await run(post(`${web1}/signal`, '{"signal":"reset"}'));
  const shutDown = async () => {
    await run(put(web1, '{"autoreboot_on":false}'), post(`${web1}/signal`, '{"signal": "powerdown"}'));
    await until('web1 is off', async () => !(await isOn()));
  };
  await shutDown();
  await run(put(web1, '{"autoreboot_on":true, "power_on": true}'));
  assert.equal(await isOn(), true);
  await shutDown();
  const rescue = '{"appliance":{"name":"rescue","permanent":false},"autoreboot_on":true,"power_on":true}\n';
  await client.take(put(web1, rescue));
  assert.equal(await isOn(), true);
});

test('update server: memory, cores, hardware profile and its lock, CD', async () => {
  const web1 = at('web1');
  await run(look('web1'), put(web1, '{"memory": 2048}'));
  await run(look('web1'), put(web1, '{"cores": 2}'));
  await run(look('web1'), put(web1, '{"hardware_profile": "compatibility2013"}'));
  await run(
    look('web1'),
    put(web1, '{"hardware_profile": "virtio2013"}'),
    put(web1, '{"hardware_profile_locked": true}'),
  );
  await run(look('web1'), put(web1, '{"hardware_profile_locked": false}'));
  await run(look('web1'), put(web1, `{"cdrom_url":"${cdUrl}"}\n`));
  // All that the client's --remove-cd comes to.
  await run(look('web1'), put(web1, '{}\n'));
  const { memory, cores, hardware_profile: profile, cdrom_url: url } = await seen('web1');
  assert.deepEqual({ memory, cores, profile, url }, { memory: 2048, cores: 2, profile: 'virtio2013', url: cdUrl });
});

test('update server: another name, another group', async () => {
  const { group_id: home } = await seen('web1');
  const { id: web } = (await client.take(lookAtGroup('web'))) as { id: number };
  const move = (name: string, id: number) => `{"name":"${name}","group_id":${id}}\n`;
  await run(look('web1'), lookAtGroup('default'), put(at('web1'), move('web2', home)));
  await run(look('web2'), lookAtGroup('web'), put(at('web2'), move('web1', web)));
  const there = `${account}/groups/web`;
  await run(look('web1', there), lookAtGroup('default'), put(at('web1', there), move('web1', home)));
  await run(look('web1'));
});

test('update server: addresses swapped; update disc: to another server; delete disc', async () => {
  await run(post(`${group}/vm_create`, createBody('other', 'micro'), shapes.created, 202), look('other'));
  await untilPower(berth, 'other', true);
  for (const name of ['web1', 'other']) await run(put(at(name), '{"autoreboot_on":false, "power_on": false}'));
  const [one, other] = [await seen('web1'), await seen('other')];
  for (const additional of [false, true]) {
    const both = `"virtual_machine_1_id":${one.id},"virtual_machine_2_id":${other.id}`;
    const swap = post('/ips/swap_virtual_machine_ips', `{"move_additional_ips":${additional},${both}}\n`);
    await run(look('web1'), look('web1'), look('other'), swap);
  }
  const disc = `${at('web1')}/discs/data`;
  await run(get(disc, shapes.disc), look('other'), put(disc, `{"virtual_machine_id":${other.id}}\n`));
  const moved = (await seen('other')).discs?.find(({ label }) => label === 'data');
  assert.ok(moved);
  await run(remove(`${at('web1')}/discs/disc-2?purge=true`));
  await run(remove(`/discs/${moved.id}?purge=true`));
});

test('add ips; console', async () => {
  const nic = (await seen('web1')).network_interfaces?.[0]?.id;
  const body = '{"addresses":2,"family":"ipv4","reason":"testing","contiguous":false}\n';
  const create = post(`${at('web1')}/nics/${nic}/ip_create`, body, shapes.ips);
  const { ips } = (await run(look('web1'), create)) as { ips: string[] };
  assert.equal(ips.length, 2);
  assert.match((await seen('web1')).management_address ?? '', /^127\.69\.5\.\d+$/);
});

interface Privilege {
  id: number;
  username: string;
  level: string;
  yubikey_required: boolean;
  account_id: number | null;
  group_id: number | null;
  virtual_machine_id: number | null;
}

/** The one that the client takes for what it is to revoke: all numbers are as it would grant it, none being 0. */
const heldBy = (username: string, level: string, own: Partial<Privilege>) => (listed: Privilege) =>
  (['account_id', 'group_id', 'virtual_machine_id'] as const).every((id) => (listed[id] ?? 0) === (own[id] ?? 0)) &&
  [listed.username, listed.level, listed.yubikey_required].join() === [username, level, false].join();

test('grant, show and revoke privileges', async () => {
  const { id: vm } = await seen('web1');
  const web = (await client.take(lookAtGroup('web'))) as { id: number };
  const lookAtAccount = get(`${account}?view=overview&include_deleted=true`, shapes.account);
  const terms = '"password_required":true,"yubikey_required":false';
  for (const [target, own, level, path] of [
    [look('web1'), { virtual_machine_id: vm }, 'vm_admin', at('web1')],
    [look('web1'), { virtual_machine_id: vm }, 'vm_console', at('web1')],
    [lookAtGroup('web'), { group_id: web.id }, 'group_admin', `${account}/groups/web`],
  ] as const) {
    const object = JSON.stringify(own).slice(1, -1);
    await run(target, post(`/users/${bob}/privileges`, `{${object},"level":"${level}",${terms}}\n`));
    const listed = (await run(target, get(`${path}/privileges`, shapes.privileges))) as Privilege[];
    const held = listed.filter(heldBy(bob, level, own));
    assert.equal(held.length, 1, `${level}: ${JSON.stringify(listed)}`);
    await client.take(remove(`/privileges/${held[0]?.id}`));
  }
  const { id } = (await client.take(lookAtAccount)) as { id: number };
  const tooHigh = `{"account_id":${id},"level":"account_admin",${terms}}\n`;
  // Of one who runs the account, and nothing beyond it.
  const ann = await addUser(berth, 'default');
  const hers = new GoClient(berth.url, await tokenOf(berth, { ...ann, validity: '1800' }));
  await hers.checkSession();
  await hers.take(lookAtAccount);
  await hers.take(post(`/users/${bob}/privileges`, tooHigh, undefined, 403));
});

test('add, show and delete keys', async () => {
  const { id } = (await run(get('/users/admin', shapes.user))) as { id: number };
  const whole = (rest: string) => put('/users/admin', `{"id":${id},"username":"admin"${rest}}\n`);
  const stored = async () =>
    ((await client.take(get('/users/admin', shapes.user))) as { authorized_keys: string | null }).authorized_keys;
  await run(get('/users/admin', shapes.user), whole(`,"authorized_keys":"${keys.ed25519}"`));
  assert.equal(await stored(), keys.ed25519);
  // What it sends when none is left.
  await run(get('/users/admin', shapes.user), whole(''));
  assert.equal(await stored(), null);
});

test('add, show and delete api keys', async () => {
  const user = get('/users/admin', shapes.user);
  const list = get('/api_keys?view=overview', shapes.apiKeys);
  const { id } = (await run(user)) as { id: number };
  const add = post('/api_keys', `{"user_id":${id},"label":"jeff"}\n`, shapes.apiKey);
  const made = (await run(user, add)) as { id: number; api_key: string };
  assert.ok(made.api_key);
  const { id: vm } = await seen('web1');
  const own = `"virtual_machine_id":${vm},"api_key_id":${made.id},"level":"vm_admin"`;
  const terms = '"password_required":false,"yubikey_required":false';
  await run(look('web1'), post('/users/admin/privileges', `{${own},${terms}}\n`));
  await run(list, user);
  const listed = (await run(list)) as { id: number; api_key?: string; privileges: Privilege[] }[];
  const [shown] = listed.filter((key) => key.id === made.id);
  assert.deepEqual([shown?.api_key, shown?.privileges.length], [undefined, 1]);
  assert.equal(shown?.privileges[0]?.virtual_machine_id, vm);
  await client.take(remove(`/api_keys/${made.id}`));
});

test('debug', async () => {
  await run(get('/virtual_machines', shapes.vms));
});

test('delete, restore and purge server', async () => {
  await run(look('other'), remove(at('other')));
  assert.equal((await seen('other')).deleted, true);
  await run(look('other'), put(at('other'), '{"deleted":false}'));
  assert.equal((await seen('other')).deleted, false);
  await run(look('other'), remove(`${at('other')}?purge=true`));
  await run(get(`${at('other')}?include_deleted=true&view=overview`, { fields: {} }, 404));
});

test('delete group, with what is in it', async () => {
  await run(lookAtGroup('dbs'), remove(`${account}/groups/dbs`));
  await run(post(`${account}/groups/web/vm_create`, createBody('web5', null), shapes.created, 202));
  const there = `${account}/groups/web`;
  await run(remove(there, 400));
  await run(lookAtGroup('web'), remove(`${at('web5', there)}?purge=true`), remove(there));
});

test('version 2.5: what it says otherwise', async () => {
  client = new GoClient(berth.url, token, '2.5');
  const web1 = at('web1');
  await run(put(web1, '{"autoreboot_on":true, "power_on": true}'));
  await run(put(web1, '{"autoreboot_on":true, "power_on": false}'));
  await untilPower(berth, 'web1', true);
  const { id } = await seen('web1');
  // It means the number of the network interface.
  const nic = encodeURIComponent(String.fromCodePoint(id));
  const body = '{"addresses":1,"family":"ipv4","reason":"","contiguous":false,"ips":null}\n';
  await run(look('web1'), post(`${web1}/nics/${nic}/ip_create`, body, shapes.ips));
  await run(
    look('web1'),
    post(`/users/${bob}/privileges`, `{"virtual_machine_id":${id},"level":"vm_admin","yubikey_required":false}\n`),
  );
  const whole = (text: string) => put('/users/admin', `{"username":"admin","email":"","authorized_keys":"${text}"}\n`);
  await run(get('/users/admin', shapes.user), whole(`\\n${keys.ed25519}`));
  await run(get('/users/admin', shapes.user), whole(''));
});
