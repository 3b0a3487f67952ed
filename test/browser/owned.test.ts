// What an account has besides instances: groups, images, quotes, addresses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployBody, deployed } from '../api/support.ts';
import { row, untilInvalid } from '../support/browser.ts';
import { asNewUser, setStage } from '../support/stage.ts';

const stage = setStage();

test('a group that somebody else makes is there without a reload, and one is renamed and removed', () =>
  asNewUser(stage, '/console/groups', async (page) => {
    await row(page, 'default').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const made = await stage.berth.call('POST', '/berth/v1/groups', { name: 'made-elsewhere' });
    assert.equal(made.status, 201);
    await row(page, 'made-elsewhere').waitFor();
    await page.getByRole('button', { name: 'Rename made-elsewhere' }).click();
    const dialog = page.getByRole('dialog', { name: 'Rename made-elsewhere' });
    await dialog.getByLabel('Name').fill('default');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Name').fill('web');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await row(page, 'web').waitFor();
    await page.getByRole('button', { name: 'Remove web' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row(page, 'web').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove default' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
  }));

test('an image of one’s own is registered, and a checksum that can’t be one is refused at its field', () =>
  asNewUser(stage, '/console/images', async (page) => {
    await page.getByRole('button', { name: 'Register image' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Register an image' });
    await dialog.getByLabel('Name').fill('golden');
    await dialog.getByLabel('URL').fill('https://images.example.com/golden.qcow2');
    await dialog.getByLabel('SHA-256').fill('abc');
    await dialog.getByRole('button', { name: 'Register' }).click();
    await dialog.getByRole('alert').waitFor();
    await untilInvalid(dialog.getByLabel('SHA-256'));
    await dialog.getByLabel('SHA-256').fill('a'.repeat(64));
    await dialog.getByRole('button', { name: 'Register' }).click();
    await row(page, 'own:golden').waitFor();
    await page.getByRole('button', { name: 'Forget golden' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click();
    await page.getByText('No image of your own').waitFor();
  }));

test('a quote is let go of, and the list shows it without a reload when one is made elsewhere', () =>
  asNewUser(stage, '/console/quotes', async (page) => {
    await page.getByText('No quotes').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const made = await stage.berth.call('POST', '/berth/v1/quotes', { validSeconds: 600 });
    assert.equal(made.status, 201);
    await page.getByRole('button', { name: /^Let go of 1 VM/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Let go' }).click();
    await row(page, 'released').waitFor();
    await page.getByLabel('State').selectOption('open');
    await page.getByText('No quotes').waitFor();
  }));

test('an address gets a name in the other direction, and what is none is refused at its field', () =>
  asNewUser(stage, '/console/addresses', async (page) => {
    await page.getByText('No address yet').waitFor();
    await deployed(stage.berth, deployBody({ name: 'shop' }));
    await row(page, 'shop').waitFor();
    await page
      .getByRole('button', { name: /^Name / })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reverse name').fill('not a name');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Reverse name').fill('www.example.com');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'www.example.com').waitFor();
  }));
