// The market in Berth's own API: offers, why there are none, what is free where, and what can be asked for.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { addDatacenter, addHost, epyc, openMarket, xeon } from '../fluence/market.ts';
import { holdings } from '../support.ts';

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}
interface Offer {
  configuration: { slug: string; vcpus: number; memoryMib: number; diskGib: number };
  pricePerEpoch: string;
  available: number;
  hardware: { cpuManufacturer: string; storageType: string };
  datacenter: { id: string; slug: string; country: string; city: string } | null;
  rates: { vcpu: string; memoryGib: string; address: string; storage: { grade: string; perGib: string }[] };
  additionalStorageGib: number;
  additionalStorageGibMax: number | null;
}
interface Explanation {
  hosts: number;
  fitting: number;
  placed: number;
  removed: { constraint: string; hosts: number; alone: number }[];
  relaxations: {
    changed: string[];
    count: number;
    configuration: string | null;
    additionalStorageGib: number;
    constraints: Record<string, unknown>;
    totalPricePerEpoch: string;
  }[];
}
interface Problem {
  code: string;
  detail: string;
  parameter?: string;
}

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
const warsaw = await addDatacenter(database, 'PL', 'WAW');
const poznan = await addDatacenter(database, 'PL', 'POZ');
const berlin = await addDatacenter(database, 'DE', 'BER');
const dear = { vcpu: 200_000, memoryGib: 40_000, storageGib: 2_000, publicIp: 20_000 };
await addHost(database, { datacenterId: warsaw, hardware: epyc, vcpus: 8, memoryGib: 32, diskGib: 100 });
await addHost(database, { datacenterId: poznan, hardware: xeon, vcpus: 4, memoryGib: 8, diskGib: 60 });
await addHost(database, { datacenterId: berlin, hardware: epyc, rates: dear, additionalGibMax: 20 });

const get = <Body>(path: string) => berth.call<Body>('GET', `/berth/v1${path}`);
const offers = async (query = ''): Promise<Offer[]> => {
  const { status, body } = await get<Page<Offer>>(`/offers?limit=200&${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
};
const two = 'configuration=cpu-2-ram-4gb-storage-25gb';
const slugs = (found: Offer[]) => found.map(({ datacenter }) => datacenter?.slug).toSorted();

test('offers come cheapest first, each with its place, what it costs and how many fit', async () => {
  const found = await offers();
  const prices = found.map(({ pricePerEpoch }) => Number(pricePerEpoch));
  assert.ok(prices.length > 3);
  assert.deepEqual(
    prices,
    prices.toSorted((one, other) => one - other),
  );
  const inWarsaw = (await offers(`${two}&city=waw`))[0];
  assert.deepEqual(inWarsaw?.configuration, {
    ...{ slug: 'cpu-2-ram-4gb-storage-25gb', vcpus: 2, memoryMib: 4096, diskGib: 25 },
  });
  assert.equal(inWarsaw?.pricePerEpoch, '0.315');
  assert.deepEqual([inWarsaw?.available, inWarsaw?.additionalStorageGib], [4, 75]);
  assert.deepEqual(inWarsaw?.rates, {
    ...{ vcpu: '0.1', memoryGib: '0.02', address: '0.01' },
    storage: ['sata', 'ssd', 'archive'].map((grade) => ({ grade, perGib: '0.001' })),
  });
  assert.deepEqual([inWarsaw?.datacenter?.country, inWarsaw?.hardware.storageType], ['PL', 'NVMe']);
});

test('what is asked for narrows the offers', async () => {
  assert.deepEqual(slugs(await offers(two)), ['de-ber-1', 'pl-poz-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&country=pl`)), ['pl-poz-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&country=PL,DE&storageType=NVMe`)), ['de-ber-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&city=POZ,BER`)), ['de-ber-1', 'pl-poz-1']);
  const id = `dc_${berlin.replaceAll('-', '')}`;
  assert.deepEqual(slugs(await offers(`${two}&datacenter=${id},pl-waw-1`)), ['de-ber-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&cpuManufacturer=intel&memoryGeneration=5`)), ['pl-poz-1']);
  assert.deepEqual(slugs(await offers(`${two}&cpuArchitecture=zen&memoryType=ddr`)), ['de-ber-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&maxPrice=0.4`)), ['pl-poz-1', 'pl-waw-1']);
  assert.deepEqual(slugs(await offers(`${two}&additionalStorageGib=50`)), ['pl-waw-1']);
  assert.ok((await offers('vcpusMin=4')).every(({ configuration }) => configuration.vcpus >= 4));
  assert.ok((await offers('memoryMibMin=8192')).every(({ configuration }) => configuration.memoryMib >= 8192));
  assert.deepEqual(await offers('city=XXX'), []);
});

test('additional storage is in the price, and fewer fit with it', async () => {
  const [offer] = await offers(`${two}&city=WAW&additionalStorageGib=20`);
  assert.deepEqual([offer?.pricePerEpoch, offer?.available], ['0.335', 2]);
});

test('pages of offers follow each other without a gap', async () => {
  const seen: Offer[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body } = await get<Page<Offer>>(`/offers?limit=2${more}`);
    seen.push(...body.items);
    cursor = body.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(seen, await offers());
});

test('a search that finds nothing tells nobody and leaves nothing', async () => {
  const held = await holdings(database);
  const eventsNow = async () => (await database.selectFrom('event').select('kind').execute()).length;
  const events = await eventsNow();
  assert.deepEqual(await offers('maxPrice=0'), []);
  assert.equal((await get('/offers/explain?maxPrice=0')).status, 200);
  assert.deepEqual(await holdings(database), held);
  assert.equal(await eventsNow(), events);
});

test('what can’t be asked for is refused with its place', async () => {
  const refused = async (query: string, parameter: string) => {
    for (const path of ['/offers', '/offers/explain']) {
      const { status, body } = await get<Problem>(`${path}?${query}`);
      assert.deepEqual([status, body.code, body.parameter], [422, 'invalid_value', parameter], JSON.stringify(body));
    }
  };
  await refused('country=PL,XX', 'country');
  await refused('datacenter=nowhere', 'datacenter');
  const count = await get<Problem>('/offers/explain?count=11');
  assert.deepEqual([count.status, count.body.parameter], [422, 'count']);
  for (const cursor of ['x', 'WyJ4Il0', 'WyItMSJd']) {
    const { status, body } = await get<Problem>(`/offers?cursor=${cursor}`);
    assert.deepEqual([status, body.parameter], [422, 'cursor'], cursor);
  }
  for (const query of ['maxPrice=much', 'vcpusMin=0', 'additionalStorageGib=-1', 'storageType=TAPE', 'colour=red']) {
    assert.equal((await get(`/offers?${query}`)).status, 400, query);
  }
});

test('an explanation counts what each constraint turns down, and its suggestions work', async () => {
  const { body } = await get<Explanation>(`/offers/explain?${two}&country=DE&maxPrice=0.5&count=3`);
  assert.deepEqual([body.hosts, body.fitting, body.placed], [4, 0, 0]);
  const counts = Object.fromEntries(body.removed.map((one) => [one.constraint, [one.hosts, one.alone]]));
  assert.deepEqual(counts, { state: [1, 1], countries: [2, 2], maxPrice: [1, 1] });
  const changed = body.relaxations.map((one) => one.changed);
  assert.deepEqual(changed, [['countries'], ['configuration'], ['maxPrice']]);
  const [first] = body.relaxations;
  assert.deepEqual(first?.constraints, { countries: ['PL'], maxPricePerEpoch: '0.5' });
  assert.equal(first?.totalPricePerEpoch, '0.945');
  const fits = await get<Explanation>(`/offers/explain?${two}&country=PL&maxPrice=0.5&count=3`);
  assert.deepEqual([fits.body.placed, fits.body.relaxations], [3, []]);
  const large = await get<Explanation>('/offers/explain?vcpusMin=1000&city=WAW');
  assert.deepEqual(large.body.relaxations.map((one) => one.changed)[0], ['vcpusMin']);
  const stored = await get<Explanation>(`/offers/explain?${two}&city=WAW&additionalStorageGib=900`);
  assert.equal(stored.body.relaxations[0]?.additionalStorageGib, 75);
});

test('capacity is told for each datacenter and configuration', async () => {
  const { body } =
    await get<
      Page<{
        datacenter: { slug: string };
        configuration: { slug: string };
        hosts: number;
        available: number;
        pricePerEpochFrom: string | null;
      }>
    >('/capacity?limit=200');
  const inPoznan = body.items.filter(({ datacenter }) => datacenter.slug === 'pl-poz-1');
  const byConfiguration = new Map(inPoznan.map((one) => [one.configuration.slug, one]));
  const ofTwo = byConfiguration.get('cpu-2-ram-4gb-storage-25gb');
  assert.deepEqual([ofTwo?.hosts, ofTwo?.available, ofTwo?.pricePerEpochFrom], [1, 2, '0.315']);
  assert.ok(inPoznan.some(({ available, pricePerEpochFrom }) => available === 0 && pricePerEpochFrom === null));
});

test('what can be asked for is listed: configurations, countries, hardware, datacenters, images', async () => {
  const configurations = (await get<Page<{ slug: string; vcpus: number }>>('/configurations')).body.items;
  assert.deepEqual(
    configurations.map(({ vcpus }) => vcpus),
    configurations.map(({ vcpus }) => vcpus).toSorted((one, other) => one - other),
  );
  assert.deepEqual((await get<Page<{ code: string }>>('/countries')).body.items, [{ code: 'DE' }, { code: 'PL' }]);
  const hardware = (await get<{ cpu: { manufacturer: string }[]; storage: { type: string }[] }>('/hardware')).body;
  assert.deepEqual(new Set(hardware.cpu.map(({ manufacturer }) => manufacturer)), new Set(['AMD', 'Intel']));
  const datacenters = (await get<Page<{ id: string; slug: string }>>('/datacenters')).body.items;
  assert.deepEqual(
    datacenters.map(({ slug }) => slug),
    ['de-ber-1', 'pl-poz-1', 'pl-waw-1'],
  );
  const [first] = datacenters;
  assert.deepEqual((await get(`/datacenters/${first?.id}`)).body, first);
  assert.deepEqual((await get(`/datacenters/${first?.slug}`)).body, first);
  assert.equal((await get('/datacenters/nowhere')).status, 404);
  const images = (await get<Page<{ id: string; slug: string; url: string }>>('/images')).body.items;
  const micro = images.find(({ slug }) => slug === 'micro');
  assert.ok(micro?.url.startsWith('http'));
  assert.deepEqual((await get(`/images/${micro?.id}`)).body, micro);
  assert.deepEqual((await get('/images/micro')).body, micro);
  assert.equal((await get('/images/nothing')).status, 404);
});
