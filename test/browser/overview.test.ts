// What one sees first: how one begins, what is up and what it costs, what failed and why; and for operators their hosts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addUser, grant, tokenOf } from '../api/bytemark/identity.ts';
import { addDatacenter, addHost } from '../api/fluence/market.ts';
import { makeVm } from '../api/native/instances.ts';
import { openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { phone, picture } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

test('who has nothing yet is shown the way, and then what he has, without reloading', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/');
  await page.getByRole('heading', { name: 'Three steps to your first VM' }).waitFor();
  await page.getByRole('link', { name: 'Find an offer' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'overview-empty');
  await makeVm(stage.berth, { name: 'first' });
  await page.getByRole('link', { name: '1 active' }).waitFor();
  const spend = page.getByRole('region', { name: 'Spend' });
  await spend.getByText(/^\$\d.* a day$/).waitFor();
  await spend.getByText(/in 30 days, if nothing changes/).waitFor();
  await page.getByRole('region', { name: 'Latest events' }).getByText('instance.active').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

/** A VM that has failed: its host is one that nobody stands behind. */
async function makeFailed(reason: string): Promise<void> {
  const database = await openStore(stage.berth);
  const datacenterId = await addDatacenter(database, 'PL', 'WAW');
  await addHost(database, { datacenterId });
  const body = {
    name: 'failed',
    image: 'debian-13-x64',
    vcpus: 1,
    memoryMib: 1024,
    diskGib: 5,
    constraints: { cities: ['WAW'] },
  };
  const { status, body: made } = await stage.berth.call<{ id: string }>('POST', '/berth/v1/instances', body);
  assert.equal(status, 201, JSON.stringify(made));
  await database
    .updateTable('instance')
    .set({ status: 'failed', status_reason: reason })
    .where('name', '=', 'failed')
    .execute();
  await database.destroy();
}

test('what has failed is shown with why and what to do, in both themes and on a phone', async () => {
  await makeVm(stage.berth, { name: 'up' });
  await makeFailed(`<img src=x onerror="alert('x')">`);
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      const options = { colorScheme, ...(viewport ? { viewport } : {}) };
      const { page, context, complaints } = await stage.open(options);
      await page.goto('/');
      await page.getByRole('region', { name: 'Latest events' }).getByText('instance.active').first().waitFor();
      await page.getByRole('region', { name: 'Balance' }).waitFor();
      await page.getByRole('region', { name: 'Failed lately' }).getByText('<img src=x').waitFor();
      assert.deepEqual(await axeFindings(page), [], `${colorScheme} ${name}`);
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name} scrolls sideways`);
      await picture(page, `overview-${colorScheme}-${name}`);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});

test('an operator sees hosts, what is sold and what it brings in', async () => {
  const user = await addUser(stage.berth, 'default');
  await grant(stage.berth, user.username, 'cluster_admin');
  const apiKey = await tokenOf(stage.berth, user);
  const { page, context, complaints } = await stage.open({ apiKey });
  await page.goto('/');
  await page.getByRole('region', { name: 'Hosts' }).getByText('of 2 up').waitFor();
  await page.getByRole('region', { name: 'Capacity sold' }).getByText('vCPUs').waitFor();
  await page.getByRole('region', { name: 'Revenue today' }).getByText('$').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'overview-operator');
  assert.deepEqual(complaints, []);
  await context.close();
});
