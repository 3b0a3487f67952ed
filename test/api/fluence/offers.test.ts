// `POST /marketplace/offers`: what can be rented now, by every constraint and at prices that add up; computed from what is
// free at the moment.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatUsd, parseUsd } from '../../../src/model/money.ts';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, holdings } from '../support.ts';
import { addDatacenter, addHost, epyc, nameless, openMarket, xeon } from './market.ts';

interface Supply {
  type: string;
  metadata: Record<string, string>;
  price: string;
  supply: number;
  units: string;
  perVmLimit: number | null;
}
interface Offer {
  configuration: { slug: string; price: string };
  resources: { type: string; metadata: Record<string, string>; price: string }[];
  datacenter: { countryCode: string } | null;
  servers: { availableBasicInstances: number; additionalResources: Supply[] }[];
  maxAdditionalSupply: Supply[];
}

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const poznan = await addDatacenter(database, 'PL', 'POZ', { certifications: ['ISO 27001:2022', 'SOC2', 'PCI DSS'] });
const paris = await addDatacenter(database, 'FR', 'PAR', { tier: 3 });
const cheap = { vcpu: 100_000, memoryGib: 20_000, storageGib: 1_000, publicIp: 10_000 };
const dear = { vcpu: 200_000, memoryGib: 40_000, storageGib: 2_000, publicIp: 20_000 };
// Two servers alike in Poznan, one dearer in Paris, and one that stands nowhere and knows nothing of itself.
const room = { vcpus: 20, memoryGib: 20, diskGib: 225 };
const first = await addHost(database, { datacenterId: poznan, rates: cheap, ...room, additionalGibMax: 200 });
await addHost(database, { datacenterId: poznan, rates: cheap, ...room, additionalGibMax: 200 });
await addHost(database, { datacenterId: paris, hardware: xeon, rates: dear });
await addHost(database, { hardware: nameless, rates: { ...dear, vcpu: 900_000 } });

const small = 'cpu-2-ram-4gb-storage-25gb';
const search = (body: unknown, query = '') => berth.call<Offer[]>('POST', `/marketplace/offers${query}`, body);

async function found(body: object): Promise<Offer[]> {
  const { status, body: offers } = await search(body);
  assert.equal(status, 200, JSON.stringify(offers));
  return offers;
}
const countriesOf = (offers: Offer[]) => offers.map(({ datacenter }) => datacenter?.countryCode ?? '-');
const where = async (constraints: object) =>
  countriesOf(await found({ basicConfiguration: small, ...constraints })).join(' ');

test('an offer has exactly the fields of the contract, one server for each machine', async () => {
  const [offer, ...others] = await found({ basicConfiguration: small, datacenter: { countries: ['PL'] } });
  assert.deepEqual(others, []);
  const supply = { type: 'STORAGE', metadata: { type: 'NVMe' }, price: '0.001', units: 'GiB', perVmLimit: 200 };
  // 20 cores, 20 GiB and 225 GiB hold five of 2 cores, 4 GiB and 25 GiB; beside one of them 200 GiB are left.
  const server = { availableBasicInstances: 5, additionalResources: [{ ...supply, supply: 200 }] };
  assert.deepEqual(offer, {
    configuration: { slug: small, price: '0.315' },
    resources: [
      {
        type: 'VCPU',
        metadata: { manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen', generation: '2' },
        price: '0.2',
      },
      { type: 'RAM', metadata: { type: 'DDR', generation: '4' }, price: '0.08' },
      { type: 'STORAGE', metadata: { type: 'NVMe' }, price: '0.025' },
      { type: 'PUBLIC_IP', metadata: { version: '4' }, price: '0.01' },
    ],
    datacenter: {
      countryCode: 'PL',
      cityCode: 'POZ',
      cityIndex: 1,
      tier: 4,
      certifications: ['ISO 27001:2022', 'SOC2', 'PCI DSS'],
    },
    servers: [server, server],
    maxAdditionalSupply: [{ ...supply, supply: 200 }],
  });
});

test('the prices of the resources add up to the price of the configuration, in every offer', async () => {
  const offers = await found({});
  assert.ok(offers.length >= 12);
  for (const { configuration, resources } of offers) {
    const sum = resources.reduce((total, { price }) => total + (parseUsd(price) ?? 0n), 0n);
    assert.equal(formatUsd(sum), configuration.price, configuration.slug);
  }
});

test('an empty object finds everything, cheapest first; what is unset in any way finds the same', async () => {
  const all = await found({});
  const prices = all.map(({ configuration }) => Number(configuration.price));
  assert.deepEqual(
    prices,
    prices.toSorted((a, b) => a - b),
  );
  assert.deepEqual([...new Set(countriesOf(all))].toSorted(), ['-', 'FR', 'PL']);
  const unset = [
    { basicConfiguration: null, additionalResources: null, hardware: null, datacenter: null },
    { basicConfiguration: '', maxTotalPricePerEpochUsd: '', additionalResources: { storage: [] } },
    { hardware: { cpu: [], memory: null, storage: [{ type: '' }] }, datacenter: { countries: [''] } },
    { hardware: { cpu: [{ manufacturer: '', architecture: null }], memory: [{}] }, datacenter: {} },
    { anything: { else: 1 } },
  ];
  for (const body of unset) assert.deepEqual(await found(body), all);
});

test('a machine that knows nothing of itself says nothing, and keeps no constraint on it', async () => {
  const offers = await found({ basicConfiguration: small });
  const offer = offers.find(({ datacenter }) => datacenter === null);
  assert.deepEqual(
    offer?.resources.map(({ metadata }) => metadata),
    [{}, {}, { type: 'HDD' }, { version: '4' }],
  );
  assert.equal(offer?.maxAdditionalSupply[0]?.perVmLimit, null);
  assert.equal(await where({ hardware: { cpu: [{ manufacturer: 'AMD' }, { manufacturer: 'Intel' }] } }), 'PL FR');
});

test('each constraint leaves what keeps it; entries of one list mean any, different constraints mean all', async () => {
  const amd = { manufacturer: 'AMD', architecture: 'Zen' };
  const intel = { manufacturer: 'Intel', architecture: 'Ice Lake' };
  const cases: [constraints: object, countries: string][] = [
    [{}, 'PL FR -'],
    [{ datacenter: { countries: ['FR'] } }, 'FR'],
    [{ datacenter: { countries: ['fr', 'pl'] } }, 'PL FR'],
    [{ datacenter: { countries: ['BE'] } }, ''],
    [{ hardware: { cpu: [amd] } }, 'PL'],
    [{ hardware: { cpu: [amd, intel] } }, 'PL FR'],
    [{ hardware: { cpu: [{ manufacturer: 'amd', architecture: 'ZEN' }] } }, 'PL'],
    [{ hardware: { cpu: [{ manufacturer: 'AMD', architecture: 'Ice Lake' }] } }, ''],
    [{ hardware: { cpu: [{ manufacturer: 'VIA' }] } }, ''],
    [{ hardware: { memory: [{ type: 'DDR', generation: '5' }] } }, 'FR'],
    [
      {
        hardware: {
          memory: [
            { type: 'DDR', generation: '4' },
            { type: 'DDR', generation: '5' },
          ],
        },
      },
      'PL FR',
    ],
    [{ hardware: { memory: [{ type: 'LPDDR' }] } }, ''],
    [{ hardware: { storage: [{ type: 'NVMe' }] } }, 'PL'],
    [{ hardware: { storage: [{ type: 'HDD' }, { type: 'SSD' }] } }, 'FR -'],
    [{ hardware: { cpu: [amd], memory: [{ generation: '5' }] } }, ''],
    [{ hardware: { cpu: [intel], memory: [{ generation: '5' }], storage: [{ type: 'SSD' }] } }, 'FR'],
    [{ maxTotalPricePerEpochUsd: '0.315' }, 'PL'],
    [{ maxTotalPricePerEpochUsd: '.31499' }, ''],
    [{ maxTotalPricePerEpochUsd: '0.63' }, 'PL FR'],
    [{ maxTotalPricePerEpochUsd: '.30697' }, ''],
    [{ additionalResources: { storage: [{ type: 'NVMe', supply: 200, units: 'GiB' }] } }, 'PL'],
    [{ additionalResources: { storage: [{ type: 'NVMe', supply: 201, units: 'GiB' }] } }, ''],
    [{ additionalResources: { storage: [{ type: 'SSD', supply: 1_975, units: 'GiB' }] } }, 'FR'],
    [{ additionalResources: { storage: [{ type: 'SSD', supply: 1_976, units: 'GiB' }] } }, ''],
    [{ additionalResources: { storage: [{ type: 'NVMe', supply: 0, units: null }] } }, 'PL'],
  ];
  for (const [constraints, countries] of cases)
    assert.equal(await where(constraints), countries, JSON.stringify(constraints));
});

test('the highest price counts the additional storage', async () => {
  const additionalResources = { storage: [{ type: 'NVMe', supply: 100, units: 'GiB' }] };
  assert.equal(await where({ additionalResources, maxTotalPricePerEpochUsd: '0.415' }), 'PL');
  assert.equal(await where({ additionalResources, maxTotalPricePerEpochUsd: '0.414999' }), '');
});

test('a configuration that is unknown or fits nowhere is an empty list', async () => {
  for (const basicConfiguration of ['cpu-3-ram-4gb-storage-25gb', 'x', ' ', '__proto__', '\u0000']) {
    assert.deepEqual(await found({ basicConfiguration }), []);
  }
});

test('an offer follows what is free: it shrinks with a deployment, and is gone with its host', async () => {
  const servers = async () =>
    (await found({ basicConfiguration: small, datacenter: { countries: ['PL'] } }))
      .flatMap((offer) => offer.servers.map(({ availableBasicInstances }) => availableBasicInstances))
      .toSorted();
  assert.deepEqual(await servers(), [5, 5]);
  const constraints = { basicConfiguration: small, datacenter: { countries: ['PL'] } };
  await deployed(berth, deployBody({}, { constraints, instances: 1 }));
  assert.deepEqual(await servers(), [4, 5]);
  await database.updateTable('host').set({ reachable: false }).where('id', '=', first).execute();
  assert.equal((await servers()).length, 1);
  await database.updateTable('host').set({ reachable: true, state: 'drained' }).where('id', '=', first).execute();
  assert.equal((await servers()).length, 1);
  await database.updateTable('host').set({ state: 'open' }).where('id', '=', first).execute();
  assert.deepEqual(await servers(), [4, 5]);
});

test('pages follow one another without gap or repeat', async () => {
  const all = await found({});
  for (const perPage of [1, 5, all.length]) {
    const pages: Offer[] = [];
    for (let page = 1; page <= Math.ceil(all.length / perPage); page += 1) {
      const { body } = await search({}, `?page=${page}&per_page=${perPage}`);
      assert.ok(body.length <= perPage);
      pages.push(...body);
    }
    assert.deepEqual(pages, all);
  }
  assert.deepEqual((await search({}, '?page=1000000&per_page=1000')).body, []);
  for (const query of ['page=0', 'per_page=0', 'per_page=1001', 'page=x']) {
    assertRefused(await search({}, `?${query}`), 400, query.split('=', 1)[0] ?? '');
  }
});

test('a constraint of a wrong type is a 400 that names it, one that can’t be a 422 that says what would be right', async () => {
  const storage = (entry: object) => ({ additionalResources: { storage: [{ type: 'NVMe', supply: 1, ...entry }] } });
  const malformed: [body: unknown, ...words: string[]][] = [
    [[], 'body'],
    ['null', 'body'],
    [{ basicConfiguration: 1 }, 'basicConfiguration'],
    [{ additionalResources: [] }, 'additionalResources'],
    [{ additionalResources: { storage: {} } }, 'additionalResources.storage'],
    [storage({ supply: '1' }), 'additionalResources.storage[0].supply', '"1"'],
    [storage({ supply: 1.5 }), 'additionalResources.storage[0].supply'],
    [storage({ units: 1 }), 'additionalResources.storage[0].units'],
    [{ hardware: 'AMD' }, 'hardware'],
    [{ hardware: { cpu: 'AMD' } }, 'hardware.cpu'],
    [{ hardware: { cpu: ['AMD'] } }, 'hardware.cpu[0]'],
    [{ hardware: { cpu: [{ manufacturer: 1 }] } }, 'hardware.cpu[0].manufacturer'],
    [{ hardware: { memory: [{ generation: 4 }] } }, 'hardware.memory[0].generation', '4'],
    [{ hardware: { storage: [null] } }, 'hardware.storage[0]'],
    [{ datacenter: ['FR'] }, 'datacenter'],
    [{ datacenter: { countries: 'FR' } }, 'datacenter.countries'],
    [{ datacenter: { countries: [1] } }, 'datacenter.countries[0]'],
    [{ datacenter: { countries: Array(301).fill('FR') } }, 'datacenter.countries', '300'],
    [{ maxTotalPricePerEpochUsd: 1.5 }, 'maxTotalPricePerEpochUsd', '1.5'],
  ];
  const wrong: [body: object, ...words: string[]][] = [
    [storage({ units: 'GB' }), 'additionalResources.storage[0].units', '"GB"', '"GiB"'],
    [storage({ type: 'nvme' }), 'additionalResources.storage[0].type', 'NVMe'],
    [storage({ supply: -1 }), 'additionalResources.storage[0].supply', '-1'],
    [storage({ supply: 1e12 }), 'additionalResources.storage[0].supply', '1000000'],
    [{ hardware: { storage: [{ type: 'Tape' }] } }, 'hardware.storage[0].type', '"Tape"', 'HDD, SSD, NVMe'],
    [{ datacenter: { countries: ['FR', 'XX'] } }, 'datacenter.countries[1]', '"XX"', 'ISO 3166-1'],
    [{ datacenter: { countries: ['Germany'] } }, 'datacenter.countries[0]', '"Germany"'],
    ...['1e9', '-1', 'abc', '1,5', ' ', '0x10', 'Infinity', '1.2345678'].map((price): [object, ...string[]] => [
      { maxTotalPricePerEpochUsd: price },
      'maxTotalPricePerEpochUsd',
      JSON.stringify(price),
      'decimal',
    ]),
  ];
  const held = await holdings(database);
  for (const [body, ...words] of malformed) assertRefused(await search(body), 400, ...words);
  for (const [body, ...words] of wrong) assertRefused(await search(body), 422, ...words);
  assertRefused(await search(''), 400, 'empty');
  assertRefused(await search('{'), 400, 'JSON');
  assert.deepEqual(await holdings(database), held);
});

test('the body that the contract shows finds the machine that it describes', async () => {
  const body = `{"basicConfiguration":"cpu-8-ram-16gb-storage-25gb",
    "additionalResources":{"storage":[{"supply":4,"units":"GiB","type":"NVMe"}]},
    "hardware":{"cpu":[{"manufacturer":"AMD","architecture":"Zen"}],"memory":[{"type":"DDR","generation":"5"}],
      "storage":[{"type":"NVMe"}]},
    "datacenter":{"countries":["FR"]},"maxTotalPricePerEpochUsd":"12.57426"}`;
  assert.deepEqual((await search(body)).body, []);
  await addHost(database, { datacenterId: paris, hardware: { ...epyc, memory: { type: 'DDR', generation: '5' } } });
  const [offer] = (await search(body)).body;
  assert.deepEqual([offer?.configuration.slug, offer?.datacenter?.countryCode], ['cpu-8-ram-16gb-storage-25gb', 'FR']);
});
