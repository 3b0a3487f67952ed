// `GET /marketplace/countries`: where there are hosts that take instances, each country once.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { addDatacenter, addHost, openMarket } from './market.ts';

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const list = async () => (await berth.call<string[]>('GET', '/marketplace/countries')).body;

test('without hosts in datacenters the list is empty', async () => {
  assert.deepEqual(await list(), []);
  await addHost(database);
  assert.deepEqual(await list(), []);
});

test('each country is listed once, in alphabetical order, as long as a host there takes instances', async () => {
  const poznan = await addDatacenter(database, 'PL', 'POZ');
  await addDatacenter(database, 'LT', 'VNO');
  const hosts = [
    await addHost(database, { datacenterId: poznan }),
    await addHost(database, { datacenterId: poznan }),
    await addHost(database, { datacenterId: await addDatacenter(database, 'DE', 'FRA') }),
    await addHost(database, { datacenterId: await addDatacenter(database, 'PL', 'WAW') }),
  ];
  assert.deepEqual(await list(), ['DE', 'PL']);
  for (const change of [{ state: 'drained' as const }, { reachable: false }]) {
    await database
      .updateTable('host')
      .set(change)
      .where('id', '=', hosts[2] ?? '')
      .execute();
    assert.deepEqual(await list(), ['PL']);
    await database
      .updateTable('host')
      .set({ state: 'open', reachable: true })
      .where('id', '=', hosts[2] ?? '')
      .execute();
    assert.deepEqual(await list(), ['DE', 'PL']);
  }
});

test('a search for each listed country finds an offer there', async () => {
  for (const country of await list()) {
    const body = { datacenter: { countries: [country] } };
    const offers = await berth.call<{ datacenter: { countryCode: string } }[]>('POST', '/marketplace/offers', body);
    assert.ok(offers.body.length > 0);
    assert.ok(offers.body.every(({ datacenter }) => datacenter.countryCode === country));
  }
});
