// The way in and out of the web console.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addSecondFactor } from '../../src/app/user.ts';
import { totpCode } from '../../src/model/totp.ts';
import { addUser, asOperator } from '../api/bytemark/identity.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { phone, picture, untilEqual } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

test('who has no session is asked to sign in, and can with a key', async () => {
  const { page, context, complaints } = await stage.open({ apiKey: null });
  await page.goto('/');
  await page.getByRole('heading', { name: 'Sign in to Berth' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'sign-in');
  await page.getByRole('button', { name: 'Sign in with an API key' }).click();
  await page.getByLabel('API key').fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('API key').fill(stage.berth.apiKey);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a password opens a session in a cookie that no script can read, and signing out ends it', async () => {
  const { page, context, complaints } = await stage.open({ apiKey: null, viewport: phone });
  const user = await addUser(stage.berth, 'default');
  await page.goto('/');
  await page.getByLabel('Username').fill(user.username);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const [cookie] = await context.cookies();
  assert.ok(cookie?.httpOnly);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(await page.evaluate('document.cookie'), '');
  await page.locator('summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Berth' }).waitFor();
  await untilEqual(() => context.cookies(), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('who has a second factor is asked for its code once the password is right', async () => {
  const user = await addUser(stage.berth, 'default');
  const uri = await asOperator(stage.berth, (operator) => addSecondFactor(operator, user.username));
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const { page, context, complaints } = await stage.open({ apiKey: null });
  await page.goto('/');
  await page.getByLabel('Username').fill(user.username);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const code = page.getByLabel('Code');
  await code.waitFor();
  // It has the focus: whoever types goes on typing.
  await code.and(page.locator(':focus')).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'sign-in-code');
  await page.keyboard.type('000000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await code.fill(totpCode(secret, new Date()));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a session that ends while a page is open leads to signing in, and then back to that page', async () => {
  const { page, context, complaints } = await stage.open({ apiKey: null });
  const user = await addUser(stage.berth, 'default');
  const signIn = async () => {
    await page.getByLabel('Username').fill(user.username);
    await page.getByLabel('Password').fill(user.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  await page.goto('/console/offers?country=PL');
  await signIn();
  await page.getByRole('heading', { name: 'Market' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  const [cookie] = await context.cookies();
  const ended = await callApi(stage.berth.url, cookie?.value ?? '', 'DELETE', '/berth/v1/sessions/current');
  assert.equal(ended.status, 204);
  // A page that only listens hears of it when its stream looks again who it is for.
  await page.getByRole('heading', { name: 'Sign in to Berth' }).waitFor({ timeout: 120_000 });
  await page.getByText('You are signed out.').waitFor();
  await signIn();
  await page.getByRole('heading', { name: 'Market' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('country'), 'PL');
  assert.deepEqual(complaints, []);
  await context.close();
});
