// What happens, as it is listed live, and webhooks, which are told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { picture, row, untilEqual } from '../support/browser.ts';
import { asNewUser, setStage } from '../support/stage.ts';

const stage = setStage();

test('a webhook is added with its secret shown once, told of events, switched off and removed', () =>
  asNewUser(stage, '/console/webhooks', async (page) => {
    await page.getByRole('button', { name: 'Add webhook' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Add a webhook' });
    await dialog.waitFor();
    assert.deepEqual(await axeFindings(page), []);
    await dialog.getByLabel('URL').fill('http://127.0.0.1/inside');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('URL').fill('https://hooks.example.com/berth');
    await dialog.getByLabel('Groups').check();
    await dialog.getByRole('button', { name: 'Add' }).click();
    const shown = page.getByRole('dialog', { name: 'The webhook’s secret' });
    assert.ok(((await shown.locator('.secrets code').textContent()) ?? '').length > 16);
    await shown.getByRole('button', { name: 'I have kept it' }).click();
    await row(page, 'instance, group').waitFor();
    await stage.berth.call('POST', '/berth/v1/groups', { name: 'told-of' });
    await page.getByRole('link', { name: 'https://hooks.example.com/berth' }).click();
    await row(page, 'Group told-of was made.').waitFor();
    await page.getByLabel('State').selectOption('delivered');
    await page.getByText('Nothing to deliver').waitFor();
    await page.waitForURL(/state=delivered/);
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByRole('button', { name: 'Switch on' }).waitFor();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove webhook' }).click();
    await page.getByText('Nobody is told').waitFor();
  }));

test('events are listed newest first as they happen, and the filter is in the address', () =>
  asNewUser(stage, '/console/events', async (page) => {
    await page.getByText('Live', { exact: true }).waitFor();
    await stage.berth.call('POST', '/berth/v1/groups', { name: 'just-now' });
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await rows.nth(1).getByText('Group just-now was made.').waitFor();
    await page.getByLabel('About').selectOption('webhook');
    await rows.filter({ hasText: 'just-now' }).waitFor({ state: 'detached' });
    await page.waitForURL(/kind=webhook/);
    await page.getByLabel('About').selectOption('');
    await rows.filter({ hasText: 'just-now' }).waitFor();
    await page.getByLabel('Instance').fill('ins_nothing');
    await page.getByRole('alert').waitFor();
  }));

test('events come to the top without the list being read again, and are held back while one reads further down', () =>
  asNewUser(stage, '/console/events', async (page) => {
    const name = (count: number) => `many-${String(count).padStart(3, '0')}`;
    const many = Array.from({ length: 40 }, (_, count) => ({ name: name(count) }));
    for (const group of many) await stage.berth.call('POST', '/berth/v1/groups', group);
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await rows
      .nth(1)
      .getByText(`Group ${name(39)} was made.`)
      .waitFor();
    const reads: string[] = [];
    page.on('request', (request) => {
      if (/\/berth\/v1\/events\?/.test(request.url())) reads.push(request.url());
    });
    await stage.berth.call('POST', '/berth/v1/groups', { name: 'at-the-top' });
    await rows.nth(1).getByText('Group at-the-top was made.').waitFor();
    await page.mouse.wheel(0, 700);
    await until('it is scrolled', async () => (await page.evaluate('scrollY > 400')) === true);
    await stage.berth.call('POST', '/berth/v1/groups', { name: 'meanwhile-1' });
    await page.getByRole('button', { name: '1 new event' }).waitFor();
    await stage.berth.call('POST', '/berth/v1/groups', { name: 'meanwhile-2' });
    const button = page.getByRole('button', { name: '2 new events' });
    await button.waitFor();
    assert.match((await rows.nth(1).textContent()) ?? '', /at-the-top/);
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'events-held');
    await button.click();
    await rows.nth(1).getByText('Group meanwhile-2 was made.').waitFor();
    await button.waitFor({ state: 'detached' });
    await untilEqual(() => page.evaluate('scrollY'), 0);
    assert.deepEqual(reads, []);
  }));
