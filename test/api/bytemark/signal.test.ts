// `POST .../signal`: a VM's buttons and keys, as its host is told of them and does them, and what is refused.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerClient } from '../../../src/agent/client.ts';
import type { Inventory } from '../../../src/api/agent/contract/inventory.ts';
import type { Report } from '../../../src/api/agent/contract/report.ts';
import { act } from '../../../src/app/act.ts';
import { createApiKey } from '../../../src/app/api-key.ts';
import { ensureLocalHost } from '../../../src/app/bootstrap.ts';
import type { Context } from '../../../src/app/context.ts';
import { makeEnrolmentToken } from '../../../src/app/host.ts';
import { openForOperator } from '../../../src/compose/operator.ts';
import type { BerthError } from '../../../src/model/errors.ts';
import { readJournal } from '../../../src/sim/driver.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { call, machines, running, untilPower } from './vms.ts';

let berth: TestBerth;
let context: Context;
let closeContext: () => Promise<void>;
let name: string;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.66.0.0/24', agent: { behaviour: { journal: true } } });
  ({ context, close: closeContext } = await openForOperator({ data: berth.directory }));
  name = (await running(berth, { autoreboot_on: false, power_on: true })).name;
});
after(async () => {
  await closeContext();
  await berth.close();
});

const send = (body: unknown, vm = name, query = '') => call(berth, 'POST', `${machines}/${vm}/signal${query}`, body);

/** What was done to VMs here, beside starting and stopping them. */
async function acts(): Promise<string[]> {
  const lines = await readJournal(join(berth.directory, 'agent', 'world'));
  return lines.map(({ act: done }) => done).filter((done) => !['start', 'halt', 'erase'].includes(done));
}

const waitingActs = async () => (await context.database.selectFrom('act').selectAll().execute()).length;

test('what the clients send is done once, and repeated in the answer', async () => {
  const bodies = [{ signal: 'reset' }, { signal: 'sendkey', data: 'ctrl-alt-delete' }];
  for (const body of bodies) {
    const answer = await send(body);
    assert.deepEqual([answer.status, answer.body], [200, body]);
  }
  const inQuery = await send(undefined, name, '?signal=sendkey&data=altgr-q&whatever=1');
  assert.deepEqual([inQuery.status, inQuery.body], [200, { signal: 'sendkey', data: 'altgr-q' }]);
  assert.deepEqual(await acts(), ['reset', 'sendkey', 'sendkey']);
  assert.equal(await waitingActs(), 0, 'nothing is left of them');
});

test('the power button takes a guest down, once; a VM that is off has no buttons', async () => {
  const other = await running(berth, { autoreboot_on: false, power_on: true });
  const answer = await send({ signal: 'powerdown' }, other.name);
  assert.deepEqual([answer.status, answer.body], [200, { signal: 'powerdown' }]);
  await untilPower(berth, other.name, false);
  for (const signal of ['powerdown', 'reset']) {
    const refused = await send({ signal }, other.name);
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.body, { base: [`The VM ${other.name} is not on; start it first.`] });
  }
  assert.equal((await acts()).filter((done) => done === 'powerdown').length, 1);
});

test('the power button of a VM with autoreboot restarts it', async () => {
  const other = await running(berth, { autoreboot_on: true });
  const starts = async () => {
    const lines = await readJournal(join(berth.directory, 'agent', 'world'));
    return lines.filter(({ act: done }) => done === 'start').length;
  };
  const before = await starts();
  assert.equal((await send({ signal: 'powerdown' }, other.name)).status, 200);
  await until('it was started again', async () => (await starts()) === before + 1);
  await untilPower(berth, other.name, true);
});

test('a signal that there is not is refused in the words that clients know, and nothing is done', async () => {
  const before = await acts();
  const wrong: [body: unknown, faults: Record<string, string[]>][] = [
    [{}, { signal: ["can't be blank"] }],
    [{ signal: null }, { signal: ["can't be blank"] }],
    [{ signal: '' }, { signal: ["can't be blank"] }],
    [{ signal: 'explode' }, { signal: ['is not included in the list'] }],
    [{ signal: 7 }, { signal: ['is not included in the list'] }],
    [{ signal: ['reset'] }, { signal: ['is invalid'] }],
    [{ signal: 'sendkey' }, { data: ["can't be blank"] }],
    [{ signal: 'sendkey', data: 'ctrl-alt-explode' }, { data: ['is not included in the list'] }],
    [{ signal: 'sendkey', data: 'ctrl+alt+delete' }, { data: ['is not included in the list'] }],
    [{ signal: 'sendkey', data: 'a-'.repeat(20) }, { data: ['is not included in the list'] }],
    [{ signal: 'sendkey', data: { key: 'a' } }, { data: ['is invalid'] }],
  ];
  for (const [body, faults] of wrong) {
    const answer = await send(body);
    assert.deepEqual([answer.status, answer.body], [400, faults], JSON.stringify(body));
  }
  assert.equal((await send('[]')).status, 400);
  assert.equal((await send({ signal: 'reset' }, 'no-such-vm')).status, 404);
  assert.deepEqual(await acts(), before);
});

test('who may only look at a VM does not touch it', async () => {
  const { id } = await context.database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const fields = { name: 'name', scope: 'scope', expiresAt: 'expiresAt' };
  const { secret } = await createApiKey(context, id, { name: 'look', scope: 'read-only', expiresAt: null }, fields);
  const answer = await call(berth, 'POST', `${machines}/${name}/signal`, { signal: 'reset' }, secret);
  assert.equal(answer.status, 403, JSON.stringify(answer.body));
});

test('a host tells how an act went; one that is silent is not waited for, and never does it later', async () => {
  const hostId = await ensureLocalHost(context, 'silent', '127.66.1.0/24');
  const client = new ServerClient([berth.url]);
  const inventory: Inventory = {
    ...{ cores: 0, memoryMib: 0, diskGib: 0, storageType: 'NVMe', cpuModel: 'x', hypervisor: 'x' },
    ...{ acceleration: 'none', accelerationReason: 'x', agentVersion: 'x' },
  };
  client.setCredential((await client.enrol(await makeEnrolmentToken(context, hostId), inventory)).credential);
  const report: Report = { inventory, complete: false, instances: [], events: [], strays: [] };
  const { signal } = new AbortController();
  const account = await context.database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const vm = { id: `0x${'1'.repeat(40)}`, accountId: account.id, hostId, name: 'there', status: 'active' as const };
  const principal = { accountId: account.id, accountName: 'default', actor: 'test', scope: 'full' as const };
  const ask = () => act(context, principal, vm, { kind: 'sendkey', keys: ['a'] });
  const offered = async () => (await client.poll(undefined, signal)).acts ?? [];

  for (const [outcome, code] of [
    ['done', null],
    ['not-running', 'wrong_state'],
    ['failed', 'unavailable'],
  ] as const) {
    await client.report(report, signal);
    const over = ask().then(
      () => null,
      (error: BerthError) => error.code,
    );
    const told: Awaited<ReturnType<typeof offered>> = [];
    await until('the host is told', async () => told.push(...(await offered())) > 0);
    const [{ expiresInMs = 0, id = '', ...rest } = {}] = told;
    assert.deepEqual(rest, { instanceId: vm.id, kind: 'sendkey', keys: ['a'] });
    assert.ok(expiresInMs > 0 && expiresInMs <= 10_000);
    assert.deepEqual(await offered(), [], 'it is not told again at once');
    await client.report({ ...report, acts: [{ id, outcome }] }, signal);
    assert.equal(await over, code);
  }

  await client.report(report, signal);
  const began = performance.now();
  const silence = assert.rejects(ask(), { code: 'unavailable' });
  await until('the host is told', async () => (await offered()).length > 0);
  await until('the host is told again', async () => (await offered()).length > 0);
  await silence;
  assert.ok(performance.now() - began < 40_000);
  assert.equal(await waitingActs(), 0);
  assert.deepEqual(await offered(), [], 'nobody is told of it any more');

  await context.database.updateTable('host').set({ reachable: false }).where('id', '=', hostId).execute();
  const beganAgain = performance.now();
  await assert.rejects(ask(), { code: 'unavailable' });
  assert.ok(performance.now() - beganAgain < 9_000, 'a host that is known to be away is not waited for');
});
