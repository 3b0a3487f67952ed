// Users of an account: added, given and taken privileges under terms, and acted as by operators.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addUser, grant, logIn, tokenOf } from '../api/bytemark/identity.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { pick, picture, row, untilInvalid } from '../support/browser.ts';
import { asNewUser, setStage } from '../support/stage.ts';

const stage = setStage();

test('a user is added with a privilege, signs in with the password that is shown once, and is granted more and less', () =>
  asNewUser(stage, '/console/users', async (page) => {
    await page.getByRole('button', { name: 'Add user' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Add a user' });
    await dialog.getByLabel('Username').fill('has space');
    await dialog.getByLabel('May').selectOption('group_admin');
    await pick(dialog, 'Group', 'default');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Username').fill('carol');
    await dialog.getByRole('button', { name: 'Add' }).click();
    const shown = page.getByRole('dialog', { name: 'carol can sign in' });
    const password = (await shown.locator('.secrets code').last().textContent()) ?? '';
    assert.equal((await logIn(stage.berth, { username: 'carol', password })).status, 200);
    await shown.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('link', { name: 'carol' }).click();
    await page.getByRole('heading', { name: 'carol', level: 1 }).waitFor();
    await row(page, 'runs group default').waitFor();
    await page.getByRole('button', { name: 'Grant a privilege' }).click();
    const granting = page.getByRole('dialog', { name: 'Grant carol a privilege' });
    await granting.getByLabel('May').selectOption('account_admin');
    await pick(granting, 'Account', 'default');
    await granting.getByRole('button', { name: 'Grant' }).click();
    await granting.getByRole('alert').waitFor();
    await granting.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Take away group_admin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it away' }).click();
    await row(page, 'runs group default').waitFor({ state: 'detached' });
  }));

test('terms of a privilege are changed, and what can’t be an address is refused at its field', async () => {
  const other = await addUser(stage.berth, 'default');
  await asNewUser(stage, '/console/users', async (page, user) => {
    // Terms are changed by who holds more there.
    await grant(stage.berth, user.username, 'cluster_admin');
    await page.reload();
    await page.getByRole('link', { name: other.username }).click();
    await page.getByRole('button', { name: 'Terms of account_admin' }).click();
    const dialog = page.getByRole('dialog', { name: 'Under which terms it holds' });
    await dialog.getByLabel('Only with a second factor').check();
    await dialog.getByLabel('Shown at most').fill('15');
    await dialog.getByLabel('Only from').fill('somewhere');
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'privilege-terms');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    await untilInvalid(dialog.getByLabel('Only from'));
    await dialog.getByLabel('Only from').fill('192.0.2.7, 198.51.100.0/24');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('with a second factor no older than 15 minutes, from 192.0.2.7, 198.51.100.0/24').waitFor();
    await page.getByRole('button', { name: 'Terms of account_admin' }).click();
    await dialog.getByLabel('Only with a second factor').uncheck();
    await dialog.getByLabel('Only from').fill('');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('no older than').waitFor({ state: 'detached' });
  });
});

test('an operator acts as a user in one tab, which says so, and goes back to himself', async () => {
  const customer = await addUser(stage.berth, 'default');
  const operator = await addUser(stage.berth, 'default');
  await grant(stage.berth, operator.username, 'cluster_admin');
  const { page, context, complaints } = await stage.open({
    apiKey: await tokenOf(stage.berth, operator),
  });
  await page.goto('/console/users');
  await page.getByRole('link', { name: customer.username }).click();
  await page.getByRole('button', { name: `Act as ${customer.username}` }).click();
  const dialog = page.getByRole('dialog', { name: `Act as ${customer.username}?` });
  await dialog.waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await dialog.getByRole('button', { name: `Act as ${customer.username}` }).click();
  const banner = page.getByText(`In this tab you act as ${customer.username}.`);
  await banner.waitFor();
  assert.equal(await page.getByRole('link', { name: 'Ledger' }).count(), 0);
  await page.getByText('Live', { exact: true }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'acting');
  await page.getByRole('link', { name: 'Groups' }).click();
  await banner.waitFor();
  const theirs = await page.evaluate<string>("sessionStorage.getItem('berth.api-key')");
  await page.getByRole('button', { name: 'Stop acting' }).click();
  await page.getByRole('link', { name: 'Ledger' }).waitFor();
  await banner.waitFor({ state: 'detached' });
  assert.equal((await callApi(stage.berth.url, theirs, 'GET', '/berth/v1/me')).status, 401);
  const key = await tokenOf(stage.berth, operator);
  const told = await callApi<{ items: { message: string }[] }>(
    stage.berth.url,
    key,
    'GET',
    '/berth/v1/events?all=true&kind=user.impersonated',
  );
  assert.ok(told.body.items.some(({ message }) => message.includes(`acts as user ${customer.username}`)));
  assert.deepEqual(complaints, []);
  await context.close();
});
