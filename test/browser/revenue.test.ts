// What operators see of revenue: over time as bars and as a table, whoever it is summed up by, kept in the address, and as a file.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { inTransaction } from '../../src/store/database.ts';
import { insertTransactions } from '../../src/store/ledger.ts';
import { addUser, grant, tokenOf } from '../api/bytemark/identity.ts';
import { credit, openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi, startTestBerth, type TestBerth } from '../support/berth.ts';
import { fitsItsWindow, openWindow, phone, picture, startBrowser, wide } from '../support/browser.ts';

let berth: TestBerth;
let browser: Browser;
let operator: string;

const dayMs = 86_400_000;
const accounts = 8;

/** Eight accounts that paid each day of two months, on the one host. */
before(async () => {
  [berth, browser] = await Promise.all([startTestBerth(), startBrowser()]);
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  operator = await tokenOf(berth, user);
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
after(async () => {
  await browser?.close();
  await berth?.close();
});

async function inPage(path: string, work: (page: Page) => Promise<void>, look: Parameters<typeof openWindow>[2] = {}) {
  const { page, context, complaints } = await openWindow(browser, berth.url, { apiKey: operator, ...look });
  await page.goto(path);
  await work(page);
  assert.deepEqual(complaints, []);
  await context.close();
}

const drawn = (page: Page) => page.getByRole('img', { name: /^Revenue by/ }).waitFor();

test('revenue is told by host and day, and by what else one asks for, which the address keeps', () =>
  inPage('/console/revenue', async (page) => {
    await drawn(page);
    await page.getByRole('table', { name: 'Revenue by host' }).getByText('100 %').waitFor();
    await page.getByLabel('By', { exact: true }).selectOption('account');
    const earned = page.getByRole('table', { name: 'Revenue by account' });
    await earned.getByRole('link', { name: 'customer-0' }).waitFor();
    assert.equal(await earned.getByRole('row').count(), accounts + 1);
    await page.getByLabel('In', { exact: true }).selectOption('month');
    await page.getByRole('img', { name: /^Revenue by month/ }).waitFor();
    await page.getByText('As a table').click();
    const months = page.getByRole('table', { name: 'Revenue by month' });
    assert.equal(await months.getByRole('row').count(), 13);
    await months.getByRole('columnheader', { name: '3 others' }).waitFor();
    assert.match(page.url(), /by=account/);
    assert.match(page.url(), /per=month/);
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
