// Every dialog that a page opens: it can be used by everybody in light and dark, has the focus while it is open, goes with Escape, and
// gives the focus back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { axeFindings } from '../support/axe.ts';
import { startTestBerth, type TestBerth } from '../support/berth.ts';
import { openWindow, picture, startBrowser } from '../support/browser.ts';
import { makeWorld, pathOf, settled, type World } from './world.ts';

let berth: TestBerth;
let browser: Browser;
let world: World;

before(async () => {
  [berth, browser] = await Promise.all([startTestBerth(), startBrowser()]);
  world = await makeWorld(berth);
});
after(async () => {
  await browser?.close();
  await berth?.close();
});

const pages = [
  ...['ssh-keys', 'api-keys', 'groups', 'users', 'users/:user', 'images', 'addresses', 'webhooks', 'webhooks/:webhook'],
  ...['quotes', 'instances/:instance', 'instances/:instance?tab=disks', 'instances/:instance?tab=settings'],
  ...['hosts', 'hosts/:host', 'slots', 'datacenters', 'configurations', 'prices', 'accounts', 'accounts/:account'],
  'ledger',
];
/** So many are found on them at the least; else the test would say nothing. */
const dialogsMin = 35;
/** What does at once what it says, and asks nothing. */
const doesAtOnce = /^(Switch|Resend|Look again|Download|Copy|Start|Shut|Show|Drain|Back up now|Close port)/;

/** Buttons that may open a dialog: of the page itself, of its menus, and of the first row of each of its lists. */
const openersOf = (page: Page) =>
  page.locator('main button[type=button]:not(tbody tr:not(:first-child) button):not([aria-disabled=true])');

/** What is wrong with a dialog that is open. */
async function faultsOf(page: Page, dialog: Locator): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    faults.push(...(await axeFindings(page, 'dialog[open]')).map((finding) => `${colorScheme}: ${finding}`));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if ((await dialog.locator(':focus').count()) !== 1) faults.push('the focus is not in it');
  if (!(await dialog.getAttribute('aria-labelledby'))) faults.push('it has no name');
  return faults;
}

test('every dialog can be used by everybody, and gives the focus back', async () => {
  const { page, context, complaints } = await openWindow(browser, berth.url, { apiKey: world.operator });
  await context.addInitScript((id) => localStorage.setItem('berth.account', id), world.ids.default);
  const findings: string[] = [];
  const seen = new Set<string>();
  for (const path of pages) {
    await page.goto(`/console/${pathOf(path, world)}`);
    await settled(page);
    const openers = openersOf(page);
    for (let index = 0; index < (await openers.count()); index += 1) {
      const opener = openers.nth(index);
      const name = (await opener.getAttribute('aria-label')) ?? (await opener.textContent()) ?? '';
      if (doesAtOnce.test(name) || !(await opener.isVisible()) || (await opener.getAttribute('aria-pressed'))) continue;
      await opener.focus();
      await page.keyboard.press('Enter');
      const dialog = page.locator('dialog[open]');
      const isOpen = await dialog.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => false,
      );
      if (!isOpen) {
        findings.push(`${path}: ${name} opens no dialog`);
        continue;
      }
      const title = await dialog.getByRole('heading', { level: 2 }).first().textContent();
      seen.add(`${path}: ${title}`);
      const faults = await faultsOf(page, dialog);
      await picture(page, `dialog-${`${path}-${name}`.replaceAll(/\W+/g, '-')}`);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      if ((await opener.and(page.locator(':focus')).count()) !== 1) faults.push('the focus is lost');
      findings.push(...faults.map((fault) => `${path}: ${title}: ${fault}`));
    }
  }
  assert.deepEqual(findings, []);
  assert.ok(seen.size >= dialogsMin, `only ${seen.size} dialogs: ${[...seen].join('; ')}`);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the menus of the page can be used by everybody', async () => {
  const { page, context, complaints } = await openWindow(browser, berth.url, { apiKey: world.operator });
  await page.goto('/console/groups');
  await settled(page);
  await page.locator('summary').filter({ hasText: 'You:' }).press('Enter');
  await page.getByRole('group', { name: 'Theme' }).waitFor();
  for (const theme of ['dark', 'light']) {
    await page.getByRole('radio', { name: theme }).check();
    assert.deepEqual(await axeFindings(page), []);
  }
  assert.deepEqual(complaints, []);
  await context.close();
});
