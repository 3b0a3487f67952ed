// `GET /marketplace/basic_configurations`: the sizes that are sold, as the database has them now.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseConfiguration } from '../../../src/model/configuration.ts';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed } from '../support.ts';
import { addHost, openMarket } from './market.ts';

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
await addHost(database);

const list = async () => (await berth.call<string[]>('GET', '/marketplace/basic_configurations')).body;
const added = 'cpu-3-ram-5gb-storage-7gb';

test('the answer is a bare array of slugs, smallest first, with those that the contract shows', async () => {
  const slugs = await list();
  for (const slug of [
    'cpu-2-ram-4gb-storage-25gb',
    'cpu-4-ram-8gb-storage-25gb',
    'cpu-8-ram-16gb-storage-25gb',
    'cpu-16-ram-32gb-storage-25gb',
  ])
    assert.ok(slugs.includes(slug), slug);
  const cores = slugs.map((slug) => parseConfiguration(slug)?.vcpus ?? 0);
  assert.deepEqual(
    cores,
    cores.toSorted((a, b) => a - b),
  );
  assert.ok(cores.every((count) => count > 0));
});

test('a size that the operator adds is sold at once, and not any more when it is taken away', async () => {
  const constraints = { basicConfiguration: added };
  const none = { error: 'No suitable offer found' };
  assert.deepEqual((await berth.call('POST', '/vms/v3', deployBody({}, { constraints }))).body, none);
  await database
    .insertInto('configuration')
    .values({ slug: added, vcpus: 3, memory_mib: 5 * 1024, disk_gib: 7, created_at: new Date() })
    .execute();
  assert.ok((await list()).includes(added));
  await deployed(berth, deployBody({}, { constraints }));
  await database.deleteFrom('configuration').where('slug', '=', added).execute();
  assert.ok(!(await list()).includes(added));
  const answer = await berth.call('POST', '/vms/v3', deployBody({}, { constraints }));
  assert.deepEqual([answer.status, answer.body], [422, none]);
});

test('every size that is listed can be deployed', async () => {
  for (const basicConfiguration of await list()) {
    await deployed(berth, deployBody({}, { constraints: { basicConfiguration } }));
  }
});

test('other methods are no calls', async () => {
  assertRefused(await berth.call('POST', '/marketplace/basic_configurations', {}), 404, 'POST');
});
