// Making VMs and containers in the console: prices that follow what is chosen, refusals at their fields, and the whole by keyboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { addUser, grant, tokenOf } from '../api/bytemark/identity.ts';
import { letSlots } from '../api/hiveon/support.ts';
import { keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { phone, pick, picture, untilEqual } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage(async (berth) => {
  const { status } = await berth.call('POST', '/berth/v1/ssh-keys', { name: 'laptop', publicKey: keys.ed25519 });
  assert.equal(status, 201);
});

const cost = (page: Page) => page.getByRole('region', { name: 'What it costs' });
const tabsMax = 60;

/** Goes on with the Tab key until something has the focus. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  const focused = wanted.and(page.locator(':focus'));
  for (let pressed = 0; pressed < tabsMax; pressed += 1) {
    if ((await focused.count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${tabsMax} times Tab did not lead to ${wanted}`);
}

test('a VM is made with the keyboard alone, and its page shows it come up', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?configuration=cpu-1-ram-1gb-storage-5gb');
  await cost(page).getByText('a day').waitFor();
  await page.getByRole('list', { name: 'Keys that get in' }).getByText('laptop').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await tabTo(page, page.getByLabel('Ports open from outside'));
  await page.keyboard.type('80, 443');
  await tabTo(page, page.getByLabel('Name', { exact: true }));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('by-keyboard');
  await tabTo(page, page.getByRole('button', { name: 'Create by-keyboard' }));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/console\/instances\/ins_/);
  await page.getByRole('heading', { name: 'by-keyboard' }).waitFor();
  await page.getByText('active', { exact: true }).first().waitFor();
  const { body } = await stage.berth.call<{ items: { ports: { port: number }[] }[] }>(
    'GET',
    '/berth/v1/instances?name=by-keyboard',
  );
  assert.deepEqual(
    body.items[0]?.ports.map(({ port }) => port).toSorted((one, other) => one - other),
    [22, 80, 443],
  );
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the price follows what is chosen, and several of one name are made together', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create');
  await page.getByLabel('Configuration').selectOption('cpu-1-ram-1gb-storage-5gb');
  await cost(page).getByText('$0.135 a day').waitFor();
  await page.getByLabel('Additional storage, GiB').fill('10');
  await cost(page).getByText('1 vCPU, 1 GiB of memory, 15 GiB of disk').waitFor();
  await page.getByLabel('Additional storage, GiB').fill('');
  await page.getByLabel('Size').selectOption('own');
  await page.getByLabel('vCPUs').fill('2');
  await page.getByLabel('Memory, GiB').fill('2');
  await cost(page).getByText('2 vCPU, 2 GiB of memory, 10 GiB of disk').waitFor();
  await page.getByLabel('Size').selectOption('configuration');
  await page.getByLabel('How many').fill('2');
  await cost(page).getByText('$0.27 a day').waitFor();
  await cost(page)
    .getByText(/^2 VMs, each 1 vCPU/)
    .waitFor();
  await page.getByLabel('Name', { exact: true }).fill('pair');
  await page.getByRole('button', { name: 'Create 2 VMs' }).click();
  await page.getByRole('heading', { name: 'Deployment' }).waitFor();
  const rows = page.getByRole('table', { name: 'Instances' }).getByRole('row');
  await rows.filter({ hasText: 'active' }).nth(1).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what is refused stands at its field, before anything is charged', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?configuration=cpu-1-ram-1gb-storage-5gb');
  await cost(page).getByText('a day').waitFor();
  const isMarked = async (label: string) => {
    await page.getByLabel(label, { exact: true }).and(page.locator('[aria-invalid="true"]')).waitFor();
    await cost(page).getByText('Told as soon as what is marked is right.').waitFor();
  };
  await page.getByLabel('Name', { exact: true }).fill('<img src=x onerror=alert(1)>');
  await isMarked('Name');
  assert.deepEqual(await axeFindings(page), []);
  await page.getByLabel('Name', { exact: true }).fill('right');
  await cost(page).getByText('a day').waitFor();
  await page.getByLabel('Ports open from outside').fill('http');
  await isMarked('Ports open from outside');
  await page.getByLabel('Ports open from outside').fill('');
  await page.getByLabel('How many').fill('11');
  await isMarked('How many');
  await page.getByLabel('How many').fill('1');
  await page.getByLabel('A new public key').fill('no key');
  await page.getByRole('button', { name: 'Register this key' }).click();
  await page.getByLabel('A new public key').and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.getByLabel('A new public key').fill(keys.rsa);
  await page.getByRole('button', { name: 'Register this key' }).click();
  await page.getByRole('list', { name: 'Keys that get in' }).getByRole('listitem').nth(1).waitFor();
  await page.getByLabel('At most, $ an epoch').fill('0.001');
  await cost(page).getByText('Nothing on the market fits this now.').waitFor();
  await cost(page).getByRole('link', { name: 'See why, and what would fit' }).click();
  await page.getByRole('heading', { name: 'Nothing fits this now' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a key that was only pasted gets in, and a password for the console', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?configuration=cpu-1-ram-1gb-storage-5gb');
  await cost(page).getByText('a day').waitFor();
  const keysIn = page.getByRole('list', { name: 'Keys that get in' }).getByRole('listitem');
  await page
    .getByRole('button', { name: /^Leave out / })
    .first()
    .click();
  // The one that had the focus is gone; the field that has the key again has it now.
  const adding = page.getByRole('combobox', { name: 'Add a registered key' });
  await adding.and(page.locator(':focus')).waitFor();
  await pick(page, 'Add a registered key', 'laptop');
  await keysIn.filter({ hasText: 'laptop' }).waitFor();
  while ((await keysIn.count()) > 0) {
    const before = await keysIn.count();
    await page
      .getByRole('button', { name: /^Leave out / })
      .first()
      .click();
    await untilEqual(() => keysIn.count(), before - 1);
  }
  await page.getByLabel('A new public key').fill('no-key');
  await cost(page).getByText('Told as soon as what is marked is right.').waitFor();
  await page.getByLabel('A new public key').fill(keys.ecdsa);
  await cost(page).getByText('a day').waitFor();
  await page.getByLabel('Root password').fill('for its console');
  await page.getByLabel('Name', { exact: true }).fill('pasted');
  const asked = page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/berth/v1/instances'));
  await page.getByRole('button', { name: 'Create pasted' }).click();
  const { sshKeys, rootPassword } = (await asked).postDataJSON();
  assert.deepEqual([sshKeys, rootPassword], [[keys.ecdsa], 'for its console']);
  await page.waitForURL(/\/console\/instances\/ins_/);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('who has too little is told so, and can’t press the button', async () => {
  const user = await addUser(stage.berth, 'default');
  await grant(stage.berth, user.username, 'cluster_admin');
  const token = await tokenOf(stage.berth, user);
  const { body: balance } = await stage.berth.call<{ available: string }>('GET', '/berth/v1/accounts/default/balance');
  const move = (verb: string) =>
    callApi(stage.berth.url, token, 'POST', `/berth/v1/accounts/default/${verb}`, {
      ...{ amount: balance.available, reason: 'a test' },
    });
  assert.equal((await move('debits')).status, 201);
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?configuration=cpu-1-ram-1gb-storage-5gb');
  await cost(page)
    .getByText(/^That needs \$0.27, and the account has \$0.00/)
    .waitFor();
  const button = page.getByRole('button', { name: /^Create vm-/ });
  await untilEqual(() => button.getAttribute('aria-disabled'), 'true');
  assert.equal((await move('credits')).status, 201);
  // The ledger's event says so: nobody reloads.
  await page.getByRole('button', { name: /^Create vm-/, disabled: false }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a container is started on a slot that is free', async () => {
  await letSlots(stage.berth, 1);
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?kind=container');
  await page.getByRole('heading', { name: 'Start a container' }).waitFor();
  await untilEqual(() => page.getByRole('button', { name: /^Start ct-/ }).getAttribute('aria-disabled'), 'true');
  await page.getByRole('radio').first().check();
  await cost(page).getByText('Held as a deposit').waitFor();
  await page.getByLabel('Environment').fill('LOG_LEVEL=info\nEMPTY');
  await page.getByLabel('Name', { exact: true }).fill('web');
  await page.getByRole('button', { name: 'Start web' }).click();
  await page.getByLabel('Image').and(page.locator('[aria-invalid="true"]')).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await page.getByLabel('Image').fill('nginx:latest');
  await page.getByRole('button', { name: 'Start web' }).click();
  await page.waitForURL(/\/console\/instances\/ins_/);
  await page.getByRole('heading', { name: 'web', exact: true }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('it can be used in both themes and on a phone', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      for (const kind of ['vm', 'container']) {
        const options = { colorScheme, ...(viewport ? { viewport } : {}) };
        const { page, context, complaints } = await stage.open(options);
        await page.goto(`/console/create?kind=${kind}`);
        await cost(page)
          .getByText(kind === 'vm' ? 'a day' : 'Choose a slot to see it.')
          .waitFor();
        assert.deepEqual(await axeFindings(page), [], `${kind} ${colorScheme} ${name}`);
        assert.ok(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          `${name} scrolls sideways`,
        );
        await picture(page, `create-${kind}-${colorScheme}-${name}`);
        assert.deepEqual(complaints, []);
        await context.close();
      }
    }
  }
});
