// The list of instances in the web console: found, looked through, switched one by one and together, and live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, makeContainer, makeVm, untilInstance } from '../api/native/instances.ts';
import { axeFindings } from '../support/axe.ts';
import { fitsItsWindow, phone, picture, untilEqual } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

test('an empty list says what an instance is and how one comes to be', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/instances');
  await page.getByRole('heading', { name: 'No instances yet' }).waitFor();
  await page.getByRole('link', { name: 'Create an instance' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('instances are found by what they are, and the address of the page keeps what was asked for', async () => {
  const web = await makeVm(stage.berth, { name: 'web-1' });
  await makeVm(stage.berth, { name: 'database' });
  const container = await makeContainer(stage.berth);
  const { name } = (await call(stage.berth, 'GET', `/instances/${container}`)).body;
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/instances');
  const row = (text: string) => page.getByRole('row').filter({ hasText: text });
  await row('web-1').waitFor();
  await row('database').waitFor();
  await row(name).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'instances');

  await page.getByLabel('Kind').selectOption('container');
  await row('web-1').waitFor({ state: 'detached' });
  await row(name).waitFor();
  await page.getByLabel('Kind').selectOption('');
  await page.getByRole('searchbox', { name: 'Search' }).fill('DATA');
  await row('web-1').waitFor({ state: 'detached' });
  await row('database').waitFor();
  await page.waitForURL('**/console/instances?search=DATA');
  await page.reload();
  await row('database').waitFor();
  await untilEqual(() => page.getByRole('searchbox', { name: 'Search' }).inputValue(), 'DATA');
  await page.getByRole('searchbox', { name: 'Search' }).fill('nowhere');
  await page.getByRole('heading', { name: 'Nothing like that' }).waitFor();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await row('web-1').waitFor();
  await page.getByRole('link', { name: 'web-1' }).click();
  await page.waitForURL(`**/console/instances/${web}`);
  await page.getByRole('heading', { name: 'web-1', level: 1 }).waitFor();
  await page.goBack();
  await row('database').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a row switches its VM, and shows what has become of it without being loaded again', async () => {
  const id = await makeVm(stage.berth, { name: 'switched' });
  const { page, context, complaints } = await stage.open({ viewport: phone, colorScheme: 'dark' });
  await page.goto('/console/instances?search=switched');
  const row = page.getByRole('row').filter({ hasText: 'switched' });
  await row.getByText('active').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'instances-phone-dark');
  assert.ok(await fitsItsWindow(page), 'nothing sticks out at the side');

  await page.getByRole('button', { name: 'Stop switched' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('not yet written').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await dialog.getByRole('button', { name: 'Stop switched' }).click();
  await row.getByText('stopped').waitFor();
  await page.getByRole('button', { name: 'Power of switched' }).click();
  const shutdown = dialog.getByRole('button', { name: 'Shut down' });
  await untilEqual(() => shutdown.getAttribute('aria-disabled'), 'true');
  const { allowed } = (await call(stage.berth, 'GET', `/instances/${id}`)).body;
  await dialog
    .getByText(allowed.shutdown ?? 'no reason')
    .first()
    .waitFor();
  await picture(page, 'power-phone-dark');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await row.getByText('active').waitFor();
  // Somebody else's doing is seen as well.
  await call(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await row.getByText('stopped').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('several are chosen and ordered together, and what could not be done is told with its reason', async () => {
  for (const name of ['many-1', 'many-2']) await makeVm(stage.berth, { name });
  const container = await makeContainer(stage.berth);
  const { name } = (await call(stage.berth, 'GET', `/instances/${container}`)).body;
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/instances');
  for (const one of ['many-1', 'many-2', name]) await page.getByLabel(`Choose ${one}`, { exact: true }).check();
  await page.getByRole('region', { name: 'What is chosen' }).getByText('3 instances chosen').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'instances-chosen');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('button', { name: 'Stop 3 instances' }).click();
  const told = page.getByRole('dialog', { name: '2 instances are being stopped' });
  await told.getByRole('listitem').filter({ hasText: name }).getByText('a container stays as it was started').waitFor();
  await picture(page, 'instances-outcome');
  await told.getByRole('button', { name: 'Close' }).click();
  for (const one of ['many-1', 'many-2']) {
    await page.getByRole('row').filter({ hasText: one }).getByText('stopped').waitFor();
  }
  for (const one of ['many-1', 'many-2']) await page.getByLabel(`Choose ${one}`, { exact: true }).check();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete 2 instances' }).click();
  await page
    .getByRole('dialog', { name: '2 instances are being deleted' })
    .getByRole('button', { name: 'Close' })
    .click();
  await page.getByRole('row').filter({ hasText: 'many-1' }).waitFor({ state: 'detached' });
  await page.getByLabel('Status').selectOption('soft-deleted');
  await page.getByRole('row').filter({ hasText: 'many-2' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a list that is looked at shows a new instance, and leaves out one that is no longer as was asked', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/instances?status=active&search=fresh');
  await page.getByRole('heading', { name: 'Nothing like that' }).waitFor();
  const id = await makeVm(stage.berth, { name: 'fresh' });
  const row = page.getByRole('row').filter({ hasText: 'fresh' });
  await row.waitFor();
  await call(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await untilInstance(stage.berth, id, ({ status }) => status === 'stopped');
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the list is used by keyboard alone', async () => {
  await makeVm(stage.berth, { name: 'by-keys' });
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/instances?search=by-keys');
  await page.getByRole('link', { name: 'by-keys' }).focus();
  const press = async (key: string) => page.keyboard.press(key);
  for (let count = 0; count < 10; count += 1) {
    await press('Tab');
    if ((await page.evaluate('document.activeElement.ariaLabel')) === 'Stop by-keys') break;
  }
  await press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'by-keys' }).focus();
  await press('Enter');
  await page.getByRole('heading', { name: 'by-keys', level: 1 }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});
