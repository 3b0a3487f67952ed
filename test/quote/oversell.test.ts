// Random quotes, uses, deployments, deletions and time, on a real database beside a model in memory: what a host has is never sold twice,
// what is held is there when it is asked for, and what is over holds nothing, also while no reconciler runs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { Principal } from '../../src/app/authenticate.ts';
import type { Context } from '../../src/app/context.ts';
import { deploy } from '../../src/app/deployment.ts';
import { addPool, setHostState } from '../../src/app/host-terms.ts';
import { quoteVms, releaseQuote } from '../../src/app/quote.ts';
import { noConstraints } from '../../src/model/constraints.ts';
import { BerthError, type ErrorCode } from '../../src/model/errors.ts';
import { reconcileQuotes } from '../../src/reconcilers/quote.ts';
import { SeededEntropy } from '../../src/sim/chance.ts';
import { inTransaction } from '../../src/store/database.ts';
import { ensureHost } from '../../src/store/host-terms.ts';
import { keys } from '../api/support.ts';
import { MoneyWorld } from '../money/world.ts';

/** All that the host sells. */
const vcpusLimit = 10;
const steps = 150;
const rounds = 25;
const slugs = { 1: 'cpu-1-ram-1gb-storage-5gb', 2: 'cpu-2-ram-4gb-storage-25gb' } as const;
type Vcpus = keyof typeof slugs;

const placeFields = { additionalStorage: 'a', storage: 's', countries: 'c', datacenters: 'd' };
const quoteFields = {
  ...placeFields,
  ...{ instances: 'i', configuration: 'f', vcpus: 'v', disks: 'k', validSeconds: 'w' },
};
const deployFields = {
  ...placeFields,
  ...{ instances: 'i', name: 'n', hostname: 'h', imageUrl: 'u', sshKeys: 'k', portRules: 'p' },
};

let world: MoneyWorld;
let accounts: Principal[];
before(async () => {
  world = await MoneyWorld.start();
  accounts = await Promise.all([1, 2, 3].map(() => world.account(1_000_000_000_000n)));
});
after(() => world.end());
beforeEach(async () => {
  for (const principal of accounts) {
    const left = (await world.list(principal)).map(({ id }) => id);
    if (left.length > 0) await world.delete(principal, left);
  }
  // Whatever is left of the quotes of another test.
  world.now = new Date(world.now.getTime() + 3_600_000);
  await reconcileQuotes(world.context);
  await sql`update host set vcpus_limit = ${vcpusLimit}, vcpu_overcommit = ${vcpusLimit / 1000}`.execute(
    world.database,
  );
});

interface ModelQuote {
  id: string;
  account: Principal;
  vcpus: Vcpus;
  count: number;
  expiresAt: Date;
  isOver: boolean;
}

const atOf = (principal: Principal) => ({
  account: { id: principal.accountId, name: principal.accountName, number: 0n },
  principal,
});

function ask(context: Context, principal: Principal, vcpus: Vcpus, count: number, validSeconds: number) {
  const constraints = { ...noConstraints, configuration: slugs[vcpus] };
  return quoteVms(context, atOf(principal), { count, size: null, constraints, validSeconds }, quoteFields);
}

/** @returns the ids of what was made */
async function make(context: Context, principal: Principal, vcpus: Vcpus, instances: number, quoteId?: string) {
  const request = {
    constraints: { ...noConstraints, configuration: slugs[vcpus] },
    ...{ instances, name: `vm-${randomUUID().slice(0, 8)}`, hostname: null, imageUrl: 'https://images.example/a.img' },
    ...{ sshKeys: [keys.ed25519], portRules: [] },
    quote: quoteId === undefined ? undefined : { id: quoteId, shown: quoteId },
  };
  return (await deploy(context, principal, request, deployFields)).map(({ id }) => id);
}

/** What came of something: its result, or the code of its refusal. */
async function outcomeOf<Result>(work: Promise<Result>): Promise<Result | ErrorCode> {
  return work.catch((error: unknown) => {
    if (error instanceof BerthError) return error.code;
    throw error;
  });
}

/** What is sold of the host by its row, by its instances, and by what is held. */
async function sold(): Promise<{ used: number; taken: number }> {
  const { rows } = await sql<{ used: number; taken: number }>`
    select vcpus_used as used, (select coalesce(sum(vcpus), 0)::int from assignment)
      + (select coalesce(sum(count * vcpus), 0)::int from quote_hold where held) as taken from host`.execute(
    world.database,
  );
  return rows[0] ?? { used: -1, taken: -1 };
}

async function assertAgrees(seed: string): Promise<void> {
  const { used, taken } = await sold();
  assert.equal(used, taken, seed);
  assert.ok(used <= vcpusLimit, `${seed}: ${used} of ${vcpusLimit} are sold`);
  assert.deepEqual(await world.drift(), [], seed);
}

for (const seed of [1, 2, 3, 4]) {
  test(`one after the other, everything comes out as the model says (seed ${seed})`, async () => {
    const chance = new SeededEntropy(seed);
    const below = (count: number) => Math.floor(chance.fraction() * count);
    const pick = <Item>(items: readonly Item[]): Item | undefined => items[below(items.length)];
    const instances = new Map<string, { account: Principal; vcpus: number }>();
    const quotes: ModelQuote[] = [];
    const isOpen = (quote: ModelQuote) => !quote.isOver && quote.expiresAt > world.now;
    const free = () =>
      vcpusLimit -
      [...instances.values()].reduce((sum, { vcpus }) => sum + vcpus, 0) -
      quotes.filter(isOpen).reduce((sum, { vcpus, count }) => sum + vcpus * count, 0);

    for (let step = 0; step < steps; step += 1) {
      const at = `seed ${seed}, step ${step}`;
      const context = world.replicas[below(2)] as Context;
      const account = accounts[below(3)] as Principal;
      const vcpus: Vcpus = below(2) === 0 ? 1 : 2;
      const count = 1 + below(4);
      const roll = chance.fraction();
      if (roll < 0.3) {
        const seconds = 1 + below(900);
        const came = await outcomeOf(ask(context, account, vcpus, count, seconds));
        assert.equal(typeof came !== 'string', free() >= vcpus * count, `${at}: ${String(came)}, ${free()} free`);
        if (typeof came === 'string') continue;
        const expiresAt = new Date(world.now.getTime() + seconds * 1000);
        assert.deepEqual(came.expiresAt, expiresAt);
        quotes.push({ id: came.id, account, vcpus, count, expiresAt, isOver: false });
      } else if (roll < 0.55) {
        const quote = pick(quotes);
        if (!quote) continue;
        const by = below(8) === 0 ? account : quote.account;
        const fits = by === quote.account && isOpen(quote) && vcpus * count <= quote.vcpus * quote.count;
        // What a place holds of one size may be more than another size needs of memory, or less.
        const isSame = vcpus === quote.vcpus && count <= quote.count;
        const came = await outcomeOf(make(context, by, vcpus, count, quote.id));
        const isMade = typeof came !== 'string';
        if (isMade) assert.ok(fits, `${at}: was made of a quote that does not hold it`);
        else if (by !== quote.account) assert.equal(came, 'not_found', at);
        else if (!isOpen(quote)) assert.equal(came, 'quote_over', at);
        else assert.ok(came === 'quote_too_small' && !isSame, `${at}: ${String(came)}`);
        if (!isMade) continue;
        quote.isOver = true;
        for (const id of came) instances.set(id, { account: by, vcpus });
      } else if (roll < 0.7) {
        const came = await outcomeOf(make(context, account, vcpus, count));
        assert.equal(typeof came !== 'string', free() >= vcpus * count, `${at}: ${String(came)}, ${free()} free`);
        if (typeof came !== 'string') for (const id of came) instances.set(id, { account, vcpus });
      } else if (roll < 0.8) {
        const [id, instance] = pick([...instances]) ?? [];
        if (!id || !instance) continue;
        await world.delete(instance.account, [id]);
        instances.delete(id);
      } else if (roll < 0.87) {
        const quote = pick(quotes);
        if (!quote) continue;
        const came = await outcomeOf(releaseQuote(context, atOf(quote.account), { id: quote.id, shown: quote.id }));
        assert.equal(typeof came !== 'string', isOpen(quote), at);
        quote.isOver = true;
      } else if (roll < 0.95) world.now = new Date(world.now.getTime() + below(400) * 1000);
      else if (roll < 0.98) await reconcileQuotes(context);
      else {
        const { name } = await world.database.selectFrom('host').select('name').executeTakeFirstOrThrow();
        await setHostState(context, name, 'drained');
        await reconcileQuotes(context);
        for (const quote of quotes) quote.isOver = true;
        assert.equal(
          (await sold()).taken,
          [...instances.values()].reduce((sum, one) => sum + one.vcpus, 0),
          at,
        );
        await setHostState(context, name, 'open');
      }
      await assertAgrees(at);
    }
    assert.ok(quotes.some(({ isOver }) => isOver));
  });
}

test('all at once and on two servers, nothing is sold twice and no quote is used twice', async () => {
  const chance = new SeededEntropy(7);
  const below = (count: number) => Math.floor(chance.fraction() * count);
  const made: string[] = [];
  const open: { id: string; account: Principal }[] = [];
  let uses = 0;
  for (let round = 0; round < rounds; round += 1) {
    const jobs = Array.from({ length: 8 }, async (_, index) => {
      const context = world.replicas[index % 2] as Context;
      const account = accounts[below(3)] as Principal;
      const roll = chance.fraction();
      const quote = open[below(open.length)];
      if (roll < 0.35) {
        const came = await outcomeOf(ask(context, account, 1, 1 + below(3), 1 + below(60)));
        if (typeof came !== 'string') open.push({ id: came.id, account });
      } else if (roll < 0.75 && quote) {
        const came = await outcomeOf(make(context, quote.account, 1, 1, quote.id));
        if (typeof came === 'string') return;
        uses += 1;
        made.push(...came);
      } else if (roll < 0.9) {
        const came = await outcomeOf(make(context, account, 1, 1));
        if (typeof came !== 'string') made.push(...came);
      } else await reconcileQuotes(context);
    });
    await Promise.all(jobs);
    if (below(3) === 0) world.now = new Date(world.now.getTime() + 30_000);
    await assertAgrees(`round ${round}`);
    const id = made[0];
    if (id !== undefined && below(2) === 0) {
      for (const principal of accounts) {
        const own = (await world.list(principal)).map((one) => one.id).slice(0, 4);
        if (own.length > 0) await world.delete(principal, own);
      }
    }
  }
  const used = await world.database.selectFrom('quote').where('state', '=', 'used').select('deployment_id').execute();
  assert.ok(uses > 0);
  // Those of the other tests are among them.
  assert.equal(new Set(used.map(({ deployment_id: id }) => id)).size, used.length);
});

test('a quote over several hosts is used on all of them, and each gets back what is not taken', async () => {
  const { context, database } = world;
  const first = await database.selectFrom('host').select('price_id').executeTakeFirstOrThrow();
  await sql`update host set vcpus_limit = vcpus_used, vcpu_overcommit = 0.01`.execute(database);
  for (const [index, name] of ['one', 'two', 'three'].entries()) {
    const row = { id: randomUUID(), name, priceId: first.price_id, overcommit: { cpu: 1, memory: 1, disk: 1 } };
    await inTransaction(database, (tx) => ensureHost(tx, { ...row, now: world.now }));
    await addPool(context, name, `127.5${index}.0.0/24`, 'cidr');
    await sql`update host set reachable = true, vcpus_limit = 2, memory_mib_limit = 8192, disk_gib_limit = 50
      where name = ${name}`.execute(database);
  }
  const [account] = accounts as [Principal];
  const quote = await ask(context, account, 1, 5, 900);
  assert.equal(quote.holds.length, 3);
  assert.equal(
    quote.holds.reduce((sum, { count }) => sum + count, 0),
    5,
  );
  assert.equal(await outcomeOf(make(context, account, 1, 2)), 'not_enough_offers');
  assert.equal(await outcomeOf(make(context, account, 1, 6, quote.id)), 'quote_too_small');
  assert.equal((await make(context, account, 1, 4, quote.id)).length, 4);
  assert.equal((await make(context, account, 1, 2)).length, 2);
  assert.equal(await outcomeOf(make(context, account, 1, 1)), 'no_suitable_offer');
  const used = await database.selectFrom('host').where('name', '<>', 'host').select('vcpus_used').execute();
  assert.deepEqual(
    used.map(({ vcpus_used: count }) => count),
    [2, 2, 2],
  );
  assert.deepEqual(await world.drift(), []);
  // One that is lost on one of its hosts is lost as a whole.
  await sql`update host set vcpus_limit = 4 where name in ('one', 'two')`.execute(database);
  const next = await ask(context, account, 1, 4, 900);
  await setHostState(context, 'two', 'drained');
  assert.equal(await outcomeOf(make(context, account, 1, 1, next.id)), 'quote_over');
  await reconcileQuotes(context);
  assert.equal((await ask(context, account, 1, 2, 900)).holds.length, 1);
  assert.deepEqual(await world.drift(), []);
});
