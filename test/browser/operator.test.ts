// What operators do: hosts that they enrol, price and drain, slots, places, sizes, prices, and the money of accounts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { parseId } from '../../src/api/native/id.ts';
import { inTransaction } from '../../src/store/database.ts';
import { insertEvents } from '../../src/store/event.ts';
import { addUser, tokenOf } from '../api/bytemark/identity.ts';
import { addHost } from '../api/fluence/market.ts';
import { deployBody, deployed, openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { picture, row, untilInvalid } from '../support/browser.ts';
import { operatorKey, setStage } from '../support/stage.ts';

let operator: string;
const stage = setStage(async (berth) => {
  operator = await operatorKey(berth);
});

/** Opens a page as who runs the whole, and holds it to complain of nothing. */
const inPage = (path: string, work: (page: Page) => Promise<void>) => stage.inPage(path, work, { apiKey: operator });

test('who does not run the whole has no way to its pages, and is refused there', async () => {
  const user = await addUser(stage.berth, 'default');
  const { page, context } = await stage.open({ apiKey: await tokenOf(stage.berth, user) });
  await page.goto('/console/hosts');
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Ledger' }).count(), 0);
  await context.close();
});

test('a host is enrolled with a command, and the page sees without a reload when it is heard of', () =>
  inPage('/console/hosts', async (page) => {
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Enrol a host' }).click();
    const dialog = page.getByRole('dialog', { name: 'Enrol a host' });
    await dialog.getByLabel('Name').fill('edge-1');
    await dialog.getByLabel('Address pools').fill('nonsense');
    await dialog.getByRole('button', { name: 'Make the command' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Address pools').fill('127.91.0.0/24');
    await dialog.getByRole('button', { name: 'Make the command' }).click();
    const command = (await dialog.locator('code').first().textContent()) ?? '';
    assert.match(command, /berth/);
    await dialog.getByText('waiting').waitFor();
    await hearOf('edge-1');
    await dialog.getByText('edge-1 is here').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('list', { name: 'Hosts' }).getByRole('link', { name: 'edge-1' }).waitFor();
    await page.getByLabel('Shown as').selectOption('list');
    await row(page, 'edge-1').getByText('reachable').waitFor();
    await page.getByLabel('State').selectOption('retired');
    await page.getByText('No such host').waitFor();
  }));

/** Lets a host be heard of, as its agent's first word would. */
async function hearOf(name: string): Promise<void> {
  const database = await openStore(stage.berth);
  const { id } = await database.selectFrom('host').where('name', '=', name).select('id').executeTakeFirstOrThrow();
  const inventory = JSON.stringify({
    cores: 8,
    memoryMib: 16_384,
    diskGib: 100,
    cpuModel: 'a test',
    storageType: 'SSD',
  });
  await inTransaction(database, async (tx) => {
    await tx
      .insertInto('host_health')
      .values({ host_id: id, last_seen_at: new Date(), inventory, strays: '[]' })
      .execute();
    await tx.updateTable('host').set({ reachable: true }).where('id', '=', id).execute();
    const event = { kind: 'host.reachable', message: 'The host is in reach.', actor: 'agent', createdAt: new Date() };
    await insertEvents(tx, [{ ...event, accountId: null, instanceId: null, hostId: id }]);
  });
  await database.destroy();
}

/** The id of the host that runs what tests make. */
async function ownHost(): Promise<string> {
  const answer = await fetch(`${stage.berth.url}/berth/v1/hosts`, { headers: { authorization: `Bearer ${operator}` } });
  const { items } = (await answer.json()) as { items: { id: string; name: string }[] };
  const id = items.find(({ name }) => name === 'vm')?.id ?? '';
  assert.ok(parseId('host', id));
  return id;
}

test('a host is drained and taken back, and says why it can’t be retired with what it has', async () => {
  await deployed(stage.berth, deployBody({ name: 'kept' }));
  await inPage(`/console/hosts/${await ownHost()}`, async (page) => {
    await row(page, 'kept').waitFor();
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page.getByText('drained', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Retire' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Retire' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Undrain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undrain' }).click();
    await page.getByText('open', { exact: true }).waitFor();
  });
});

test('a host’s terms and hardware are changed, and what can’t be is refused at its field', async () =>
  inPage(`/console/hosts/${await ownHost()}`, async (page) => {
    await page.getByLabel('vCPUs sold per core').fill('many');
    await page.getByRole('button', { name: 'Save terms' }).click();
    await page.getByRole('alert').waitFor();
    await untilInvalid(page.getByLabel('vCPUs sold per core'));
    await page.getByLabel('vCPUs sold per core').fill('2');
    await page.getByRole('button', { name: 'Save terms' }).click();
    await page.getByText('of 128', { exact: false }).waitFor();
    await page.getByLabel('Memory type').fill('DDR');
    await page.getByLabel('Memory generation').fill('5');
    await page.getByRole('button', { name: 'Save hardware' }).click();
    await page.getByText('What you say of its hardware counts').waitFor();
    await page.getByRole('button', { name: 'Add range' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a range of addresses' });
    await dialog.getByLabel('Range').fill('127.92.0.1');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Range').fill('127.92.0.0/24');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await row(page, '127.92.0.0/24').waitFor();
    await page.getByRole('button', { name: 'Remove 127.92.0.0/24' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove range' }).click();
    await row(page, '127.92.0.0/24').waitFor({ state: 'detached' });
  }));

test('a slot is let, priced, closed and removed', () =>
  inPage('/console/slots', async (page) => {
    await page.getByRole('button', { name: 'Add slot' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Add a slot' });
    await dialog.getByLabel('Host').selectOption({ label: 'vm' });
    await dialog.getByLabel('Name').fill('slice');
    await dialog.getByLabel('vCPUs').fill('2');
    await dialog.getByLabel('Memory, GiB').fill('4');
    await dialog.getByLabel('Storage, GiB').fill('20');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('alert').first().waitFor();
    await dialog.getByLabel('US dollars an hour').fill('0.05');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await row(page, 'slice').getByText('$0.05 / hour').waitFor();
    await page.getByRole('button', { name: 'Price of slice' }).click();
    const pricing = page.getByRole('dialog', { name: 'What slice costs' });
    await pricing.getByLabel('US dollars an hour').fill('0.07');
    await pricing.getByRole('button', { name: 'Save' }).click();
    await row(page, 'slice').getByText('$0.07 / hour').waitFor();
    await page.getByRole('link', { name: 'Free slots' }).click();
    const free = page.getByRole('table', { name: 'Free slots' });
    await free.getByText('$0.07 an hour').waitFor();
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'free-slots');
    await page.getByLabel('vCPUs at least').fill('999');
    await page.getByText('No such slot is free').waitFor();
    await page.waitForURL(/vcpus=999/);
    await page.getByLabel('vCPUs at least').fill('2');
    await free.getByRole('link', { name: 'Rent 2 vCPU, 4 GiB' }).click();
    await page.getByRole('heading', { level: 1, name: 'Start a container' }).waitFor();
    await page.getByRole('radio', { checked: true }).first().waitFor();
    await page.goto('/console/slots');
    await page.getByRole('button', { name: 'Close slice' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close slot' }).click();
    await page.getByRole('button', { name: 'Open slice' }).waitFor();
    await page.getByRole('button', { name: 'Remove slice' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove slot' }).click();
    await row(page, 'slice').waitFor({ state: 'detached' });
  }));

test('places, sizes and rate cards are added, and what can’t be one is refused', () =>
  inPage('/console/datacenters', async (page) => {
    await page.getByRole('button', { name: 'Add datacenter' }).first().click();
    const place = page.getByRole('dialog', { name: 'Add a datacenter' });
    await place.getByLabel('Slug').fill('poznan-1');
    await place.getByLabel('Country').fill('XX');
    await place.getByLabel('City', { exact: true }).fill('POZ');
    await place.getByRole('button', { name: 'Add' }).click();
    await place.getByRole('alert').waitFor();
    await place.getByLabel('Country').fill('PL');
    await place.getByRole('button', { name: 'Add' }).click();
    await row(page, 'poznan-1').waitFor();
    await page.getByRole('button', { name: 'Remove poznan-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row(page, 'poznan-1').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Configurations' }).click();
    await page.getByRole('button', { name: 'Sell a size' }).first().click();
    const size = page.getByRole('dialog', { name: 'Sell a size' });
    await size.getByLabel('Slug').fill('large');
    await size.getByRole('button', { name: 'Sell' }).click();
    await size.getByRole('alert').waitFor();
    await size.getByLabel('Slug').fill('cpu-6-ram-12gb-storage-60gb');
    await size.getByRole('button', { name: 'Sell' }).click();
    await row(page, 'cpu-6-ram-12gb-storage-60gb').waitFor();
    await page.getByRole('button', { name: 'Take off cpu-6-ram-12gb-storage-60gb' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sell it no longer' }).click();
    await row(page, 'cpu-6-ram-12gb-storage-60gb').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Prices' }).click();
    await page.getByRole('button', { name: 'Add rate card' }).first().click();
    const card = page.getByRole('dialog', { name: 'Add a rate card' });
    for (const label of ['A vCPU', 'A GiB of memory', 'A GiB of storage', 'An address']) {
      await card.getByLabel(label).fill('0.31');
    }
    await card.getByLabel('A vCPU').fill('-1');
    await card.getByRole('button', { name: 'Add' }).click();
    await card.getByRole('alert').first().waitFor();
    await card.getByLabel('A vCPU').fill('0.37');
    await card.getByRole('button', { name: 'Add' }).click();
    await row(page, '$0.37').waitFor();
    await row(page, '$0.37')
      .getByRole('button', { name: /^Change rates/ })
      .click();
    const change = page.getByRole('dialog', { name: 'Change rates' });
    await change.getByLabel('A vCPU').fill('a lot');
    await change.getByRole('button', { name: 'Change' }).click();
    await change.getByRole('alert').first().waitFor();
    await change.getByLabel('A vCPU').fill('0.41');
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'price-change');
    await change.getByRole('button', { name: 'Change' }).click();
    await row(page, '$0.41').getByText('$0.31').first().waitFor();
  }));

test('an account is opened, given money and taken some of it, and each stands in the ledger with its entries', () =>
  inPage('/console/accounts', async (page) => {
    await page.getByRole('button', { name: 'Open account' }).click();
    const opening = page.getByRole('dialog', { name: 'Open an account' });
    await opening.getByLabel('Name').fill('default');
    await opening.getByRole('button', { name: 'Open' }).click();
    await opening.getByRole('alert').waitFor();
    await opening.getByLabel('Name').fill('acme');
    await opening.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('link', { name: 'acme' }).click();
    await page.getByRole('heading', { name: 'acme', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Give money' }).click();
    const giving = page.getByRole('dialog', { name: 'Give money to acme' });
    await giving.getByLabel('US dollars').fill('a lot');
    await giving.getByLabel('Reason').fill('an invoice');
    await giving.getByRole('button', { name: 'Give' }).click();
    await giving.getByRole('alert').waitFor();
    await giving.getByLabel('US dollars').fill('25');
    await giving.getByRole('button', { name: 'Give' }).click();
    await page.locator('.figure').filter({ hasText: '$25.00' }).waitFor();
    await page.getByRole('button', { name: 'Take money' }).click();
    const taking = page.getByRole('dialog', { name: 'Take money from acme' });
    await taking.getByLabel('US dollars').fill('100');
    await taking.getByLabel('Reason').fill('a mistake');
    await taking.getByRole('button', { name: 'Take' }).click();
    await taking.getByRole('alert').waitFor();
    await taking.getByLabel('US dollars').fill('5');
    await taking.getByRole('button', { name: 'Take' }).click();
    await page.locator('.figure').filter({ hasText: '$20.00' }).waitFor();
    await page.getByRole('link', { name: 'In the ledger' }).click();
    await page.getByRole('heading', { name: 'Ledger' }).waitFor();
    await row(page, 'a mistake').waitFor();
    await page.waitForURL(/account=acc_/);
    await page.getByRole('button', { name: 'Entries of an invoice' }).click();
    const entries = page.getByRole('dialog').getByRole('table', { name: 'Entries' });
    await entries.getByText('-$25.00').waitFor();
    await entries.getByText('the world outside').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Kind').selectOption('debit');
    await row(page, 'an invoice').waitFor({ state: 'detached' });
  }));

// The last one: what is deployed after it may come to its other host.
test('hosts are shown place by place where there are several places, with what of each is sold', async () => {
  const post = async (path: string, body: object) => {
    const { status } = await callApi(stage.berth.url, operator, 'POST', `/berth/v1/${path}`, body);
    assert.equal(status, 201);
  };
  await post('datacenters', { slug: 'waw-1', country: 'PL', city: 'WAW', tier: 3 });
  await post('datacenters', { slug: 'ber-1', country: 'DE', city: 'BER', tier: 3 });
  const path = `/berth/v1/hosts/${await ownHost()}`;
  const moved = await callApi(stage.berth.url, operator, 'PATCH', path, { datacenter: 'waw-1' });
  assert.equal(moved.status, 200);
  const database = await openStore(stage.berth);
  const { id: datacenterId } = await database
    .selectFrom('datacenter')
    .where('slug', '=', 'ber-1')
    .select('id')
    .executeTakeFirstOrThrow();
  await addHost(database, { datacenterId });
  await database.destroy();
  await inPage('/console/hosts', async (page) => {
    await page.getByRole('list', { name: 'Hosts: waw-1 (PL, WAW)' }).getByRole('link', { name: 'vm' }).waitFor();
    const berlin = page.getByRole('region', { name: 'ber-1 (DE, BER)' });
    await berlin.getByText(/^1 host · 0 instances · 0 of \d+ vCPUs? · .* of storage sold$/).waitFor();
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'hosts-by-place');
    await page.getByLabel('Datacenter', { exact: true }).selectOption('ber-1');
    // Of one place alone nothing is to be told apart.
    await page.getByRole('region', { name: 'waw-1 (PL, WAW)' }).waitFor({ state: 'detached' });
    await page.getByRole('list', { name: 'Hosts', exact: true }).getByRole('link').waitFor();
  });
});
