// Reports as no agent of ours sends them: one odd text must not keep a host's reports from being taken, for the agent sends
// a report that failed again and again.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { callApi, startTestBerth, until } from '../../support/berth.ts';
import { deployed, untilStatus } from '../support.ts';

const berth = await startTestBerth();
after(() => berth.close());
const { credential } = JSON.parse(await readFile(join(berth.directory, 'agent', 'credential.json'), 'utf8'));
const [instanceId = ''] = await deployed(berth);
await untilStatus(berth, instanceId, 'Active');

const inventory = {
  cores: 64,
  memoryMib: 262_144,
  diskGib: 10_000,
  storageType: 'NVMe',
  acceleration: 'none',
  accelerationReason: 'x',
  cpuModel: 'x',
  hypervisor: 'x',
  agentVersion: 'x',
};
const report = (parts: { events?: object[]; instances?: object[]; strays?: string[]; inventory?: object }) =>
  callApi(berth.url, credential, 'POST', '/agent/v1/reports', {
    inventory,
    complete: false,
    instances: [],
    events: [],
    strays: [],
    ...parts,
  });
const event = (fields: object) => {
  return { id: randomUUID(), instanceId, at: new Date().toISOString(), kind: 'vm.note', message: 'x', ...fields };
};

interface Events {
  items: { message: string; data: unknown }[];
}

test('text that the database can’t hold is taken with the odd characters replaced', async () => {
  const odd = 'zero \u0000, half \ud800';
  const events = [event({ message: odd, data: { [odd]: [odd] } })];
  assert.equal((await report({ events })).status, 200);
  const seen = { instanceId, generation: 1, state: 'running', reason: odd, restarts: 0 };
  const instances = [{ ...seen, address: null, vcpus: 1, memoryMib: 1024, diskGib: 5 }];
  assert.equal((await report({ instances })).status, 200);
  assert.equal((await report({ strays: [odd], inventory: { ...inventory, cpuModel: odd } })).status, 200);
  const clean = 'zero \ufffd, half \ufffd';
  await until('the event is shown', async () => {
    const { body } = await berth.call<Events>('GET', `/berth/v1/events?instance=${instanceId}`);
    const shown = body.items.find(({ message }) => message === clean);
    if (shown) assert.deepEqual(shown.data, { [clean]: [clean] });
    return shown !== undefined;
  });
});

test('an event sent twice is shown once', async () => {
  const events = [event({ message: 'sent twice' })];
  for (let time = 0; time < 2; time += 1) assert.equal((await report({ events })).status, 200);
  await report({ events: [event({ message: 'after it' })] });
  await until('both are shown', async () => {
    const { body } = await berth.call<Events>('GET', `/berth/v1/events?instance=${instanceId}&limit=1000`);
    const messages = body.items.map(({ message }) => message);
    assert.ok(messages.filter((message) => message === 'sent twice').length <= 1);
    return messages.includes('after it') && messages.includes('sent twice');
  });
});

test('a poll with a revision that no number holds is refused', async () => {
  for (const after of ['1e400', '-1', 'x', '1.5']) {
    const answer = await callApi(berth.url, credential, 'GET', `/agent/v1/assignments?after=${after}`);
    assert.equal(answer.status, 400, after);
  }
});

test('a customer’s key opens nothing here, and an agent’s credential nothing of a customer’s', async () => {
  assert.equal((await callApi(berth.url, berth.apiKey, 'GET', '/agent/v1/assignments')).status, 401);
  assert.equal((await callApi(berth.url, credential, 'GET', '/vms/v3')).status, 403);
  assert.equal((await callApi(berth.url, credential, 'GET', '/berth/v1/events')).status, 401);
});
