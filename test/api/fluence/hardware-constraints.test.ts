// Constraints of a deployment on hardware and countries: VMs go where these are kept, or nowhere.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, holdings, openStore, vmOf } from '../support.ts';
import { addDatacenter, addHost, epyc } from './market.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

// A host that is one of its kind in the one country there is; it is dearer than Berth's own, so that nothing else goes there.
await addHost(database, {
  datacenterId: await addDatacenter(database, 'PL', 'POZ'),
  hardware: epyc,
  rates: { vcpu: 200_000, memoryGib: 20_000, storageGib: 1_000, publicIp: 10_000 },
  diskGib: 200,
});

const none = 'No suitable offer found';

async function refused(constraints: unknown, status: number, ...words: string[]): Promise<void> {
  const held = await holdings(database);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({}, { constraints })), status, ...words);
  assert.deepEqual(await holdings(database), held);
}

async function accepted(constraints: unknown): Promise<string> {
  const [id = ''] = await deployed(berth, deployBody({}, { constraints }));
  return id;
}

test('hardware and countries are matched to the letter, whatever the case of the letters', async () => {
  const ids = await Promise.all([
    accepted({ hardware: { cpu: [{ manufacturer: 'AMD', architecture: 'Zen' }] }, datacenter: { countries: ['pl'] } }),
    accepted({ hardware: { cpu: [{ manufacturer: 'amd' }], memory: [{ type: 'ddr', generation: '4' }] } }),
    accepted({ hardware: { storage: [{ type: 'HDD' }, { type: 'NVMe' }] }, datacenter: { countries: ['FR', 'PL'] } }),
  ]);
  const [id = ''] = ids;
  const placed = await vmOf(berth, id);
  assert.deepEqual(placed?.datacenter, {
    countryCode: 'PL',
    cityCode: 'POZ',
    cityIndex: 1,
    tier: 4,
    certifications: [],
  });
  assert.deepEqual(
    placed?.resources.map(({ metadata, details }) => [metadata, details]),
    [
      [{ manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen', generation: '2' }, { model: epyc.cpu.model }],
      [{ type: 'DDR', generation: '4' }, {}],
      [{ type: 'NVMe' }, {}],
      [{ version: '4' }, {}],
    ],
  );
});

test('hardware or a country that no host has finds no offer, and is never left out of account', async () => {
  for (const constraints of [
    { hardware: { cpu: [{ manufacturer: 'VIA', architecture: 'Isaiah' }] } },
    { hardware: { cpu: [{ manufacturer: 'AMD', architecture: 'Ice Lake' }] } },
    { hardware: { memory: [{ type: 'DDR', generation: '3' }] } },
    { hardware: { storage: [{ type: 'HDD' }] } },
    { hardware: { storage: [{ type: 'HDD' }] }, datacenter: { countries: ['PL'] } },
    { datacenter: { countries: ['FR'] } },
  ]) {
    await refused(constraints, 422, none);
  }
});

test('hardware and countries that can’t be are refused under their names', async () => {
  await refused({ hardware: { storage: [{ type: 'Tape' }] } }, 422, 'constraints.hardware.storage[0].type', '"Tape"');
  for (const country of ['XX', 'EU', 'UK', 'POL', 'P', '**', '\u0000\u0000'])
    await refused(
      { datacenter: { countries: ['PL', country] } },
      422,
      'constraints.datacenter.countries[1]',
      'ISO 3166-1',
    );
  await refused({ hardware: 'AMD' }, 400, 'constraints.hardware');
  await refused({ hardware: { memory: [{ generation: 4 }] } }, 400, 'constraints.hardware.memory[0].generation', '4');
  await refused({ datacenter: ['FR'] }, 400, 'constraints.datacenter');
  await refused({ datacenter: { countries: 'FR' } }, 400, 'constraints.datacenter.countries', '"FR"');
});
