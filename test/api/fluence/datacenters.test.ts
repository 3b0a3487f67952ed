// `GET /v1/marketplace/datacenters`: every datacenter, by the field names of the clients that read it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { deployBody, deployed, vmOf } from '../support.ts';
import { addDatacenter, addHost, openMarket } from './market.ts';

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const list = async () => (await berth.call<{ id: string }[]>('GET', '/v1/marketplace/datacenters')).body;

test('without datacenters the list is an empty array', async () => {
  assert.deepEqual(await list(), []);
});

test('a datacenter is shown with exactly the fields that clients read, whether it has hosts or not', async () => {
  const certifications = ['PCI DSS', 'ISO 9001:2015'];
  const id = await addDatacenter(database, 'FR', 'PAR', { tier: 3, cityIndex: 2, certifications });
  assert.deepEqual(await list(), [
    { id, slug: 'fr-par-2', countryCode: 'FR', cityCode: 'PAR', index: 2, tier: 3, certifications },
  ]);
});

test('a VM shows the datacenter that its host stands in', async () => {
  const [paris] = await list();
  await addHost(database, { datacenterId: paris?.id ?? null });
  const [id = ''] = await deployed(berth, deployBody({}, { constraints: { datacenter: { countries: ['FR'] } } }));
  assert.deepEqual((await vmOf(berth, id))?.datacenter, {
    countryCode: 'FR',
    cityCode: 'PAR',
    cityIndex: 2,
    tier: 3,
    certifications: ['PCI DSS', 'ISO 9001:2015'],
  });
});
