// What an account has and where it went: by day, by instance, every transaction, and all of it as a file.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { makeVm } from '../api/native/instances.ts';
import { axeFindings } from '../support/axe.ts';
import { phone, picture } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

test('a statement tells what each day and each instance cost, and follows what is charged', async () => {
  await makeVm(stage.berth, { name: 'paid-for' });
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/statement');
  const instances = page.getByRole('table', { name: 'Spent by instance' });
  await instances.getByText('paid-for').waitFor();
  const days = page.getByRole('list', { name: 'Spent day by day' });
  const today = new Date().toISOString().slice(0, 10);
  await days.getByText(new RegExp(`^${today}: \\$0\\.\\d+`)).waitFor();
  await page.getByRole('table', { name: 'Transactions' }).getByText('deposit', { exact: true }).first().waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await makeVm(stage.berth, { name: 'paid-for-later' });
  await instances.getByText('paid-for-later').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('another month is in the address, and its transactions are a file for spreadsheets', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/statement');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^statement-default-\d{4}-\d\d\.csv$/);
  assert.match(await readFile(await file.path(), 'utf8'), /,charge,/);
  const earlier = await page.getByLabel('Month').getByRole('option').nth(1).getAttribute('value');
  await page.getByLabel('Month').selectOption(earlier);
  await page.getByText('Nothing was charged in this month.').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('month'), earlier);
  await page.reload();
  await page.getByText('Nothing has moved in this month.').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('it can be used in both themes and on a phone', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      const options = { colorScheme, ...(viewport ? { viewport } : {}) };
      const { page, context, complaints } = await stage.open(options);
      await page.goto('/console/statement');
      await page.getByRole('table', { name: 'Transactions' }).waitFor();
      await page.getByRole('table', { name: 'Spent by instance' }).waitFor();
      assert.deepEqual(await axeFindings(page), [], `${colorScheme} ${name}`);
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name} scrolls sideways`);
      await picture(page, `statement-${colorScheme}-${name}`);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});
