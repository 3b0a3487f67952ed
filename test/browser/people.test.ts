// What customers do about people and what they own: keys, groups, users with privileges, their own profile, webhooks, events.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { encode } from 'uqr';
import { totpCode } from '../../src/model/totp.ts';
import { addUser, grant, logIn, tokenOf } from '../api/bytemark/identity.ts';
import { deployBody, deployed, keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { openWindow, pick, picture, startBrowser } from '../support/browser.ts';

let berth: TestBerth;
let browser: Browser;

before(async () => {
  [berth, browser] = await Promise.all([startTestBerth(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await berth?.close();
});

/** Opens a page as a user who runs the first account, and holds it to complain of nothing. */
async function inPage(path: string, work: (page: Page, user: { username: string; password: string }) => Promise<void>) {
  const user = await addUser(berth, 'default');
  const { page, context, complaints } = await openWindow(browser, berth.url, { apiKey: await tokenOf(berth, user) });
  await page.goto(path);
  await work(page, user);
  assert.deepEqual(complaints, []);
  await context.close();
}

/** The code that an authenticator shows so many steps of 30 s from now. */
const codeOf = (secret: string, stepsAhead = 0) => totpCode(secret, new Date(Date.now() + stepsAhead * 30_000));

/** The cells of a QR code out of the rectangles that it is drawn of. */
function cellsIn(path: string | null): boolean[][] {
  const runs = [...(path ?? '').matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)].map((run) => run.slice(1).map(Number));
  const size = Math.max(...runs.map(([, y = 0]) => y)) + 5;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, cell) =>
      runs.some(([x = 0, y, length = 0]) => y === row && cell >= x && cell < x + length),
    ),
  );
}

const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

test('an SSH key is added and removed with the keyboard alone, and a wrong one is refused at its field', () =>
  inPage('/console/ssh-keys', async (page) => {
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
    assert.equal(await dialog.getByLabel('Public key').getAttribute('aria-invalid'), 'true');
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

test('a group that somebody else makes is there without a reload, and one is renamed and removed', () =>
  inPage('/console/groups', async (page) => {
    await row(page, 'default').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const made = await berth.call('POST', '/berth/v1/groups', { name: 'made-elsewhere' });
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

test('an API key is shown once, does what its scope says, and is refused once it is revoked', () =>
  inPage('/console/api-keys', async (page) => {
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
    assert.equal((await callApi(berth.url, secret, 'GET', '/berth/v1/groups')).status, 200);
    assert.equal((await callApi(berth.url, secret, 'POST', '/berth/v1/groups', { name: 'x' })).status, 403);
    assert.equal(await page.getByText(secret).count(), 0);
    await page.getByRole('button', { name: 'Revoke reader' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row(page, 'reader').getByText('revoked').waitFor();
    assert.equal((await callApi(berth.url, secret, 'GET', '/berth/v1/groups')).status, 401);
  }));

test('a key of the user’s own does what is granted to it', () =>
  inPage('/console/api-keys', async (page) => {
    await page.getByRole('button', { name: 'Make a key of your own' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make a key of your own' });
    await dialog.getByLabel('Name').fill('mine');
    await dialog.getByLabel('May').selectOption('group_admin');
    await pick(dialog, 'Group', 'default');
    await dialog.getByRole('button', { name: 'Make' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await row(page, 'mine').getByText('runs group default').waitFor();
  }));

test('a user is added with a privilege, signs in with the password that is shown once, and is granted more and less', () =>
  inPage('/console/users', async (page) => {
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
    assert.equal((await logIn(berth, { username: 'carol', password })).status, 200);
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

test('a user changes their profile, and a password only with the one they have', () =>
  inPage('/console/me', async (page, { username, password }) => {
    await page.getByLabel('E-mail').fill('ann@example.com');
    await page.getByLabel('SSH keys for consoles').fill(keys.ed25519);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('E-mail').inputValue(), 'ann@example.com');
    await page.getByLabel('Your password', { exact: true }).fill('it is not this one');
    await page.getByLabel('New password').fill('a passphrase of several words');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Your password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The password is changed').waitFor();
    assert.equal((await logIn(berth, { username, password: 'a passphrase of several words' })).status, 200);
    assert.equal(await page.getByLabel('New password').inputValue(), '');
  }));

test('a second factor is set up with a first code, needed to sign in, and taken away with another', () =>
  inPage('/console/me', async (page, user) => {
    await page.getByLabel('Your password, once more').fill(user.password);
    await page.getByRole('button', { name: 'Set up a second factor' }).click();
    const secret = (await page.locator('.secrets code').first().textContent()) ?? '';
    const uri = (await page.locator('.secrets code').nth(1).textContent()) ?? '';
    const qrCode = page.getByRole('img', { name: /^QR code/ });
    assert.deepEqual(
      cellsIn(await qrCode.locator('path').getAttribute('d')),
      encode(uri, { ecc: 'M', border: 4 }).data,
    );
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'second-factor');
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Code', { exact: true }).fill(codeOf(secret));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('A code of your authenticator is needed to sign in.').waitFor();
    assert.notEqual((await logIn(berth, user)).status, 200);
    // Each code is taken once.
    await page.getByLabel('Code', { exact: true }).fill(codeOf(secret, 1));
    await page.getByRole('button', { name: 'Take it away' }).click();
    await page.getByText('Your password alone lets in.').waitFor();
    assert.equal((await logIn(berth, user)).status, 200);
  }));

test('terms of a privilege are changed, and what can’t be an address is refused at its field', async () => {
  const other = await addUser(berth, 'default');
  await inPage('/console/users', async (page, user) => {
    // Terms are changed by who holds more there.
    await grant(berth, user.username, 'cluster_admin');
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
    assert.equal(await dialog.getByLabel('Only from').getAttribute('aria-invalid'), 'true');
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
  const customer = await addUser(berth, 'default');
  const operator = await addUser(berth, 'default');
  await grant(berth, operator.username, 'cluster_admin');
  const { page, context, complaints } = await openWindow(browser, berth.url, {
    apiKey: await tokenOf(berth, operator),
  });
  await page.goto('/console/users');
  await page.getByRole('link', { name: customer.username }).click();
  await page.getByRole('button', { name: `Act as ${customer.username}` }).click();
  const dialog = page.getByRole('dialog', { name: `Act as ${customer.username}?` });
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
  assert.equal((await callApi(berth.url, theirs, 'GET', '/berth/v1/me')).status, 401);
  const key = await tokenOf(berth, operator);
  const told = await callApi<{ items: { message: string }[] }>(
    berth.url,
    key,
    'GET',
    '/berth/v1/events?all=true&kind=user.impersonated',
  );
  assert.ok(told.body.items.some(({ message }) => message.includes(`acts as user ${customer.username}`)));
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a session elsewhere is listed, and ended from here', () =>
  inPage('/console/me', async (page, user) => {
    const elsewhere = await tokenOf(berth, user);
    await page.reload();
    const sessions = page.getByRole('table', { name: 'Your sessions' });
    await sessions.getByText('this one').waitFor();
    await sessions
      .getByRole('button', { name: /^End session/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await page.getByText('The session has ended').waitFor();
    assert.equal((await callApi(berth.url, elsewhere, 'GET', '/berth/v1/me')).status, 401);
  }));

test('a webhook is added with its secret shown once, told of events, switched off and removed', () =>
  inPage('/console/webhooks', async (page) => {
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
    await berth.call('POST', '/berth/v1/groups', { name: 'told-of' });
    await page.getByRole('link', { name: 'https://hooks.example.com/berth' }).click();
    await row(page, 'Group told-of was made.').waitFor();
    await page.getByLabel('State').selectOption('delivered');
    await page.getByText('Nothing to deliver').waitFor();
    assert.match(page.url(), /state=delivered/);
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByRole('button', { name: 'Switch on' }).waitFor();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove webhook' }).click();
    await page.getByText('Nobody is told').waitFor();
  }));

test('events are listed newest first as they happen, and the filter is in the address', () =>
  inPage('/console/events', async (page) => {
    await page.getByText('Live', { exact: true }).waitFor();
    await berth.call('POST', '/berth/v1/groups', { name: 'just-now' });
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await rows.nth(1).getByText('Group just-now was made.').waitFor();
    await page.getByLabel('About').selectOption('webhook');
    await rows.filter({ hasText: 'just-now' }).waitFor({ state: 'detached' });
    assert.match(page.url(), /kind=webhook/);
    await page.getByLabel('About').selectOption('');
    await rows.filter({ hasText: 'just-now' }).waitFor();
    await page.getByLabel('Instance').fill('ins_nothing');
    await page.getByRole('alert').waitFor();
  }));

test('events come to the top without the list being read again, and are held back while one reads further down', () =>
  inPage('/console/events', async (page) => {
    const name = (count: number) => `many-${String(count).padStart(3, '0')}`;
    const many = Array.from({ length: 40 }, (_, count) => ({ name: name(count) }));
    for (const group of many) await berth.call('POST', '/berth/v1/groups', group);
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
    await berth.call('POST', '/berth/v1/groups', { name: 'at-the-top' });
    await rows.nth(1).getByText('Group at-the-top was made.').waitFor();
    await page.mouse.wheel(0, 700);
    await until('it is scrolled', async () => (await page.evaluate('scrollY > 400')) === true);
    await berth.call('POST', '/berth/v1/groups', { name: 'meanwhile-1' });
    await page.getByRole('button', { name: '1 new event' }).waitFor();
    await berth.call('POST', '/berth/v1/groups', { name: 'meanwhile-2' });
    const button = page.getByRole('button', { name: '2 new events' });
    await button.waitFor();
    assert.match((await rows.nth(1).textContent()) ?? '', /at-the-top/);
    assert.deepEqual(await axeFindings(page), []);
    await picture(page, 'events-held');
    await button.click();
    await rows.nth(1).getByText('Group meanwhile-2 was made.').waitFor();
    await button.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('scrollY'), 0);
    assert.deepEqual(reads, []);
  }));

test('an image of one’s own is registered, and a checksum that can’t be one is refused at its field', () =>
  inPage('/console/images', async (page) => {
    await page.getByRole('button', { name: 'Register image' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Register an image' });
    await dialog.getByLabel('Name').fill('golden');
    await dialog.getByLabel('URL').fill('https://images.example.com/golden.qcow2');
    await dialog.getByLabel('SHA-256').fill('abc');
    await dialog.getByRole('button', { name: 'Register' }).click();
    await dialog.getByRole('alert').waitFor();
    assert.equal(await dialog.getByLabel('SHA-256').getAttribute('aria-invalid'), 'true');
    await dialog.getByLabel('SHA-256').fill('a'.repeat(64));
    await dialog.getByRole('button', { name: 'Register' }).click();
    await row(page, 'own:golden').waitFor();
    await page.getByRole('button', { name: 'Forget golden' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click();
    await page.getByText('No image of your own').waitFor();
  }));

test('a quote is let go of, and the list shows it without a reload when one is made elsewhere', () =>
  inPage('/console/quotes', async (page) => {
    await page.getByText('No quotes').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const made = await berth.call('POST', '/berth/v1/quotes', { validSeconds: 600 });
    assert.equal(made.status, 201);
    await page.getByRole('button', { name: /^Let go of 1 VM/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Let go' }).click();
    await row(page, 'released').waitFor();
    await page.getByLabel('State').selectOption('open');
    await page.getByText('No quotes').waitFor();
  }));

test('an address gets a name in the other direction, and what is none is refused at its field', () =>
  inPage('/console/addresses', async (page) => {
    await page.getByText('No address yet').waitFor();
    await deployed(berth, deployBody({ name: 'shop' }));
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
