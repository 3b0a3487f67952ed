// The market's page: what is asked of it is in its address, what it has is told with its prices, and why it has nothing, too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { addDatacenter, addHost, epyc, openMarket, xeon } from '../api/fluence/market.ts';
import { axeFindings } from '../support/axe.ts';
import { phone, picture, untilEqual, untilInvalid } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage(async (berth) => {
  const database = await openMarket(berth);
  const warsaw = await addDatacenter(database, 'PL', 'WAW');
  const poznan = await addDatacenter(database, 'PL', 'POZ');
  const berlin = await addDatacenter(database, 'DE', 'BER');
  await addHost(database, { datacenterId: warsaw, hardware: epyc, vcpus: 8, memoryGib: 32, diskGib: 100 });
  await addHost(database, { datacenterId: poznan, hardware: xeon, vcpus: 4, memoryGib: 8, diskGib: 60 });
  const dear = { vcpu: 200_000, memoryGib: 40_000, storageGib: 2_000, publicIp: 20_000 };
  await addHost(database, { datacenterId: berlin, hardware: epyc, rates: dear, additionalGibMax: 20 });
  await database.destroy();
});

const offers = (page: Page) => page.getByRole('table', { name: 'Offers' });

test('offers are narrowed by what is asked, which is in the address and can be gone back to', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/offers');
  await offers(page).waitFor();
  await page.getByLabel('Country').selectOption({ label: 'Poland' });
  await page.getByLabel('Size').selectOption('cpu-2-ram-4gb-storage-25gb');
  await page.getByLabel('Storage', { exact: true }).selectOption('NVMe');
  // What was found for less is shown until the answer is there.
  const rows = offers(page).getByRole('row');
  await rows.nth(2).waitFor({ state: 'detached' });
  await offers(page).getByText('pl-waw-1').waitFor();
  const row = rows.nth(1);
  for (const text of ['2 vCPU · 4 GiB · 25 GiB', 'AMD EPYC Zen 2 · DDR4 · NVMe', '$0.315', '$0.0131', '$9.45']) {
    await row.getByText(text).waitFor();
  }
  const { searchParams } = new URL(page.url());
  assert.deepEqual(Object.fromEntries(searchParams), {
    ...{ configuration: 'cpu-2-ram-4gb-storage-25gb', country: 'PL', storageType: 'NVMe' },
  });
  await page.getByLabel('Additional storage, GiB').fill('20');
  await offers(page).getByText('$0.335').waitFor();
  await page.reload();
  await offers(page).getByText('$0.335').waitFor();
  await untilEqual(() => page.getByLabel('Additional storage, GiB').inputValue(), '20');
  await page.getByRole('link', { name: /^Create 2 vCPU/ }).click();
  await page.waitForURL(/\/console\/create\?.*datacenter=pl-waw-1/);
  await page.goBack();
  await offers(page).getByText('$0.335').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what can’t be asked is told at its field', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/offers');
  const field = page.getByLabel('Price at most, $ an epoch');
  await field.fill('much');
  await page.getByText('No offers can be looked for').waitFor();
  await untilInvalid(field);
  await field.fill('0.4');
  await offers(page).waitFor();
  await untilEqual(() => field.getAttribute('aria-invalid'), 'false');
  await page.goto('/console/offers?country=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E');
  await page
    .getByText(/country.*<img src=x/i)
    .first()
    .waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('where nothing fits, it is told why, and a suggestion is applied by pressing it', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/offers?configuration=cpu-2-ram-4gb-storage-25gb&country=DE&maxPrice=0.5');
  await page.getByRole('heading', { name: 'Nothing fits this now' }).waitFor();
  const why = page.getByRole('table', { name: 'What turns hosts down' });
  await why.getByRole('cell', { name: 'Price at most' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'offers-none');
  await page.getByRole('button', { name: 'Country: PL' }).click();
  await offers(page).getByText('pl-waw-1').first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('country'), 'PL');
  assert.equal(new URL(page.url()).searchParams.get('maxPrice'), '0.5');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a picture says what is free where, and what is pressed in it is asked for', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      const options = { colorScheme, ...(viewport ? { viewport } : {}) };
      const { page, context, complaints } = await stage.open(options);
      await page.goto('/console/offers');
      await offers(page).waitFor();
      const heat = page.getByRole('table', { name: 'How many instances of each size still fit into each datacenter' });
      await heat.waitFor();
      assert.deepEqual(await axeFindings(page), [], `${colorScheme} ${name}`);
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name} scrolls sideways`);
      await picture(page, `offers-${colorScheme}-${name}`);
      const row = heat.getByRole('row', { name: /^pl-poz-1/ });
      await row.getByRole('button', { name: /^2 ?\$0\.315$/ }).click();
      await page.waitForURL(/configuration=cpu-2-ram-4gb-storage-25gb&datacenter=pl-poz-1|datacenter=pl-poz-1/);
      await untilEqual(() => row.getByRole('button', { pressed: true }).count(), 1);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});
