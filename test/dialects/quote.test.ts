// A quote of Berth's own API used by clients of the others, who say no more than the header `Berth-Quote`: what it holds is theirs at its
// price, and what is wrong with it is told in the shape that they read.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { parseId, toId } from '../../src/api/native/id.ts';
import { createBody, group } from '../api/bytemark/vms.ts';
import { letSlots, type Machine, priceOf, startBody } from '../api/hiveon/support.ts';
import { deployBody, driftOf, holdings, openStore } from '../api/support.ts';
import { callApi, startTestBerth, until } from '../support/berth.ts';

const slug = 'cpu-2-ram-4gb-storage-25gb';
const berth = await startTestBerth({ agent: { capacity: { cores: 8, memoryMib: 64 * 1024, diskGib: 200 } } });
const database = await openStore(berth);
const machines = await letSlots(berth, 4, { diskGib: 5 });
after(async () => {
  await database.destroy();
  await berth.close();
});

interface Quote {
  id: string;
  state: string;
  price: string;
  total: string;
  deployment: string | null;
  placements: { slot: string | null; slotPrice: string | null }[];
}

const path = '/berth/v1/quotes';
async function quoted(body: object): Promise<Quote> {
  const answer = await berth.call<Quote>('POST', path, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}
const find = async ({ id }: Quote) => (await berth.call<Quote>('GET', `${path}/${id}`)).body;
const usingQuote = ({ id }: { id: string }) => ({ 'berth-quote': id });

const deployed = (body: object, headers: Record<string, string>) =>
  berth.call<{ vmId: string }[] & { error: string }>('POST', '/vms/v3', body, headers);
const start = (body: object, headers: Record<string, string>) =>
  callApi<{ deployment_id: string; code: number; message: string; details: { reason?: string }[] }>(
    berth.url,
    null,
    'POST',
    '/vendors/v1/machines/deployments/start',
    body,
    { 'x-api-key': berth.apiKey, ...headers },
  );
const created = (body: object, headers: Record<string, string>) =>
  callApi<{ virtual_machine: { id: number; cores: number }; base?: string[]; error?: string }>(
    berth.url,
    null,
    'POST',
    `${group}/vm_create`,
    body,
    { authorization: `Bearer apikey.${berth.apiKey}`, ...headers },
  );

const nothing = { id: toId('quote', randomUUID()) };
const deployOf = (instances = 1) => deployBody({}, { constraints: { basicConfiguration: slug }, instances });
const machineOf = (index: number) => machines[index] as Machine;
const slotOf = ({ machine_id: id }: Machine) => toId('slot', id);

test('Fluence’s deployment takes what a quote holds, at its price', async () => {
  const quote = await quoted({ configuration: slug, count: 2 });
  const headers = { ...usingQuote(quote), 'idempotency-key': randomUUID() };
  const body = deployOf(2);
  const made = await deployed(body, headers);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const vms = await berth.call<{ id: string; pricePerEpoch: string }[]>('GET', '/vms/v3');
  const prices = vms.body.filter(({ id }) => made.body.some(({ vmId }) => vmId === id)).map((vm) => vm.pricePerEpoch);
  assert.deepEqual(prices, [quote.price, quote.price]);
  assert.equal((await find(quote)).state, 'used');
  // A repeat is no second use, and the same key without the quote is another request.
  assert.deepEqual((await deployed(body, headers)).body, made.body);
  const other = await deployed(body, { 'idempotency-key': headers['idempotency-key'] });
  assert.equal(other.status, 422);
  assert.deepEqual(await driftOf(database), []);
});

test('Fluence’s clients are told what is wrong with a quote in their shape', async () => {
  const quote = await quoted({ configuration: slug });
  const held = await holdings(database);
  const large = await deployed(deployOf(2), usingQuote(quote));
  assert.deepEqual([large.status, Object.keys(large.body)], [422, ['error']]);
  assert.match(large.body.error, /does not fit; the quote quo_\w+ holds an instance of 2 vCPUs/);
  const unknown = await deployed(deployOf(), usingQuote(nothing));
  assert.deepEqual([unknown.status, Object.keys(unknown.body)], [404, ['error']]);
  const nonsense = await deployed(deployOf(), { 'berth-quote': 'nonsense' });
  assert.equal(nonsense.status, 422);
  assert.match(nonsense.body.error, /Berth-Quote is "nonsense"/);
  assert.deepEqual(await holdings(database), held);
  await berth.call('DELETE', `${path}/${quote.id}`);
  const over = await deployed(deployOf(), usingQuote(quote));
  assert.equal(over.status, 409);
  assert.match(over.body.error, /was let go/);
});

test('a request of Fluence’s that names no configuration gets the one that its quote is for', async () => {
  const quote = await quoted({ configuration: slug });
  const made = await deployed(deployBody(), usingQuote(quote));
  const id = made.body[0]?.vmId ?? '';
  const row = await database
    .selectFrom('instance')
    .where('id', '=', id)
    .select(['vcpus', 'memory_mib'])
    .executeTakeFirst();
  assert.deepEqual(row, { vcpus: 2, memory_mib: 4096 });
});

test('Hiveon’s start takes the slot that a quote holds, at a price that is not offered any more', async () => {
  const machine = machineOf(0);
  const quote = await quoted({
    kind: 'container',
    slot: slotOf(machine),
    slotPrice: toId('slotPrice', priceOf(machine)),
  });
  const shown = await callApi<Machine>(
    berth.url,
    null,
    'GET',
    `/vendors/v1/machines/${machine.machine_id}`,
    undefined,
    {
      'x-api-key': berth.apiKey,
    },
  );
  assert.equal(shown.body.status, 'rented');
  const taken = await start(startBody(machine), {});
  assert.deepEqual([taken.status, taken.body.code], [400, 9]);
  await database
    .updateTable('slot_price')
    .set({ withdrawn_at: new Date() })
    .where('id', '=', priceOf(machine))
    .execute();
  const body = startBody(machine, {}, { external_deployment_id: 'job-1' });
  const made = await start(body, usingQuote(quote));
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const used = await find(quote);
  assert.equal(used.state, 'used');
  assert.equal(used.deployment, toId('deployment', made.body.deployment_id));
  // The same request again is the same deployment.
  assert.deepEqual((await start(body, usingQuote(quote))).body, made.body);
  assert.deepEqual(await driftOf(database), []);
});

test('Hiveon’s clients are told what is wrong with a quote in their shape', async () => {
  const [one, other] = [machineOf(1), machineOf(2)];
  const quote = await quoted({ kind: 'container', slot: slotOf(one), slotPrice: toId('slotPrice', priceOf(one)) });
  const vms = await quoted({ configuration: slug });
  const held = await holdings(database);
  const elsewhere = await start(startBody(other), usingQuote(quote));
  assert.deepEqual([elsewhere.status, elsewhere.body.details[0]?.reason], [400, 'QUOTE_TOO_SMALL']);
  const ofVms = await start(startBody(other), usingQuote(vms));
  assert.deepEqual([ofVms.status, ofVms.body.details[0]?.reason], [400, 'QUOTE_TOO_SMALL']);
  const unknown = await start(startBody(one), usingQuote(nothing));
  assert.deepEqual([unknown.status, unknown.body.code], [404, 5]);
  const ofSlot = await deployed(deployOf(), usingQuote(quote));
  assert.equal(ofSlot.status, 422);
  assert.deepEqual(await holdings(database), held);
  for (const { id } of [quote, vms]) await berth.call('DELETE', `${path}/${id}`);
  const over = await start(startBody(one), usingQuote(quote));
  assert.deepEqual([over.status, over.body.details[0]?.reason], [400, 'QUOTE_OVER']);
});

test('Bytemark’s vm_create takes what a quote holds, and is told what is wrong in its shape', async () => {
  const quote = await quoted({ vcpus: 2, memoryMib: 4096, diskGib: 30 });
  const body = (cores: number) => createBody({ cores, memory: 4096 }, { discs: [{ label: 'root', size: 25_600 }] });
  const held = await holdings(database);
  const large = await created(body(3), usingQuote(quote));
  assert.deepEqual([large.status, Object.keys(large.body)], [400, ['base']]);
  assert.match(large.body.base?.[0] ?? '', /does not fit/);
  const unknown = await created(body(2), usingQuote(nothing));
  assert.deepEqual([unknown.status, Object.keys(unknown.body)], [404, ['error']]);
  assert.deepEqual(await holdings(database), held);
  const made = await created(body(2), usingQuote(quote));
  assert.equal(made.status, 202, JSON.stringify(made.body));
  assert.equal((await find(quote)).state, 'used');
  const again = await created(body(2), usingQuote(quote));
  assert.equal(again.status, 400);
  assert.match(again.body.base?.[0] ?? '', /has been used/);
  assert.deepEqual(await driftOf(database), []);
});

test('a container of Berth’s own API takes slot and price from its quote', async () => {
  const machine = machineOf(3);
  const quote = await quoted({
    kind: 'container',
    slot: slotOf(machine),
    slotPrice: toId('slotPrice', priceOf(machine)),
  });
  const made = await berth.call<{ id: string; container: { slot: string } }>('POST', '/berth/v1/instances', {
    ...{ kind: 'container', image: 'nginx:latest', quote: quote.id },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.container.slot, slotOf(machine));
  assert.equal((await find(quote)).state, 'used');
});

test('a slot that an expired quote held is rented by whoever asks', async () => {
  const machine = machineOf(1);
  const quote = await quoted({
    ...{ kind: 'container', slot: slotOf(machine), slotPrice: toId('slotPrice', priceOf(machine)), validSeconds: 1 },
  });
  const row = await database
    .selectFrom('quote')
    .where('id', '=', parseId('quote', quote.id) ?? '')
    .select('expires_at')
    .executeTakeFirstOrThrow();
  await until('its time is over', async () => row.expires_at.getTime() < Date.now());
  const made = await start(startBody(machine), {});
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.equal((await find(quote)).state, 'expired');
});

test('a slot that is closed loses its quote, and what is held can’t be removed', async () => {
  const machine = machineOf(2);
  const quote = await quoted({
    kind: 'container',
    slot: slotOf(machine),
    slotPrice: toId('slotPrice', priceOf(machine)),
  });
  await database.updateTable('slot').set({ state: 'closed' }).where('id', '=', machine.machine_id).execute();
  const refused = await start(startBody(machine), usingQuote(quote));
  assert.deepEqual([refused.status, refused.body.details[0]?.reason], [400, 'QUOTE_OVER']);
  await until('it is lost', async () => (await find(quote)).state === 'lost');
  assert.deepEqual(await driftOf(database), []);
});
