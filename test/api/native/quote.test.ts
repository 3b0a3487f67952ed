// Quotes on a whole Berth: the room that they hold is nobody else's, the price stays what it was, each is used once, from every API,
// and what is refused leaves nothing behind.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { parseId, toId } from '../../../src/api/native/id.ts';
import { callApi, startTestBerth, until } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { credit, deployBody, driftOf, holdings, imageUrl, openStore, removed } from '../support.ts';

const base = '/berth/v1';
const slug = 'cpu-2-ram-4gb-storage-25gb';
/** A host that has room for four of {@link slug}. */
const capacity = { cores: 20, memoryMib: 80 * 1024, diskGib: 100 };

interface Quote {
  id: string;
  state: string;
  reason: string | null;
  count: number;
  price: string;
  total: string;
  needed: string;
  unit: string;
  expiresAt: string;
  closedAt: string | null;
  deployment: string | null;
  placements: { count: number; price: string; slot: string | null; slotPrice: string | null }[];
}
interface Problem {
  code: string;
  detail: string;
  pointer?: string;
}

const berth = await startTestBerth({ agent: { capacity } });
const database = await openStore(berth);
const user = await addUser(berth, 'default');
await grant(berth, user.username, 'cluster_admin');
const operator = await tokenOf(berth, user);
after(async () => {
  await database.destroy();
  await berth.close();
});

const asOperator = <Body>(method: string, path: string, body?: unknown) =>
  callApi<Body>(berth.url, operator, method, base + path, body);
const ask = (body: object, headers?: Record<string, string>, key?: string) =>
  callApi<Quote & Problem>(berth.url, key ?? berth.apiKey, 'POST', `${base}/quotes`, body, headers);
const find = async (id: string) => (await berth.call<Quote>('GET', `${base}/quotes/${id}`)).body;
const release = (id: string) => berth.call<Quote & Problem>('DELETE', `${base}/quotes/${id}`);

async function quoted(body: object): Promise<Quote> {
  const answer = await ask(body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

/** How many of {@link slug} can be had now. */
async function available(): Promise<number> {
  const { body } = await berth.call<{ items: { configuration: { slug: string }; available: number }[] }>(
    'GET',
    `${base}/capacity`,
  );
  return body.items.find(({ configuration }) => configuration.slug === slug)?.available ?? 0;
}

const microOf = (amount: string) => BigInt(Math.round(Number(amount) * 1e6));
const vmOf = (body: object = {}) => ({ name: `q-${randomUUID().slice(0, 8)}`, image: imageUrl, ...body });
const make = (body: object, headers?: Record<string, string>, key?: string) =>
  callApi<{ id: string; deployment: string; pricePerEpoch: string } & Problem>(
    berth.url,
    key ?? berth.apiKey,
    'POST',
    `${base}/instances`,
    body,
    headers,
  );
const remove = (ids: readonly string[]) =>
  removed(
    berth,
    database,
    ids.map((id) => parseId('instance', id) ?? id),
  );

type Refusal = Promise<{ status: number; body: Problem }>;

async function refusedOf(work: Refusal, status: number, code: string, words = '') {
  const { status: given, body } = await work;
  assert.equal(given, status, JSON.stringify(body));
  assert.equal(body.code, code);
  assert.ok(body.detail.includes(words), body.detail);
}

/** The same of what leaves nothing behind; of a quote that is over, the reconciler may do something meanwhile. */
async function refused(work: Refusal, status: number, code: string, words = '') {
  const held = await holdings(database);
  await refusedOf(work, status, code, words);
  assert.deepEqual(await holdings(database), held);
}

const kindsOf = async (id: string) => {
  const quoteId = parseId('quote', id) ?? '';
  const rows = await database
    .selectFrom('event')
    .where('kind', 'like', 'quote.%')
    .select(['kind', 'data'])
    .orderBy('id')
    .execute();
  return rows.filter(({ data }) => data?.quoteId === quoteId).map(({ kind }) => kind);
};

test('what a quote holds is nobody else’s until it is let go', async () => {
  assert.equal(await available(), 4);
  const quote = await quoted({ configuration: slug, count: 3 });
  assert.equal(quote.state, 'open');
  assert.equal(
    quote.placements.reduce((sum, { count }) => sum + count, 0),
    3,
  );
  assert.equal(microOf(quote.total), 3n * microOf(quote.price));
  assert.equal(new Date(quote.expiresAt).getTime() > Date.now(), true);
  assert.equal(await available(), 1);
  await refused(ask({ configuration: slug, count: 2 }), 422, 'not_enough_offers');
  const told = await database.selectFrom('event').where('kind', '=', 'offer.not_found').select('id').execute();
  assert.equal(told.length, 1);
  const other = await berth.call(
    'POST',
    '/vms/v3',
    deployBody({}, { constraints: { basicConfiguration: slug }, instances: 2 }),
  );
  assert.equal(other.status, 422);
  assert.deepEqual(await driftOf(database), []);
  const gone = await release(quote.id);
  assert.equal(gone.body.state, 'released');
  assert.equal(await available(), 4);
  await refused(release(quote.id), 409, 'quote_over', 'let go');
  assert.deepEqual(await kindsOf(quote.id), ['quote.created', 'quote.released']);
});

test('a quote is used once, and what is not taken of it is everybody’s', async () => {
  const quote = await quoted({ configuration: slug, count: 4 });
  await refused(make(vmOf({ configuration: slug })), 422, 'no_suitable_offer');
  const made = await make(vmOf({ configuration: slug, quote: quote.id }));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.pricePerEpoch, quote.price);
  const used = await find(quote.id);
  assert.equal(used.state, 'used');
  assert.equal(used.deployment, made.body.deployment);
  assert.equal(await available(), 3);
  await refused(make(vmOf({ configuration: slug, quote: quote.id })), 409, 'quote_over', 'used');
  await refused(release(quote.id), 409, 'quote_over', 'used');
  assert.deepEqual(await kindsOf(quote.id), ['quote.created', 'quote.used']);
  assert.deepEqual(await driftOf(database), []);
  await remove([made.body.id]);
});

test('a request that names no size gets the configuration that its quote is for', async () => {
  const quote = await quoted({ configuration: slug });
  const { body } = await make(vmOf({ quote: quote.id }));
  assert.equal(body.pricePerEpoch, quote.price);
  await remove([body.id]);
});

test('the price of the quote is charged, whatever the host costs by then', async () => {
  const [host] = await database.selectFrom('host').selectAll().execute();
  assert.ok(host);
  const quote = await quoted({ vcpus: 2, memoryMib: 4096, diskGib: 25 });
  const dear = await asOperator<{ id: string }>('POST', '/prices', {
    vcpu: '9',
    memoryGib: '9',
    storageGib: '9',
    publicIp: '9',
  });
  const path = `/hosts/${toId('host', host.id)}`;
  assert.equal((await asOperator('PATCH', path, { price: dear.body.id })).status, 200);
  const made = await make(vmOf({ vcpus: 2, memoryMib: 4096, diskGib: 25, quote: quote.id }));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.pricePerEpoch, quote.price);
  const id = parseId('instance', made.body.id) ?? '';
  const bill = await database.selectFrom('bill').where('instance_id', '=', id).selectAll().executeTakeFirstOrThrow();
  assert.equal(bill.price_micro_usd, microOf(quote.price));
  assert.deepEqual(await driftOf(database), []);
  await asOperator('PATCH', path, { price: toId('price', host.price_id) });
  await remove([made.body.id]);
});

test('what does not fit into a quote is refused, and the quote stays open', async () => {
  const quote = await quoted({ configuration: slug });
  const { id } = quote;
  await refused(
    make(vmOf({ configuration: 'cpu-4-ram-8gb-storage-25gb', quote: id })),
    422,
    'quote_too_small',
    'holds',
  );
  await refused(
    make(vmOf({ configuration: slug, quote: id, constraints: { countries: ['PL'] } })),
    422,
    'quote_too_small',
  );
  await refused(
    make(vmOf({ configuration: slug, quote: id, constraints: { maxPricePerEpoch: '0.000001' } })),
    422,
    'quote_too_small',
  );
  const several = berth.call<Problem>(
    'POST',
    `${base}/deployments`,
    vmOf({ configuration: slug, count: 2, quote: id }),
  );
  await refused(several, 422, 'quote_too_small');
  await refused(make({ kind: 'container', image: 'nginx', quote: id }), 422, 'quote_too_small');
  assert.equal((await find(id)).state, 'open');
  await release(id);
});

test('an expired quote holds nothing and can’t be used', async () => {
  const quote = await quoted({ configuration: slug, count: 4, validSeconds: 1 });
  await until('its time is over', async () => new Date(quote.expiresAt).getTime() < Date.now());
  await refusedOf(make(vmOf({ configuration: slug, quote: quote.id })), 409, 'quote_over', quote.expiresAt);
  // Whether or not the reconciler was there.
  const { body } = await make(vmOf({ configuration: slug }));
  assert.ok(body.id, JSON.stringify(body));
  const found = await find(quote.id);
  assert.equal(found.state, 'expired');
  await until('it is noted', async () => (await kindsOf(quote.id)).length === 2);
  assert.deepEqual(await kindsOf(quote.id), ['quote.created', 'quote.expired']);
  const list = await berth.call<{ items: Quote[] }>('GET', `${base}/quotes?state=expired`);
  assert.ok(list.body.items.some(({ id }) => id === quote.id));
  await remove([body.id]);
});

test('a quote is lost when its host is drained, and says why', async () => {
  const [host] = await database.selectFrom('host').select('id').execute();
  const path = `/hosts/${toId('host', host?.id ?? '')}`;
  const quote = await quoted({ configuration: slug });
  assert.equal((await asOperator('POST', `${path}/drain`)).status, 200);
  await refusedOf(make(vmOf({ configuration: slug, quote: quote.id })), 409, 'quote_over', 'lost');
  await until('it is lost', async () => (await find(quote.id)).state === 'lost');
  assert.match((await find(quote.id)).reason ?? '', /takes no more instances/);
  assert.deepEqual(await kindsOf(quote.id), ['quote.created', 'quote.lost']);
  assert.equal((await asOperator('POST', `${path}/undrain`)).status, 200);
  assert.deepEqual(await driftOf(database), []);
});

test('another account’s quote is not there', async () => {
  const quote = await quoted({ configuration: slug });
  const { key } = await stranger(1_000_000_000n);
  await refused(make(vmOf({ configuration: slug, quote: quote.id }), {}, key), 404, 'not_found', quote.id);
  const other = await callApi<Problem>(berth.url, key, 'GET', `${base}/quotes/${quote.id}`);
  assert.equal(other.status, 404);
  const gone = await callApi<Problem>(berth.url, key, 'DELETE', `${base}/quotes/${quote.id}`);
  assert.equal(gone.status, 404);
  assert.equal((await find(quote.id)).state, 'open');
  await release(quote.id);
});

test('who could not pay for it gets no quote, also not beside the others that he has', async () => {
  const probe = await quoted({ configuration: slug });
  await release(probe.id);
  const micro = microOf(probe.needed);
  const { key } = await stranger(0n);
  await refused(ask({ configuration: slug }, {}, key), 402, 'insufficient_balance');
  const rich = await stranger(2n * micro - 1n);
  const first = await ask({ configuration: slug }, {}, rich.key);
  assert.equal(first.status, 201);
  await refused(ask({ configuration: slug }, {}, rich.key), 402, 'insufficient_balance', 'beside 1 other');
  await callApi(berth.url, rich.key, 'DELETE', `${base}/quotes/${first.body.id}`);
  assert.equal((await ask({ configuration: slug }, {}, rich.key)).status, 201);
});

test('fields that are wrong are named', async () => {
  const sent = (body: object) => ask(body);
  const wrong: [object, string, string][] = [
    [{ configuration: slug, validSeconds: 3601 }, 'invalid_value', '#/validSeconds'],
    [{ configuration: slug, validSeconds: 0 }, 'invalid_value', '#/validSeconds'],
    [{ configuration: slug, count: 11 }, 'invalid_value', '#/count'],
    [{ configuration: 'cpu-3-ram-1gb-storage-1gb' }, 'invalid_value', '#/configuration'],
    [{ vcpus: 2, memoryMib: 4096 }, 'invalid_value', '#/diskGib'],
    [{ vcpus: 2, memoryMib: 1000, diskGib: 1 }, 'invalid_value', '#/memoryMib'],
    [{ vcpus: 2, memoryMib: 4096, diskGib: 5, configuration: slug }, 'invalid_value', '#/vcpus'],
    [{ configuration: slug, slot: toId('slot', randomUUID()) }, 'unsupported', '#/slot'],
    [{ kind: 'container' }, 'invalid_value', '#/slot'],
    [{ kind: 'container', slot: toId('slot', randomUUID()), count: 1 }, 'unsupported', '#/count'],
  ];
  const held = await holdings(database);
  for (const [body, code, pointer] of wrong) {
    const answer = await sent(body);
    assert.deepEqual(
      [answer.status, answer.body.code, answer.body.pointer],
      [422, code, pointer],
      JSON.stringify(answer.body),
    );
  }
  const unknown = await ask({ kind: 'container', slot: toId('slot', randomUUID()) });
  assert.deepEqual([unknown.status, unknown.body.pointer], [404, '#/slot']);
  const noQuote = await make(vmOf({ configuration: slug, quote: toId('quote', randomUUID()) }));
  assert.deepEqual([noQuote.status, noQuote.body.pointer], [404, '#/quote']);
  assert.deepEqual(await holdings(database), held);
});

test('an estimate with a quote tells what making it costs with it, and leaves it open', async () => {
  const quote = await quoted({ count: 2, configuration: slug });
  const body = vmOf({ quote: quote.id });
  type Told = { price: string; total: string; needed: string; configuration: string };
  const estimate = (given: object) => berth.call<Told & Problem>('POST', `${base}/estimates`, given);
  // A price that changes meanwhile is no matter of the quote.
  const held = await holdings(database);
  const { status, body: told } = await estimate({ ...body, count: 2 });
  assert.equal(status, 200, JSON.stringify(told));
  assert.deepEqual(
    [told.price, told.total, told.needed, told.configuration],
    [quote.price, quote.total, quote.needed, slug],
  );
  await refused(estimate({ ...body, configuration: slug, count: 3 }), 422, 'quote_too_small', 'does not fit');
  await refused(estimate({ ...body, configuration: 'cpu-8-ram-16gb-storage-25gb' }), 422, 'quote_too_small');
  const nobodys = `quo_${'0'.repeat(32)}`;
  await refused(estimate({ ...body, quote: nobodys }), 404, 'not_found', nobodys);
  assert.deepEqual(await holdings(database), held);
  assert.equal((await find(quote.id)).state, 'open');
  const { body: made } = await make(body);
  assert.equal(made.pricePerEpoch, quote.price);
  await refusedOf(estimate(body), 409, 'quote_over', 'used');
  await remove([made.id]);
});

test('an account has only so many open quotes, and holds room for only so many instances', async () => {
  const tiny = { vcpus: 1, memoryMib: 1024, diskGib: 1 };
  const ids: string[] = [];
  for (let number = 0; number < 20; number += 1) ids.push((await quoted(tiny)).id);
  await refused(ask(tiny), 409, 'wrong_state', '20 open quotes');
  for (const id of ids) await release(id);
  for (let number = 0; number < 6; number += 1) await quoted({ ...tiny, count: 10 });
  await refused(ask({ ...tiny, count: 5 }), 409, 'wrong_state', 'for 60 instances, and may for 64');
  await quoted({ ...tiny, count: 4 });
  assert.deepEqual(await driftOf(database), []);
});

async function stranger(amount: bigint): Promise<{ key: string }> {
  const name = `a-${randomUUID().slice(0, 8)}`;
  const account = await asOperator<{ id: string }>('POST', '/accounts', { name });
  assert.equal(account.status, 201, JSON.stringify(account.body));
  const key = await asOperator<{ secret: string }>('POST', '/api-keys', { account: account.body.id, name: 'test' });
  assert.equal(key.status, 201, JSON.stringify(key.body));
  if (amount > 0n) await credit(database, parseId('account', account.body.id) ?? '', amount);
  return { key: key.body.secret };
}
