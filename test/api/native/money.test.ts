// Money over Berth's own API: what an account sees of its own, what operators move, and that nobody sees more.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { Operator } from '../../operator/support.ts';
import { type Answer, callApi } from '../../support/berth.ts';
import { deployed, holdings, removed, untilStatus } from '../support.ts';
import { startWorld } from './world.ts';

interface Amounts {
  available: string;
  held: string;
}
interface Balance extends Amounts {
  account: string;
  spendPerEpoch: string;
  epochSeconds: number;
  lastsUntil: string | null;
}
interface Transaction {
  id: string;
  account: string;
  kind: string;
  instance: string | null;
  reason: string;
  actor: string;
  availableMoved: string;
  heldMoved: string;
  createdAt: string;
  entries: { book: string; account: string | null; host: string | null; amount: string }[];
}
interface Page {
  items: Transaction[];
  nextCursor: string | null;
}
interface Statement {
  from: string | null;
  opening: Amounts;
  closing: Amounts;
  lines: { instance: string | null; kind: string; count: number; availableMoved: string; heldMoved: string }[];
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const account = toId('account', world.accountId);

const call = <Body>(key: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  callApi<Body>(berth.url, key, method, `/berth/v1${path}`, body, headers);
const own = <Body>(path: string) => call<Body>(berth.apiKey, 'GET', path);
const asOperator = <Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  call<Body>(world.operator, method, path, body, headers);
const balance = async () => (await own<Balance>('/accounts/default/balance')).body;
const micro = (usd: string) => Math.round(Number(usd) * 1_000_000);
const codeOf = ({ status, body }: Answer<unknown>) => [status, (body as { code: string }).code];

test('a balance says what is there, what runs costs, and how long that lasts', async () => {
  const empty = await balance();
  assert.deepEqual([empty.available, empty.held, empty.spendPerEpoch, empty.lastsUntil], ['10000', '0', '0', null]);
  assert.deepEqual([empty.account, empty.epochSeconds], [account, 86_400]);
  await asOperator('POST', '/accounts/default/debits', { amount: '9990', reason: 'it would last for centuries' });
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  const running = await balance();
  assert.equal(running.held, running.spendPerEpoch);
  assert.equal(micro(running.available), micro('10') - 2 * micro(running.held));
  const epochs = Math.floor(micro(running.available) / micro(running.spendPerEpoch));
  const days = (Date.parse(running.lastsUntil ?? '') - Date.now()) / 86_400_000;
  assert.ok(Math.abs(days - epochs) <= 1.01, `${days} days for ${epochs} epochs`);
  await removed(berth, database, [id]);
  const gone = await balance();
  assert.deepEqual([gone.held, gone.spendPerEpoch, gone.lastsUntil], ['0', '0', null]);
});

test('what was charged is told day by day, and comes to what the statement has', async () => {
  interface Spend {
    days: { day: string; spent: string }[];
    total: string;
  }
  await deployed(berth);
  const { body: spend } = await own<Spend>('/accounts/default/spend');
  const { body: statement } = await own<Statement>('/accounts/default/statement');
  const charged = statement.lines
    .filter(({ kind }) => kind === 'charge' || kind === 'refund')
    .reduce((sum, line) => sum - micro(line.availableMoved) - micro(line.heldMoved), 0);
  assert.ok(charged > 0);
  assert.equal(micro(spend.total), charged);
  assert.equal(
    spend.days.reduce((sum, { spent }) => sum + micro(spent), 0),
    charged,
  );
  assert.ok(spend.days.every(({ day }) => /^\d{4}-\d\d-\d\d$/.test(day)));
  assert.deepEqual((await own<Spend>('/accounts/default/spend?from=2100-01-01&to=2100-02-01')).body.days, []);
  assert.deepEqual(codeOf(await own('/accounts/default/spend?from=soon')), [422, 'invalid_value']);
});

test('the statement’s lines are what lies between its two balances, and the CSV is the command’s', async () => {
  const [id = ''] = await deployed(berth);
  const { body } = await own<Statement>('/accounts/default/statement');
  const now = await balance();
  assert.deepEqual([body.from, body.opening], [null, { available: '0', held: '0' }]);
  assert.deepEqual(body.closing, { available: now.available, held: now.held });
  const moved = (part: 'availableMoved' | 'heldMoved') => body.lines.reduce((sum, line) => sum + micro(line[part]), 0);
  assert.deepEqual([moved('availableMoved'), moved('heldMoved')], [micro(now.available), micro(now.held)]);
  const itsLines = body.lines.filter(({ instance }) => instance === toId('instance', id));
  assert.deepEqual(
    itsLines.map(({ kind, count }) => [kind, count]),
    [
      ['charge', 1],
      ['deposit', 1],
    ],
  );
  const later = (await own<Statement>('/accounts/default/statement?from=2100-01-01&to=2100-02-01')).body;
  assert.deepEqual([later.lines, later.opening, later.closing], [[], body.closing, body.closing]);
  const before = (await own<Statement>('/accounts/default/statement?to=2020-01-01')).body;
  assert.deepEqual([before.lines, before.closing], [[], { available: '0', held: '0' }]);
  const csv = await fetch(`${berth.url}/berth/v1/accounts/default/statement`, {
    headers: { authorization: `Bearer ${berth.apiKey}`, accept: 'text/csv' },
  });
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
  const ofCommand = await new Operator(berth.directory).text('account', 'statement', 'default', '--csv');
  assert.equal(await csv.text(), ofCommand.replace(/\b0x(?=[0-9a-f]{40}\b)/g, 'ins_'));
  await removed(berth, database, [id]);
});

test('an operator credits and debits an account; who did it and why stands in the books', async () => {
  const before = await balance();
  const headers = { 'idempotency-key': randomUUID() };
  const body = { amount: '25.000001', reason: 'wire 117' };
  const credited = await asOperator<Transaction>('POST', `/accounts/${account}/credits`, body, headers);
  assert.equal(credited.status, 201, JSON.stringify(credited.body));
  assert.deepEqual(
    [credited.body.kind, credited.body.reason, credited.body.availableMoved, credited.body.heldMoved],
    ['credit', 'wire 117', '25.000001', '0'],
  );
  assert.match(credited.body.actor, /^user:/);
  assert.deepEqual(
    credited.body.entries.map(({ book, account: of, amount }) => [book, of, amount]),
    [
      ['cash', null, '-25.000001'],
      ['available', account, '25.000001'],
    ],
  );
  const again = await asOperator<Transaction>('POST', `/accounts/${account}/credits`, body, headers);
  assert.deepEqual([again.status, again.body.id], [201, credited.body.id]);
  const found = await callApi<Transaction>(berth.url, world.operator, 'GET', credited.headers.get('location') ?? '');
  assert.deepEqual(found.body, credited.body);
  assert.equal(micro((await balance()).available), micro(before.available) + 25_000_001);
  const debited = await asOperator<Transaction>('POST', '/accounts/default/debits', body);
  assert.deepEqual([debited.status, debited.body.availableMoved], [201, '-25.000001']);
  assert.equal((await balance()).available, before.available);
});

test('an amount that can’t be moved is refused, and nothing is left behind', async () => {
  const held = await holdings(database);
  const before = await balance();
  const credits = `/accounts/${account}/credits`;
  for (const amount of ['0', '-1', 'x', '0.0000001', '1e3', '']) {
    const answer = await asOperator<{ pointer: string }>('POST', credits, { amount, reason: 'x' });
    assert.deepEqual([...codeOf(answer), answer.body.pointer], [422, 'invalid_value', '#/amount'], amount);
  }
  const much = await asOperator('POST', credits, { amount: '1000000001', reason: 'x' });
  assert.deepEqual(codeOf(much), [422, 'invalid_value']);
  const why = await asOperator<{ pointer: string }>('POST', credits, { amount: '1', reason: '  ' });
  assert.deepEqual([...codeOf(why), why.body.pointer], [422, 'invalid_value', '#/reason']);
  for (const reason of ['a\0b', 'half \ud800 of it']) {
    const { status } = await asOperator('POST', credits, { amount: '1', reason });
    assert.ok([400, 422].includes(status), `${status}`);
  }
  assert.deepEqual(codeOf(await asOperator('POST', credits, { amount: '1' })), [400, 'malformed']);
  const short = await asOperator('POST', `/accounts/${account}/debits`, { amount: '999999', reason: 'x' });
  assert.deepEqual(codeOf(short), [402, 'insufficient_balance']);
  assert.deepEqual(codeOf(await asOperator('POST', '/accounts/nobody/credits', { amount: '1', reason: 'x' })), [
    404,
    'not_found',
  ]);
  const dry = await asOperator('POST', `${credits}?dryRun=true`, { amount: '1', reason: 'x' });
  assert.equal(dry.status, 201);
  assert.deepEqual(await balance(), before);
  assert.deepEqual(await holdings(database), held);
});

test('transactions come in pages, the newest first, narrowed by what they are of', async () => {
  for (let count = 0; count < 5; count += 1) {
    await asOperator('POST', `/accounts/${account}/credits`, { amount: '1', reason: `page ${count}` });
  }
  const all = (await own<Page>('/accounts/default/transactions?limit=200')).body.items;
  assert.equal(all[0]?.reason, 'page 4');
  const seen: Transaction[] = [];
  let path: string | null = '/accounts/default/transactions?limit=2';
  while (path !== null) {
    const { body }: Answer<Page> = await own<Page>(path);
    seen.push(...body.items);
    path = body.nextCursor === null ? null : `/accounts/default/transactions?limit=2&cursor=${body.nextCursor}`;
  }
  assert.deepEqual(seen, all);
  const credits = (await own<Page>('/accounts/default/transactions?limit=200&kind=credit')).body.items;
  assert.deepEqual(
    credits,
    all.filter(({ kind }) => kind === 'credit'),
  );
  const instance = all.find((one) => one.instance !== null)?.instance;
  const ofOne = (await own<Page>(`/accounts/default/transactions?limit=200&instance=${instance}`)).body.items;
  assert.deepEqual(
    ofOne,
    all.filter((one) => one.instance === instance),
  );
  assert.deepEqual((await own<Page>('/accounts/default/transactions?to=2020-01-01')).body.items, []);
  for (const query of ['instance=17', 'from=soon', 'from=2026-02-30', 'from=2027-01-01&to=2026-01-01', 'cursor=x']) {
    assert.deepEqual(codeOf(await own(`/accounts/default/transactions?${query}`)), [422, 'invalid_value'], query);
  }
  for (const after of [
    ['x', 'y'],
    ['+012345-01-01T00:00:00.000Z', randomUUID()],
    ['2026-01-01T00:00:00.000Z', 'y'],
  ]) {
    const cursor = Buffer.from(JSON.stringify(after)).toString('base64url');
    assert.deepEqual(codeOf(await own(`/accounts/default/transactions?cursor=${cursor}`)), [422, 'invalid_value']);
  }
  assert.deepEqual(codeOf(await own('/accounts/default/transactions?kind=theft')), [400, 'malformed']);
});

test('the ledger shows every account’s transactions, whose entries sum to zero', async () => {
  const stranger = await world.addStranger();
  const other = toId('account', stranger.accountId);
  await asOperator('POST', `/accounts/${other}/credits`, { amount: '3', reason: 'theirs' });
  const { items } = (await asOperator<Page>('GET', '/ledger?limit=200')).body;
  assert.deepEqual(new Set(items.map((one) => one.account)), new Set([account, other]));
  for (const { entries } of items)
    assert.equal(
      entries.reduce((sum, { amount }) => sum + micro(amount), 0),
      0,
    );
  const theirs = (await asOperator<Page>('GET', `/ledger?account=${other}`)).body.items;
  assert.deepEqual(
    theirs.map(({ reason }) => reason),
    ['theirs'],
  );
  const host = items.flatMap(({ entries }) => entries).find((entry) => entry.host !== null)?.host;
  const ofHost = (await asOperator<Page>('GET', `/ledger?host=${host}&limit=200`)).body.items;
  assert.ok(ofHost.length > 0 && ofHost.every(({ kind }) => kind === 'charge'));
  for (const path of ['/ledger?host=x', '/ledger?cursor=x']) {
    assert.deepEqual(codeOf(await asOperator('GET', path)), [422, 'invalid_value'], path);
  }
  for (const path of ['/ledger?account=nobody', `/ledger/${toId('transaction', randomUUID())}`, '/ledger/17']) {
    assert.deepEqual(codeOf(await asOperator('GET', path)), [404, 'not_found'], path);
  }
});

test('revenue is the same whatever it is summed up by', async () => {
  const totals: string[] = [];
  for (const by of ['host', 'datacenter', 'account']) {
    const { body } = await asOperator<{
      items: { id: string | null; name: string | null; revenue: string }[];
      total: string;
    }>('GET', `/revenue?by=${by}`);
    assert.equal(
      body.items.reduce((sum, { revenue }) => sum + micro(revenue), 0),
      micro(body.total),
    );
    totals.push(body.total);
  }
  assert.equal(new Set(totals).size, 1);
  assert.ok(Number(totals[0]) > 0);
  const none = await asOperator<{ items: object[]; total: string }>('GET', '/revenue?to=2020-01-01');
  assert.deepEqual([none.body.items, none.body.total], [[], '0']);
  assert.deepEqual(codeOf(await asOperator('GET', '/revenue?by=colour')), [400, 'malformed']);
});

test('nobody sees another’s money, and who may do no more than use a VM sees none', async () => {
  const stranger = await world.addStranger();
  for (const path of ['balance', 'spend', 'statement', 'transactions']) {
    assert.deepEqual(codeOf(await call(stranger.key, 'GET', `/accounts/${account}/${path}`)), [404, 'not_found']);
    assert.equal(
      (await call(stranger.key, 'GET', `/accounts/${toId('account', stranger.accountId)}/${path}`)).status,
      200,
    );
  }
  for (const [method, path, body] of [
    ['GET', '/ledger', undefined],
    ['GET', '/revenue', undefined],
    ['POST', `/accounts/${account}/credits`, { amount: '1', reason: 'x' }],
    ['POST', `/accounts/${account}/debits`, { amount: '1', reason: 'x' }],
  ] as const) {
    assert.deepEqual(codeOf(await call(berth.apiKey, method, path, body)), [403, 'forbidden'], path);
  }
});
