// What can be chosen, as clients read it: for everybody, and nothing but what is there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addDatacenter } from '../../../src/app/datacenter.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { asOperator } from './identity.ts';

let berth: TestBerth;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.5.0/24' });
});
after(() => berth?.close());

async function definitions(): Promise<Map<string, unknown>> {
  const answer = await callApi<{ id: string; data: unknown }[]>(berth.url, null, 'GET', '/definitions');
  assert.equal(answer.status, 200);
  return new Map(answer.body.map(({ id, data }) => [id, data]));
}

test('what can be chosen is told to everybody, each with a sentence where clients look for one', async () => {
  const told = await definitions();
  const described = (list: string, sentences: string) =>
    assert.deepEqual(Object.keys(told.get(sentences) as object).toSorted(), (told.get(list) as string[]).toSorted());
  described('distributions', 'distribution_descriptions');
  described('storage_grades', 'storage_grade_descriptions');
  assert.ok((told.get('distributions') as string[]).includes('micro'));
  assert.equal((told.get('distribution_descriptions') as Record<string, string>)['debian-12-x64'], 'Debian 12 x64');
  assert.deepEqual(told.get('storage_grades'), ['sata', 'ssd', 'archive']);
  assert.deepEqual(told.get('hardware_profiles'), ['virtio2013', 'compatibility2013']);
  for (const key of ['ctrl', 'alt', 'delete']) assert.ok((told.get('sendkeys') as string[]).includes(key));
  assert.ok((told.get('keymaps') as string[]).includes('en-gb'));
});

test('grades are those that a host has storage of', async () => {
  const database = await openStore(berth);
  try {
    await database
      .updateTable('storage_pool')
      .set({ grades: ['sata', 'archive'] })
      .execute();
    assert.deepEqual((await definitions()).get('storage_grades'), ['sata', 'archive']);
  } finally {
    await database.destroy();
  }
});

test('zones are the datacenters of this installation', async () => {
  assert.deepEqual((await definitions()).get('zone_names'), []);
  const terms = { slug: 'gb-yor-1', countryCode: 'GB', cityCode: 'YRK', cityIndex: 1, tier: 3, certifications: [] };
  const fields = { ...terms, ...{ countryCode: 'c', cityIndex: 'i', tier: 't', certifications: 'x' } };
  await asOperator(berth, (context) => addDatacenter(context, terms, fields));
  assert.deepEqual((await definitions()).get('zone_names'), ['gb-yor-1']);
});
