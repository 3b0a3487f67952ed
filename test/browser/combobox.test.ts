// Choosing one of more than are offered at once: what is typed is searched for on the server, by keyboard and by mouse, in a page and
// in a dialog.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Page } from 'playwright-core';
import { keys, openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { fitsItsWindow, phone, pick, picture, untilEqual } from '../support/browser.ts';
import { operatorKey, setStage } from '../support/stage.ts';

/** More than any page of a list has. */
const many = 230;

let operator: string;
const stage = setStage(async (berth) => {
  operator = await operatorKey(berth);
  const database = await openStore(berth);
  await sql`insert into account (id, name, created_at)
    select gen_random_uuid(), 'acct-' || lpad(n::text, 3, '0'), now() from generate_series(1, ${many}) n`.execute(
    database,
  );
  await sql`insert into ssh_key (id, account_id, name, fingerprint, algorithm, comment, public_key, created_at)
    select gen_random_uuid(), account.id, 'key-' || lpad(n::text, 3, '0'), 'SHA256:' || md5(n::text), 'ssh-ed25519', '',
      ${keys.ed25519}, now()
    from generate_series(1, ${many}) n, account where account.name = 'default'`.execute(database);
  await database.destroy();
  for (let index = 1; index <= 30; index += 1) {
    const name = `team-${String(index).padStart(2, '0')}`;
    const { status } = await berth.call('POST', '/berth/v1/groups', { account: 'default', name });
    assert.equal(status, 201);
  }
});

const groupField = (page: Page) => page.getByRole('combobox', { name: 'Group' });
const activeOption = (page: Page) => page.locator('[role=option].active');

test('what is typed is searched for among all there are, and chosen by keyboard', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create');
  const field = groupField(page);
  await untilEqual(() => field.inputValue(), 'default');
  await field.focus();
  await page.keyboard.press('ArrowDown');
  await page.getByText('The first 20; type more of the name').waitFor();
  await untilEqual(() => field.getAttribute('aria-expanded'), 'true');
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'combobox-open');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  // Round from the first one to the last.
  await until('the field says which one', async () => {
    const active = await activeOption(page).getAttribute('id');
    return active !== null && active === (await field.getAttribute('aria-activedescendant'));
  });
  await page.keyboard.press('Escape');
  await untilEqual(() => field.getAttribute('aria-expanded'), 'false');
  await untilEqual(() => field.inputValue(), 'default');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('M-29');
  await page.getByRole('option', { name: 'team-29' }).waitFor();
  await untilEqual(() => page.getByRole('listbox', { name: 'Found' }).getByRole('option').count(), 1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await untilEqual(() => field.inputValue(), 'team-29');
  await untilEqual(() => field.getAttribute('aria-expanded'), 'false');
  // Nothing was sent by that Enter, and what is typed without choosing changes nothing.
  await page.waitForURL(/\/console\/create/);
  await field.fill('nonsense');
  await page.getByText('Nothing has that in its name').waitFor();
  await page.keyboard.press('Tab');
  await untilEqual(() => field.inputValue(), 'team-29');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('Escape closes the list, and only then the dialog around it; the focus goes back to where it came from', async () => {
  const { page, context, complaints } = await stage.open({ apiKey: operator });
  await page.goto('/console/groups');
  const opener = page.getByRole('button', { name: 'Add group' });
  await opener.click();
  const dialog = page.getByRole('dialog');
  const field = dialog.getByRole('combobox', { name: 'Account' });
  await field.click();
  await dialog.getByRole('option').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await page.keyboard.press('Escape');
  assert.ok(await dialog.isVisible());
  await pick(dialog, 'Account', 'acct-222');
  await untilEqual(() => field.inputValue(), 'acct-222');
  await dialog.getByLabel('Name').fill('beyond');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('beyond is added').waitFor();
  await opener.click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await untilEqual(() => page.evaluate('document.activeElement.textContent'), 'Add group');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an account beyond those that are read at once is chosen for the whole page, and stays so', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const options = { apiKey: operator, colorScheme, ...(colorScheme === 'dark' ? { viewport: phone } : {}) };
    const { page, context, complaints } = await stage.open(options);
    await page.goto('/console/quotes');
    await pick(page.locator('header'), 'Account', 'acct-229');
    await page.getByRole('heading', { name: 'No quotes' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'No quotes' }).waitFor();
    const account = page.getByRole('combobox', { name: 'Account' });
    await until('its name is shown', async () => (await account.inputValue()) === 'acct-229');
    await page.getByRole('combobox', { name: 'Account' }).click();
    await page.getByRole('option', { name: 'All accounts' }).waitFor();
    assert.deepEqual(await axeFindings(page), []);
    assert.ok(await fitsItsWindow(page));
    await picture(page, `combobox-account-${colorScheme}`);
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

test('of more SSH keys than one can look through none is chosen to begin with, and several are by a part of their names', async () => {
  const { page, context, complaints } = await stage.open({ viewport: phone });
  await page.goto('/console/create');
  await page.getByText('Nobody can log in by SSH unless').waitFor();
  await pick(page, 'Add a registered key', 'key-229');
  const chosen = page.getByRole('list', { name: 'Keys that get in' }).getByRole('listitem');
  await chosen.filter({ hasText: 'key-229' }).waitFor();
  const field = page.getByRole('combobox', { name: 'Add a registered key' });
  await untilEqual(() => field.inputValue(), '');
  await field.fill('key-22');
  await page.getByRole('option', { name: /^key-220/ }).waitFor();
  // What is chosen is not offered again.
  assert.equal(await page.getByRole('option', { name: /^key-229/ }).count(), 0);
  await page.getByRole('option', { name: /^key-220/ }).click();
  await untilEqual(() => chosen.count(), 2);
  assert.deepEqual(await axeFindings(page), []);
  assert.ok(await fitsItsWindow(page));
  await picture(page, 'ssh-keys-phone');
  assert.deepEqual(complaints, []);
  await context.close();
});
