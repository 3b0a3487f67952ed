// What the console does while Berth is away: it says so, keeps what is shown and what was typed, and comes back by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeVm } from '../api/native/instances.ts';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { fitsItsWindow, phone, picture, untilEqual } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage(async (berth) => {
  await makeVm(berth, { name: 'kept' });
});

test('a page says that Berth is away, keeps what was typed, and is true again by itself', async () => {
  const { page, context } = await stage.open();
  await page.goto('/console/groups');
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await page.getByRole('button', { name: 'Add group' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a group' });
  await dialog.getByLabel('Name').fill('web-servers');
  await context.setOffline(true);
  await page.getByText('Berth can’t be reached. What you see').waitFor();
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByRole('alert').getByText('Berth can’t be reached').waitFor();
  await untilEqual(() => dialog.getByLabel('Name').inputValue(), 'web-servers');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'away');
  const body = { account: 'default', name: 'made-meanwhile' };
  assert.equal((await stage.berth.call('POST', '/berth/v1/groups', body)).status, 201);
  await context.setOffline(false);
  await page.getByText('made-meanwhile').waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await page.getByText('Berth can’t be reached').waitFor({ state: 'detached' });
  await context.close();
});

test('a stream of events that does not open again is told of, and what is shown stays', async () => {
  const { page, context } = await stage.open({ viewport: phone });
  await page.route('**/events/stream*', (route) => route.abort());
  await page.goto('/console/instances');
  await page.getByText('Berth can’t be reached. What you see').waitFor();
  await page.getByRole('link', { name: 'kept' }).waitFor();
  assert.ok(await fitsItsWindow(page));
  assert.deepEqual(await axeFindings(page), []);
  await page.unroute('**/events/stream*');
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await context.close();
});

test('who comes while Berth does not answer is let in when it does', async () => {
  const { page, context } = await stage.open();
  await page.route('**/berth/v1/**', (route) => route.abort());
  await page.goto('/console/instances');
  await page.getByRole('alert').getByText('Berth can’t be reached').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'away-at-first');
  await page.unroute('**/berth/v1/**');
  await page.getByRole('link', { name: 'kept' }).waitFor();
  await context.close();
});

test('a page whose script does not come says so, and is there at the second try', async () => {
  const { page, context } = await stage.open();
  const script = '**/console/assets/index-*.js';
  await page.route(script, (route) => route.abort());
  await page.goto('/console/instances');
  await page.getByRole('heading', { name: 'The console does not load' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  assert.ok(await fitsItsWindow(page));
  await picture(page, 'scriptless');
  await page.unroute(script);
  await page.getByRole('link', { name: 'Try again' }).click();
  await page.getByRole('link', { name: 'kept' }).waitFor();
  await page.getByRole('heading', { name: 'The console does not load' }).waitFor({ state: 'detached' });
  await context.close();
});

test('with colours of one’s own, at twice the size and without motion the pages can be used', async () => {
  const half = { width: 720, height: 450 };
  const { page, context } = await stage.open({ viewport: half });
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  for (const path of ['/', '/console/instances', '/console/offers', '/console/create', '/console/statement']) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.ok(await fitsItsWindow(page), path);
    await picture(page, `forced${path.replaceAll('/', '-')}`);
  }
  await context.close();
});

test('a page that is gone to has the focus at its top and its name on the window, and content is one key away', async () => {
  const { page, context } = await stage.open();
  await page.goto('/');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('link', { name: 'Skip to content' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('main:focus').waitFor();
  const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Groups' });
  await link.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Groups' }).waitFor();
  await page.locator('main:focus').waitFor();
  await untilEqual(() => page.title(), 'Groups · Berth');
  await context.close();
});

test('a page whose style sheet was lost on the way is loaded anew, and not for ever', async () => {
  const { page, context } = await stage.open();
  let asked = 0;
  let lost = 1;
  await page.route('**/console/assets/*.css', (route) => {
    asked += 1;
    return asked <= lost ? route.abort('connectionreset') : route.continue();
  });
  await page.goto('/console/groups');
  await until('the sheet was asked for again', async () => asked === 2);
  await page.getByRole('heading', { name: 'Groups' }).waitFor();
  await until('it is styled', async () =>
    page.evaluate("getComputedStyle(document.body).getPropertyValue('--ground') !== ''"),
  );
  // Where it does not come at all, the page is shown as it is and not loaded for ever.
  lost = Number.POSITIVE_INFINITY;
  await page.evaluate('sessionStorage.clear()');
  await page.goto('/console/users');
  // The page loads itself anew three times.
  await until('the sheet was asked for often enough', async () => asked === 6);
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  assert.equal(asked, 6);
  await context.close();
});
