// `GET /marketplace/hardware`: what can be asked for, so that whatever is listed there finds an offer.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { addHost, epyc, nameless, openMarket, xeon } from './market.ts';

interface Hardware {
  cpu: { manufacturer: string; architecture: string }[];
  memory: { type: string; generation: string }[];
  storage: { type: string }[];
}

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const list = async () => (await berth.call<Hardware>('GET', '/marketplace/hardware')).body;

test('without hosts there are three empty lists', async () => {
  assert.deepEqual(await list(), { cpu: [], memory: [], storage: [] });
});

test('each kind is listed once with exactly the fields of the contract; what is unknown is not listed', async () => {
  for (const hardware of [epyc, epyc, xeon, nameless, { ...nameless, cpu: { ...nameless.cpu, manufacturer: 'VIA' } }]) {
    await addHost(database, { hardware });
  }
  const { cpu, memory, storage } = await list();
  const sorted = (entries: object[]) => entries.map((entry) => JSON.stringify(entry)).toSorted();
  assert.deepEqual(
    sorted(cpu),
    sorted([
      { manufacturer: 'AMD', architecture: 'Zen' },
      { manufacturer: 'Intel', architecture: 'Ice Lake' },
    ]),
  );
  assert.deepEqual(
    sorted(memory),
    sorted([
      { type: 'DDR', generation: '4' },
      { type: 'DDR', generation: '5' },
    ]),
  );
  assert.deepEqual(sorted(storage), sorted([{ type: 'HDD' }, { type: 'NVMe' }, { type: 'SSD' }]));
});

test('every entry, as it is listed, finds an offer as a constraint', async () => {
  const hardware = await list();
  for (const [part, entries] of Object.entries(hardware)) {
    for (const entry of entries) {
      const offers = await berth.call<unknown[]>('POST', '/marketplace/offers', { hardware: { [part]: [entry] } });
      assert.ok(offers.body.length > 0, JSON.stringify(entry));
    }
  }
  assert.ok((await berth.call<unknown[]>('POST', '/marketplace/offers', { hardware })).body.length > 0);
});
