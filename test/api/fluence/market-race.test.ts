// Many customers at once, over two servers on one database, for fewer places than they want: exactly as many get one as
// there are, and everybody else is told so in the contract's words. And what a refusal suggests is held to its word.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { readSettings } from '../../../src/app/settings.ts';
import { parseListenAddress } from '../../../src/compose/listen.ts';
import { ensureSecretKey } from '../../../src/compose/secret-key.ts';
import { type RunningServer, startServer } from '../../../src/compose/server.ts';
import { systemEntropy } from '../../../src/compose/system.ts';
import type { Database } from '../../../src/store/database.ts';
import { findPlace } from '../../../src/store/embedded/place.ts';
import { type Answer, callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { type Deployed, deployBody, holdings, type Vm } from '../support.ts';
import { addDatacenter, addHost, epyc, openMarket, xeon } from './market.ts';

const clients = 200;
const places = 10;
const none = { error: 'No suitable offer found' };
const few = { error: 'Not enough offers found' };
const smallest = 'cpu-1-ram-1gb-storage-5gb';

let berth: TestBerth;
let database: Database;
let second: RunningServer;
before(async () => {
  berth = await startTestBerth();
  database = await openMarket(berth);
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  second = await startServer(
    {
      connectionString,
      listen: parseListenAddress('127.0.0.1:0'),
      settings: await readSettings(''),
      imageDirectory: join(berth.directory, 'images-of-second'),
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
      allowedImageHosts: [],
      allowedCallbackHosts: [],
      logger: pino({ level: 'silent' }),
    },
    async () => {},
  );
});
after(async () => {
  await second.close();
  await database.destroy();
  await berth.close();
});
beforeEach(async () => {
  await database.updateTable('host').set({ state: 'drained' }).execute();
});

/** Deploys so many times at once, in turns over both servers. */
function deployAtOnce(times: number, instances: number): Promise<Answer<Deployed>[]> {
  return Promise.all(
    Array.from({ length: times }, (_, index) => {
      const url = index % 2 ? second.url : berth.url;
      const body = deployBody({}, { instances, constraints: { basicConfiguration: smallest } });
      return callApi<Deployed>(url, berth.apiKey, 'POST', '/vms/v3', body);
    }),
  );
}

/** Hosts that have room for exactly so many of the smallest configuration. @returns their ids */
async function addPlaces(counts: readonly number[]): Promise<string[]> {
  const ids: string[] = [];
  for (const count of counts) ids.push(await addHost(database, { vcpus: count, memoryGib: 64, diskGib: 500 }));
  return ids;
}

async function usedOf(ids: readonly string[]): Promise<number[]> {
  const rows = await database.selectFrom('host').where('id', 'in', ids).select(['id', 'vcpus_used']).execute();
  return ids.map((id) => rows.find((row) => row.id === id)?.vcpus_used ?? -1);
}

for (const [what, counts] of [
  ['one host', [places]],
  ['ten hosts', Array.from({ length: places }, () => 1)],
] as const) {
  test(`of ${clients} deployments at once for ${places} places on ${what}, over two servers, exactly ${places} are accepted`, async () => {
    const ids = await addPlaces(counts);
    const answers = await deployAtOnce(clients, 1);
    const accepted = answers.filter(({ status }) => status === 201);
    for (const answer of answers) {
      if (answer.status !== 201) assert.deepEqual([answer.status, answer.body], [422, none]);
    }
    assert.equal(accepted.length, places);
    assert.equal(new Set(accepted.map(({ body }) => body[0]?.vmId)).size, places);
    assert.deepEqual(await usedOf(ids), counts);
    const { count } = await database
      .selectFrom('instance')
      .where('host_id', 'in', ids)
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    assert.equal(Number(count), places);
  });
}

test('ten instances where nine fit are refused as a whole and leave nothing behind, however many ask', async () => {
  const ids = await addPlaces([4, 3, 1, 1]);
  const before = await holdings(database);
  for (const answer of await deployAtOnce(20, 10)) assert.deepEqual([answer.status, answer.body], [422, few]);
  assert.deepEqual(await holdings(database), before);
  assert.deepEqual(await usedOf(ids), [0, 0, 0, 0]);
  const nine = await deployAtOnce(2, 9);
  assert.deepEqual(nine.map(({ status }) => status).sort(), [201, 422]);
  assert.deepEqual(await usedOf(ids), [4, 3, 1, 1]);
});

interface Suggestion {
  changed: string[];
  constraints: {
    configuration: string | null;
    additionalStorage: { type: string; gib: number }[];
    cpu: object[];
    memory: object[];
    storage: object[];
    countries: string[];
    maxPricePerEpoch: string | null;
  };
  instances: number;
  maxPricePerEpoch: string;
  totalPricePerEpoch: string;
}

/** The suggestions of the last refusal. */
async function suggestionsOf(after: string | null): Promise<{ suggestions: Suggestion[]; next: string | null }> {
  const path = `/berth/v1/events?limit=1000${after ? `&cursor=${after}` : ''}`;
  type Feed = {
    items: { cursor: string; kind: string; data: { relaxations: Suggestion[] } }[];
    nextCursor: string | null;
  };
  const last = await database
    .selectFrom('event')
    .where('kind', '=', 'offer.not_found')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  let suggestions: Suggestion[] | undefined;
  let next: string | null = null;
  // An event is shown once no older transaction is under way.
  await until('the refusal is told of', async () => {
    const { body } = await berth.call<Feed>('GET', path);
    suggestions = body.items.find(({ cursor }) => cursor.endsWith(`-${last.id}`))?.data.relaxations;
    next = body.nextCursor;
    return suggestions !== undefined;
  });
  return { suggestions: suggestions ?? [], next };
}

const constraintsOf = ({ constraints: given }: Suggestion) => ({
  basicConfiguration: given.configuration,
  additionalResources: {
    storage: given.additionalStorage.map(({ type, gib }) => ({ type, supply: gib, units: 'GiB' })),
  },
  hardware: { cpu: given.cpu, memory: given.memory, storage: given.storage },
  datacenter: { countries: given.countries },
  maxTotalPricePerEpochUsd: given.maxPricePerEpoch,
});

const microUsd = (text: string) => Math.round(Number(text) * 1e6);

test('every suggestion of a refusal, deployed, is accepted at the price that it named', async () => {
  const dear = { vcpu: 150_000, memoryGib: 25_000, storageGib: 2_000, publicIp: 10_000 };
  const germany = await addDatacenter(database, 'DE', 'FRA');
  const poland = await addDatacenter(database, 'PL', 'WAW');
  const ids = [
    await addHost(database, { datacenterId: germany, hardware: epyc, vcpus: 4, memoryGib: 16, diskGib: 200 }),
    await addHost(database, {
      datacenterId: poland,
      hardware: xeon,
      rates: dear,
      vcpus: 6,
      memoryGib: 24,
      diskGib: 300,
    }),
    await addHost(database, { hardware: xeon, vcpus: 2, memoryGib: 8, diskGib: 40, additionalGibMax: 20 }),
  ];
  const intel = { cpu: [{ manufacturer: 'Intel' }] };
  const extra = (type: string, supply: number) => ({ storage: [{ type, supply, units: 'GiB' }] });
  const refused: { constraints: object; instances?: number }[] = [
    { constraints: { basicConfiguration: smallest, maxTotalPricePerEpochUsd: '0.01' } },
    { constraints: { basicConfiguration: smallest, datacenter: { countries: ['US'] } } },
    { constraints: { basicConfiguration: smallest, datacenter: { countries: ['DE'] }, hardware: intel } },
    { constraints: { basicConfiguration: smallest, additionalResources: extra('NVMe', 5_000) } },
    { constraints: { additionalResources: extra('SSD', 5_000), hardware: intel } },
    { constraints: { basicConfiguration: smallest, datacenter: { countries: ['PL'] } }, instances: 10 },
    { constraints: { basicConfiguration: 'cpu-2-ram-4gb-storage-25gb' }, instances: 8 },
    {
      constraints: { basicConfiguration: smallest, datacenter: { countries: ['PL'] }, maxTotalPricePerEpochUsd: '0.1' },
    },
    { constraints: { datacenter: { countries: ['DE'] }, hardware: { ...intel, storage: [{ type: 'HDD' }] } } },
  ];
  let next: string | null = null;
  let tried = 0;
  for (const request of refused) {
    const answer = await berth.call('POST', '/vms/v3', deployBody({}, request));
    assert.equal(answer.status, 422, JSON.stringify(request));
    const told = await suggestionsOf(next);
    next = told.next;
    assert.ok(told.suggestions.length > 0, `nothing was suggested for ${JSON.stringify(request)}`);
    for (const suggestion of told.suggestions) {
      tried += 1;
      const body = deployBody({}, { instances: suggestion.instances, constraints: constraintsOf(suggestion) });
      const { status, body: accepted } = await berth.call<Deployed>('POST', '/vms/v3', body);
      assert.equal(status, 201, `${JSON.stringify(suggestion)}: ${JSON.stringify(accepted)}`);
      assert.equal(accepted.length, suggestion.instances);
      const known = new Set(accepted.map(({ vmId }) => vmId));
      const vms = (await berth.call<Vm[]>('GET', '/vms/v3?per_page=1000')).body.filter(({ id }) => known.has(id));
      assert.equal(vms.length, known.size);
      const prices = vms.map(({ pricePerEpoch }) => microUsd(pricePerEpoch));
      assert.equal(
        prices.reduce((sum, price) => sum + price, 0),
        microUsd(suggestion.totalPricePerEpoch),
      );
      assert.equal(Math.max(...prices), microUsd(suggestion.maxPricePerEpoch));
      // No agent stands behind these hosts that could confirm a deletion; the next suggestion needs the room.
      await database
        .updateTable('host')
        .set({ vcpus_used: 0, memory_mib_used: 0, disk_gib_used: 0 })
        .where('id', 'in', ids)
        .execute();
    }
  }
  assert.ok(tried >= refused.length);
});
