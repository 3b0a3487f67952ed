// What operators see of revenue: over time as bars and as a table, whoever it is summed up by, kept in the address, and as a file.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { inTransaction } from '../../src/store/database.ts';
import { insertTransactions } from '../../src/store/ledger.ts';
import { credit, openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { fitsItsWindow, phone, picture, untilEqual, wide } from '../support/browser.ts';
import { operatorKey, type StageOptions, setStage } from '../support/stage.ts';

let operator: string;

const dayMs = 86_400_000;
const accounts = 8;

/** Eight accounts that paid each day of two months, on the one host. */
const stage = setStage(async (berth) => {
  operator = await operatorKey(berth);
  const database = await openStore(berth);
  const { id: hostId } = await database.selectFrom('host').select('id').executeTakeFirstOrThrow();
  for (let count = 0; count < accounts; count += 1) {
    await callApi(berth.url, operator, 'POST', '/berth/v1/accounts', { name: `customer-${count}` });
  }
  const rows = await database
    .selectFrom('account')
    .where('name', 'like', 'customer-%')
    .select(['id', 'name'])
    .execute();
  for (const { id } of rows) await credit(database, id);
  const charges = rows.flatMap(({ id, name }) =>
    Array.from({ length: 60 }, (_, day) => {
      const amount = BigInt(Math.round(1_000_000 * (accounts - Number(name.slice(-1))) * (1.5 + Math.sin(day / 5))));
      return {
        ...{ id: randomUUID(), kind: 'charge' as const, reason: 'it ran', actor: 'a test' },
        ...{ accountId: id, hostId, instanceId: null, createdAt: new Date(Date.now() - day * dayMs) },
        entries: [
          { book: 'available' as const, amount: -amount },
          { book: 'revenue' as const, amount },
        ],
      };
    }),
  );
  await inTransaction(database, (tx) => insertTransactions(tx, charges));
  await database.destroy();
});

const inPage = (path: string, work: (page: Page) => Promise<void>, look: StageOptions = {}) =>
  stage.inPage(path, work, { apiKey: operator, ...look });

const drawn = (page: Page) => page.getByRole('img', { name: /^Revenue by/ }).waitFor();

test('revenue is told by host and day, and by what else one asks for, which the address keeps', () =>
  inPage('/console/revenue', async (page) => {
    await drawn(page);
    await page.getByRole('table', { name: 'Revenue by host' }).getByText('100 %').waitFor();
    await page.getByLabel('By', { exact: true }).selectOption('account');
    const earned = page.getByRole('table', { name: 'Revenue by account' });
    await earned.getByRole('link', { name: 'customer-0' }).waitFor();
    await untilEqual(() => earned.getByRole('row').count(), accounts + 1);
    await page.getByLabel('In', { exact: true }).selectOption('month');
    await page.getByRole('img', { name: /^Revenue by month/ }).waitFor();
    await page.getByText('As a table').click();
    const months = page.getByRole('table', { name: 'Revenue by month' });
    await untilEqual(() => months.getByRole('row').count(), 13);
    await months.getByRole('columnheader', { name: '3 others' }).waitFor();
    await page.waitForURL(/by=account/);
    await page.waitForURL(/per=month/);
    await page.reload();
    await page.getByRole('img', { name: /^Revenue by month/ }).waitFor();
    await page.getByLabel('From').fill('2001-01-01');
    await page.getByLabel('In', { exact: true }).selectOption('day');
    await page.getByRole('alert').getByText('400').waitFor();
  }));

test('revenue is kept as a file, in which everyone has a column', () =>
  inPage('/console/revenue?by=account&per=week', async (page) => {
    await drawn(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'revenue-by-account-per-week.csv');
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 27);
    assert.equal(lines[0]?.split(',').length, accounts + 2);
  }));

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [wide, phone, { width: 1920, height: 1080 }]) {
    test(`revenue can be read by everybody, ${colorScheme} at ${viewport.width} px`, () =>
      inPage(
        '/console/revenue?by=account',
        async (page) => {
          await drawn(page);
          await page.getByText('As a table').click();
          await page.getByRole('table', { name: 'Revenue by day' }).waitFor();
          assert.deepEqual(await axeFindings(page), []);
          assert.ok(await fitsItsWindow(page));
          await picture(page, `revenue-${viewport.width}-${colorScheme}`);
        },
        { viewport, colorScheme },
      ));
  }
}
