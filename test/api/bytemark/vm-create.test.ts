// Making VMs by Bytemark's calls: what is answered, what is there at once, what is refused as a whole, and many at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { driftOf, holdings, keys, openStore, untilGone } from '../support.ts';
import { addUser, asOperator, tokenOf } from './identity.ts';
import { call, createBody, created, type Faults, group, machines, overview, untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.63.0.0/22' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

/** The request is refused with these faults, and leaves nothing behind. */
async function assertRefused(body: unknown, faults: Faults, path = 'vm_create'): Promise<void> {
  const before = await holdings(database);
  const answer = await call(berth, 'POST', `${group}/${path}`, body);
  assert.deepEqual([answer.status, answer.body], [400, faults]);
  assert.deepEqual(await holdings(database), before);
}

test('a VM is answered as the documentation shows one, and is there at once', async () => {
  const { virtual_machine: vm, discs, reimage } = await created(berth, createBody({ name: 'myserver1' }));
  assert.deepEqual(
    { ...vm, id: 0, group_id: 0, management_address: '', last_imaged_with: '' },
    {
      ...{ type: 'application/vnd.bigv.virtual-machine', autoreboot_on: true, cdrom_url: null, cores: 1, group_id: 0 },
      ...{ id: 0, management_address: '', memory: 1024, name: 'myserver1', power_on: false, keymap: null },
      ...{ deleted: false, hostname: 'myserver1.default.default.berth.local', head: null, last_imaged_with: '' },
      ...{ hardware_profile: 'virtio2013', hardware_profile_locked: false, zone_name: vm.zone_name },
    },
  );
  const [disc] = discs;
  assert.ok(disc && vm.id > 0 && disc.id > 0);
  assert.deepEqual(
    [disc.label, disc.size, disc.virtual_machine_id, disc.storage_grade],
    ['root', 25_600, vm.id, 'sata'],
  );
  assert.deepEqual(reimage, { distribution: 'micro', root_password: 'mypassword' });
  const shown = await overview(berth, 'myserver1');
  assert.equal(shown.id, vm.id);
  assert.deepEqual(
    shown.discs?.map(({ id }) => id),
    [disc.id],
  );
  assert.match(shown.network_interfaces?.[0]?.ips[0] ?? '', /^127\.63\.[0-3]\./);
  await untilPower(berth, 'myserver1', true);
  assert.deepEqual(await driftOf(database), []);
});

test('what is answered is what is read afterwards, with apart grades, schedules or without', async () => {
  const schedule = { start_at: '00:00', interval_seconds: 86_400, capacity: 2 };
  for (const discs of [[{ size: 500, label: 'a' }, { size: 600 }], [{ size: 500, backup_schedules: [schedule] }]]) {
    const vm = { autoreboot_on: false, keymap: 'de', cores: 2, memory: 2048 };
    const made = await created(berth, createBody(vm, { discs }));
    const { discs: shownDiscs, network_interfaces: _, ...shown } = await overview(berth, made.virtual_machine.name);
    assert.deepEqual([made.virtual_machine, made.discs], [shown, shownDiscs]);
  }
});

test('who can’t pay a VM is told what it costs, and nothing is left of it', async () => {
  await asOperator(berth, (context) => createAccount(context, 'poor', 'name'));
  const token = await tokenOf(berth, await addUser(berth, 'poor'));
  const before = await holdings(database);
  const path = '/accounts/poor/groups/default/vm_create';
  const answer = await callApi<Faults>(berth.url, token, 'POST', path, createBody());
  assert.equal(answer.status, 400);
  assert.match(String(answer.body.base), /The balance is too low: the first epoch and the deposit come to/);
  assert.deepEqual(await holdings(database), before);
});

test('the command-line client’s own body is taken, with empty texts for what it does not use', async () => {
  const schedule = { start_at: '2026-11-21 00:00:00 UTC', interval_seconds: 604_800, capacity: 1 };
  const { discs } = await created(berth, {
    virtual_machine: { autoreboot_on: true, cores: 1, memory: 1024, name: 'web1' },
    discs: [{ label: 'disc-1', storage_grade: 'sata', size: 25_600, backup_schedules: [schedule] }],
    reimage: { distribution: 'micro', firstboot_script: '', root_password: 's3cret', ssh_public_key: '' },
    ips: { ipv4: '', ipv6: '' },
  });
  const rows = await database
    .selectFrom('backup_schedule')
    .innerJoin('disk', 'disk.id', 'disk_id')
    .where('number', '=', BigInt(discs[0]?.id ?? 0))
    .selectAll()
    .execute();
  assert.deepEqual(
    rows.map(({ number, interval_seconds, capacity }) => [Number(number), interval_seconds, capacity]),
    [[discs[0]?.id, 604_800, 1]],
  );
});

test('other clients’ bodies are taken: numbers as text, nulls, and what nobody knows', async () => {
  const vm = { cores: '2', memory: '2048', hardware_profile: null, cdrom_url: null, group: 'default', type: 'x' };
  const made = await created(berth, createBody({ ...vm, power_on: true, autoreboot_on: true }, { whatever: 1 }));
  assert.deepEqual([made.virtual_machine.cores, made.virtual_machine.memory], [2, 2048]);
});

test('eight discs of all grades come in the order given, and those without a label are numbered', async () => {
  const grades = ['sata', 'ssd', 'archive', 'sata', 'ssd', 'archive', 'sata', undefined];
  const discs = grades.map((storage_grade, index) => ({ storage_grade, size: 50 + index }));
  const made = await created(berth, createBody({}, { discs: [{ size: 50, label: 'disc-2' }, ...discs.slice(1)] }));
  assert.deepEqual(
    made.discs.map(({ label, size, storage_grade }) => `${label} ${size} ${storage_grade}`),
    [
      ...['disc-2 50 sata', 'disc-3 51 ssd', 'disc-4 52 archive', 'disc-5 53 sata', 'disc-6 54 ssd'],
      ...['disc-7 55 archive', 'disc-8 56 sata', 'disc-9 57 sata'],
    ],
  );
});

test('what is on at the end: whatever is to start from something, unless told otherwise', async () => {
  const none = { discs: [{ size: 1024 }], reimage: undefined };
  const cases: [expected: boolean, vm: Record<string, unknown>, rest: Record<string, unknown>][] = [
    [true, {}, {}],
    [true, { power_on: false, autoreboot_on: true }, {}],
    [true, { power_on: true, autoreboot_on: false }, {}],
    [false, { autoreboot_on: false }, {}],
    [false, { power_on: false, autoreboot_on: false }, {}],
    [false, {}, none],
    [false, { autoreboot_on: true }, none],
    [true, { power_on: true }, none],
  ];
  for (const [expected, vm, rest] of cases) {
    const body = createBody(vm, rest);
    await created(berth, body);
    const shown = await untilPower(berth, body.virtual_machine.name, expected);
    assert.equal(shown.autoreboot_on, vm.autoreboot_on ?? true);
    const wanted = expected ? 'running' : 'off';
    const { desired } = await database
      .selectFrom('assignment')
      .innerJoin('instance', 'instance.id', 'instance_id')
      .where('number', '=', BigInt(shown.id))
      .select('desired')
      .executeTakeFirstOrThrow();
    assert.equal(desired, wanted, JSON.stringify(vm));
  }
});

test('a bare VM has no disc, and stays off', async () => {
  const answer = await call<Vm>(berth, 'POST', machines, { name: 'bare-one', cores: 2, memory: 2048 });
  assert.equal(answer.status, 202);
  const shown = await overview(berth, 'bare-one');
  assert.deepEqual([shown.discs, shown.power_on, shown.cores, shown.memory], [[], false, 2, 2048]);
  await assertRefused(
    { name: 'bare-two', power_on: true },
    { power_on: ['needs a disc or a CD to start from'] },
    'virtual_machines',
  );
});

test('all that is wrong is told at once, by field, and for each disc in its place', async () => {
  await assertRefused(
    {
      virtual_machine: {
        name: 'a.',
        cores: 0,
        memory: 1000,
        hardware_profile: 'virtio1999',
        keymap: 'xx',
        zone_name: 'mars',
      },
      discs: [{ size: 25_600, label: 'a' }, { size: 49, label: 'a' }, { size: 'large', storage_grade: 'gold' }, {}],
      reimage: { distribution: 'windows', ssh_public_key: 'ssh-rsa nonsense', root_password: 'two\nlines' },
    },
    {
      name: ['is invalid', 'is too short (minimum is 3 characters)'],
      cores: ['must be greater than or equal to 1'],
      memory: ['is not included in the list'],
      hardware_profile: ['is not included in the list'],
      keymap: ['is not included in the list'],
      zone_name: ['is not included in the list'],
      distribution: ['is not included in the list'],
      ssh_public_key: ['is invalid'],
      root_password: ['is invalid'],
      discs: [
        {},
        { size: ['must be greater than or equal to 50'], label: ['has already been taken'] },
        { size: ['is not a number'], storage_grade: ['is not included in the list'] },
        { size: ["can't be blank", 'is not a number'] },
      ],
    },
  );
});

test('names: blank, two letters, a dot, too long; all digits are allowed', async () => {
  const image = { discs: [{ size: 50 }], reimage: undefined };
  for (const [name, faults] of [
    [undefined, ["can't be blank"]],
    ['', ["can't be blank"]],
    ['ab', ['is too short (minimum is 3 characters)']],
    ['web.one', ['is invalid']],
    ['-web', ['is invalid']],
    ['x'.repeat(64), ['is too long (maximum is 63 characters)']],
    [{}, ['is invalid', "can't be blank"]],
  ] as const) {
    const answer = await call(berth, 'POST', `${group}/vm_create`, createBody({ name }, image));
    assert.equal(answer.status, 400);
    assert.ok(
      (answer.body.name as string[]).every((fault) => (faults as readonly string[]).includes(fault)),
      String(name),
    );
  }
  await created(berth, createBody({ name: '20261121' }, image));
});

test('a name is taken by a VM and by a deleted one, and free again when that is purged', async () => {
  await created(berth, createBody({ name: 'only-one' }));
  await assertRefused(createBody({ name: 'only-one' }), { name: ['has already been taken'] });
  assert.equal((await call(berth, 'DELETE', `${machines}/only-one`)).status, 204);
  await assertRefused(createBody({ name: 'only-one' }), { name: ['has already been taken'] });
  assert.equal((await call(berth, 'DELETE', `${machines}/only-one?purge=true`)).status, 204);
  await created(berth, createBody({ name: 'only-one' }));
  const purged = await database
    .selectFrom('instance')
    .where('status', 'in', ['deleting', 'deleted'])
    .select('id')
    .execute();
  await untilGone(
    database,
    purged.map(({ id }) => id),
  );
});

test('nine discs, an image without a disc, chosen addresses in a public group, and a CD that is no URL are refused', async () => {
  const nine = Array.from({ length: 9 }, () => ({ size: 50 }));
  await assertRefused(createBody({}, { discs: nine }), {
    discs: [...nine.slice(1).map(() => ({})), { base: ['is one too many (maximum is 8)'] }],
  });
  await assertRefused(createBody({}, { discs: [] }), {
    discs: [{ base: ['one is needed to put the distribution on'] }],
  });
  const ips = { ips: ['can only be chosen in a group whose network has IP ranges of its own'] };
  await assertRefused(createBody({}, { ips: { ipv4: '192.0.2.77', ipv6: '' } }), ips);
  for (const [url, fault] of [
    ['nonsense', 'is invalid'],
    ['ftp://example.com/a.iso', 'must be an http or https URL'],
    ['http://me:secret@example.com/a.iso', 'must not have a user name or password in it'],
    ['http://10.0.0.1/a.iso', 'must be on a public server'],
  ] as const) {
    await assertRefused(createBody({ cdrom_url: url }), { cdrom_url: [fault] });
  }
});

test('schedules of backups that can’t be are told with their disc', async () => {
  const backup_schedules = [{ start_at: '00:00', interval_seconds: -1 }, { start_at: 'never' }];
  const answer = await call(
    berth,
    'POST',
    `${group}/vm_create`,
    createBody({}, { discs: [{ size: 50, backup_schedules }] }),
  );
  assert.equal(answer.status, 400);
  const [disc] = answer.body.discs as { backup_schedules: string[] }[];
  assert.match(disc?.backup_schedules[0] ?? '', /^interval_seconds must be greater than/);
  assert.deepEqual(disc?.backup_schedules.slice(1), [
    'start_at is invalid',
    'interval_seconds Missing interval_seconds parameter',
  ]);
  const daily = { start_at: '00:00', interval_seconds: 86_400 };
  for (const [schedule, fault] of [
    [{ ...daily, capacity: 'many' }, 'capacity is not a number'],
    [{ ...daily, capacity: {} }, 'capacity is not a number'],
    [{ ...daily, interval_seconds: 'daily' }, 'interval_seconds is not a number'],
  ] as const) {
    const discs = [{ size: 50, backup_schedules: [daily, schedule] }];
    await assertRefused(createBody({}, { discs }), { discs: [{ backup_schedules: [fault] }] });
  }
});

test('more than any host has is refused with a sentence, and leaves nothing behind', async () => {
  const before = await holdings(database);
  const answer = await call(berth, 'POST', `${group}/vm_create`, createBody({ cores: 1000 }));
  assert.equal(answer.status, 400);
  assert.match(String(answer.body.base), /No host has room/);
  assert.deepEqual(await holdings(database), before);
});

test('a body that is no hash is refused; an empty one lacks a name', async () => {
  for (const body of ['[]', '"web"', '{"virtual_machine":[]}', '{', '{"discs":{}}']) {
    assert.equal((await call(berth, 'POST', `${group}/vm_create`, body)).status, 400, body);
  }
  assert.deepEqual((await call(berth, 'POST', `${group}/vm_create`, '{}')).body, { name: ["can't be blank"] });
  for (const discs of [{}, 'large', 5])
    await assertRefused(createBody({}, { discs }), { discs: [{ base: ['is invalid'] }] });
});

test('a root password and a first-boot script are told to the VM’s host alone, and forgotten once it has run', async () => {
  const secret = 'hunter2-hunter2';
  const reimage = {
    distribution: 'micro',
    root_password: secret,
    firstboot_script: `#!/bin/sh\necho ${secret}`,
    ssh_public_key: `${keys.ed25519}\n\n${keys.rsa}\n`,
  };
  const off = createBody({ autoreboot_on: false }, { reimage });
  const made = await created(berth, off);
  assert.deepEqual(made.reimage, { distribution: 'micro', root_password: secret });
  const { name } = off.virtual_machine;
  const { id, ssh_keys } = await database
    .selectFrom('instance')
    .where('name', '=', name)
    .select(['id', 'ssh_keys'])
    .executeTakeFirstOrThrow();
  assert.deepEqual(ssh_keys, [keys.ed25519, keys.rsa]);
  const waiting = () => database.selectFrom('imaging_secret').where('instance_id', '=', id).selectAll().execute();
  const [sealed] = await waiting();
  assert.ok(sealed && !Buffer.from(sealed.sealed).toString('latin1').includes(secret));
  assert.equal((await call(berth, 'PUT', `${machines}/${name}`, { power_on: true })).status, 200);
  await untilPower(berth, name, true);
  assert.deepEqual(await waiting(), []);
  const shown = JSON.stringify(await overview(berth, name));
  const events = JSON.stringify(await database.selectFrom('event').select(['message', 'data']).execute(), (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  assert.ok(![shown, events, berth.log()].some((text) => text.includes(secret)));
});

test('what a tool suggests for new VMs is kept, but for its password', async () => {
  const settings = { virtual_machine: { cores: 1, memory: 1024 }, discs: [{ size: 25_600 }] };
  const answer = await call(berth, 'POST', '/vm_defaults', {
    name: 'usual',
    public: true,
    server_settings: { ...settings, reimage: { distribution: 'micro', root_password: 'hunter2' } },
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const { id, account_id, ...rest } = answer.body;
  assert.ok(Number(id) > 0 && Number(account_id) > 0);
  const server_settings = { ...settings, reimage: { distribution: 'micro' } };
  assert.deepEqual(rest, { name: 'usual', public: true, server_settings });
  const kept = await database.selectFrom('vm_default').select('server_settings').execute();
  assert.deepEqual(kept, [{ server_settings }]);
  assert.deepEqual((await call(berth, 'POST', '/vm_defaults', {})).body, { name: ["can't be blank"] });
});

test('200 at once in one group are all answered, with names of their own', async () => {
  const bodies = Array.from({ length: 200 }, (_, index) =>
    createBody({ name: `crowd-${index % 190}` }, { discs: [{ size: 50 }], reimage: undefined }),
  );
  const answers = await Promise.all(bodies.map((body) => call(berth, 'POST', `${group}/vm_create`, body)));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([statuses.filter((status) => status === 202).length, new Set(statuses)], [190, new Set([202, 400])]);
  const list = (await call<Vm[]>(berth, 'GET', machines)).body.filter(({ name }) => name.startsWith('crowd-'));
  assert.equal(new Set(list.map(({ name }) => name)).size, 190);
  assert.deepEqual(await driftOf(database), []);
});
