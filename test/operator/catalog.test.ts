// What is sold and where it stands, as an operator says on the command line; and what the commands say when there is nothing
// to work on.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertRefused, deployBody, deployed, vmOf } from '../api/support.ts';
import { startTestBerth, type TestBerth } from '../support/berth.ts';
import { Operator, runBerth } from './support.ts';

let berth: TestBerth;
let operator: Operator;
before(async () => {
  berth = await startTestBerth({ addressPool: '127.58.64.0/24' });
  operator = new Operator(berth.directory);
});
after(() => berth.close());

interface Datacenter {
  slug: string;
  countryCode: string;
  cityCode: string;
  cityIndex: number;
  tier: number;
  certifications: string[];
}
const datacenters = async () => (await operator.json<{ datacenters: Datacenter[] }>('datacenter', 'list')).datacenters;
const sold = async () =>
  (await berth.call<{ slug: string }[] | string[]>('GET', '/marketplace/basic_configurations')).body;

test('a configuration is sold from the moment it is added until it is removed, and what runs of it runs on', async () => {
  const slug = 'cpu-3-ram-5gb-storage-7gb';
  const constraints = { basicConfiguration: slug };
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({}, { constraints })), 422, 'No suitable offer');
  await operator.text('configuration', 'add', slug);
  assert.ok(JSON.stringify(await sold()).includes(slug));
  const [id = ''] = await deployed(berth, deployBody({}, { constraints }));
  await operator.refused(['configuration', 'add', slug], slug, 'already');
  await operator.text('configuration', 'remove', slug);
  assert.ok(!JSON.stringify(await sold()).includes(slug));
  assert.ok(await vmOf(berth, id));
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({}, { constraints })), 422, 'No suitable offer');
  await operator.refused(['configuration', 'remove', slug], slug);
  for (const wrong of ['cpu-0-ram-1gb-storage-5gb']) {
    await operator.refused(['configuration', 'add', wrong], JSON.stringify(wrong));
  }
});

test('a restart brings nothing back that was removed, and the last configuration stays', async () => {
  const { configurations } = await operator.json<{ configurations: { slug: string; memoryMib: number }[] }>(
    'configuration',
    'list',
  );
  const [first, ...rest] = configurations;
  assert.equal(first?.memoryMib, 1024);
  for (const { slug } of rest) await operator.text('configuration', 'remove', slug);
  await operator.refused(['configuration', 'remove', first?.slug ?? ''], 'only');
  await berth.restart();
  assert.equal((await sold()).length, 1);
});

test('a datacenter is added, changed and removed', async () => {
  const words = [
    '--country',
    'pl',
    '--city',
    'poz',
    '--tier',
    '4',
    '--certification',
    'ISO 27001',
    '--certification',
    'PCI DSS',
  ];
  await operator.text('datacenter', 'add', 'pl-poz-1', ...words);
  const [added] = await datacenters();
  assert.deepEqual(
    { ...added, id: '' },
    {
      id: '',
      slug: 'pl-poz-1',
      countryCode: 'PL',
      cityCode: 'POZ',
      cityIndex: 1,
      tier: 4,
      certifications: ['ISO 27001', 'PCI DSS'],
    },
  );
  await operator.text('datacenter', 'set', 'pl-poz-1', '--tier', '3', '--certification', 'none');
  const [changed] = await datacenters();
  assert.deepEqual([changed?.tier, changed?.certifications, changed?.cityCode], [3, [], 'POZ']);
  await operator.refused(
    ['datacenter', 'add', 'pl-poz-1', '--country', 'PL', '--city', 'POZ', '--index', '2', '--tier', '4'],
    'already',
  );
  await operator.refused(
    ['datacenter', 'add', 'pl-poz-2', '--country', 'PL', '--city', 'POZ', '--tier', '4'],
    'pl-poz-1',
    '--index',
  );
  await operator.text('datacenter', 'remove', 'pl-poz-1');
  assert.deepEqual(await datacenters(), []);
  await operator.refused(['datacenter', 'remove', 'pl-poz-1'], 'pl-poz-1');
  await operator.refused(['datacenter', 'set', 'pl-poz-1', '--tier', '1'], 'pl-poz-1');
});

test('a datacenter that can’t be is refused with the part at fault', async () => {
  const right: Record<string, string> = { '--country': 'PL', '--city': 'POZ', '--index': '1', '--tier': '4' };
  const wrong: [option: string, value: string][] = [
    ['--country', 'XX'],
    ['--index', 'one'],
    ['--tier', '5'],
  ];
  for (const [option, value] of wrong) {
    const options = Object.entries({ ...right, [option]: value }).flat();
    await operator.refused(['datacenter', 'add', 'pl-poz-9', ...options], option);
  }
  await operator.refused(['datacenter', 'add', 'Poznań', ...Object.entries(right).flat()], 'Poznań');
  assert.deepEqual(await datacenters(), []);
});

test('where there is no database, or it doesn’t run, the command says what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-none-'));
  await new Operator(directory).refused(['host', 'list'], directory, 'berth up');
  const away = await runBerth([
    'local',
    'host',
    'list',
    '--database-url',
    'postgresql://berth@127.0.0.1:9/berth',
    '--data',
    directory,
  ]);
  assert.equal(away.status, 1);
  assert.match(away.stderr, /^berth: The database can't be reached .*--database-url\.\n$/);
  await rm(directory, { recursive: true });
});
