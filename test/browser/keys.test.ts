// Keys of an account: those that let into instances, and those that programs use the API with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { pick, row, untilInvalid } from '../support/browser.ts';
import { asNewUser, setStage } from '../support/stage.ts';

const stage = setStage();

test('an SSH key is added and removed with the keyboard alone, and a wrong one is refused at its field', () =>
  asNewUser(stage, '/console/ssh-keys', async (page) => {
    await page.getByRole('button', { name: 'Add SSH key' }).first().focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add an SSH key' });
    await dialog.waitFor();
    assert.deepEqual(await axeFindings(page), []);
    await dialog.getByLabel('Public key').focus();
    await page.keyboard.type('not a key');
    await page.keyboard.press('Tab');
    await page.keyboard.type('laptop');
    await page.keyboard.press('Enter');
    await dialog.getByRole('alert').waitFor();
    await untilInvalid(dialog.getByLabel('Public key'));
    await dialog.getByLabel('Public key').focus();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(keys.ed25519);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await row(page, 'laptop').waitFor();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove laptop' }).focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: 'Remove laptop?' });
    await question.waitFor();
    // Escape leaves everything as it is, and goes back to where one was.
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await question.getByRole('button', { name: 'Remove' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('No SSH key yet').waitFor();
  }));

test('an API key is shown once, does what its scope says, and is refused once it is revoked', () =>
  asNewUser(stage, '/console/api-keys', async (page) => {
    await page.getByRole('button', { name: 'Make API key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make an API key' });
    await dialog.getByRole('button', { name: 'Make' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Name').fill('reader');
    await dialog.getByLabel('May do').selectOption('read-only');
    await dialog.getByRole('button', { name: 'Make' }).click();
    const shown = page.getByRole('dialog', { name: 'The key reader' });
    await shown.waitFor();
    assert.deepEqual(await axeFindings(page), []);
    const secret = (await shown.locator('.secrets code').textContent()) ?? '';
    await shown.getByRole('button', { name: 'I have kept it' }).click();
    assert.equal((await callApi(stage.berth.url, secret, 'GET', '/berth/v1/groups')).status, 200);
    assert.equal((await callApi(stage.berth.url, secret, 'POST', '/berth/v1/groups', { name: 'x' })).status, 403);
    await page.getByText(secret).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Revoke reader' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row(page, 'reader').getByText('revoked').waitFor();
    assert.equal((await callApi(stage.berth.url, secret, 'GET', '/berth/v1/groups')).status, 401);
  }));

test('a key of the user’s own does what is granted to it', () =>
  asNewUser(stage, '/console/api-keys', async (page) => {
    await page.getByRole('button', { name: 'Make a key of your own' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make a key of your own' });
    await dialog.getByLabel('Name').fill('mine');
    await dialog.getByLabel('May').selectOption('group_admin');
    await pick(dialog, 'Group', 'default');
    await dialog.getByRole('button', { name: 'Make' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await row(page, 'mine').getByText('runs group default').waitFor();
  }));
