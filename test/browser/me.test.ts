// What users change of their own: profile, password, second factor, sessions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'uqr';
import { totpCode } from '../../src/model/totp.ts';
import { logIn, tokenOf } from '../api/bytemark/identity.ts';
import { keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi } from '../support/berth.ts';
import { picture, untilEqual } from '../support/browser.ts';
import { asNewUser, setStage } from '../support/stage.ts';

const stage = setStage();

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

test('a user changes their profile, and a password only with the one they have', () =>
  asNewUser(stage, '/console/me', async (page, { username, password }) => {
    await page.getByLabel('E-mail').fill('ann@example.com');
    await page.getByLabel('SSH keys for consoles').fill(keys.ed25519);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    await page.reload();
    await untilEqual(() => page.getByLabel('E-mail').inputValue(), 'ann@example.com');
    await page.getByLabel('Your password', { exact: true }).fill('it is not this one');
    await page.getByLabel('New password').fill('a passphrase of several words');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Your password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The password is changed').waitFor();
    assert.equal((await logIn(stage.berth, { username, password: 'a passphrase of several words' })).status, 200);
    await untilEqual(() => page.getByLabel('New password').inputValue(), '');
  }));

test('a second factor is set up with a first code, needed to sign in, and taken away with another', () =>
  asNewUser(stage, '/console/me', async (page, user) => {
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
    assert.notEqual((await logIn(stage.berth, user)).status, 200);
    // Each code is taken once.
    await page.getByLabel('Code', { exact: true }).fill(codeOf(secret, 1));
    await page.getByRole('button', { name: 'Take it away' }).click();
    await page.getByText('Your password alone lets in.').waitFor();
    assert.equal((await logIn(stage.berth, user)).status, 200);
  }));

test('a session elsewhere is listed, and ended from here', () =>
  asNewUser(stage, '/console/me', async (page, user) => {
    const elsewhere = await tokenOf(stage.berth, user);
    await page.reload();
    const sessions = page.getByRole('table', { name: 'Your sessions' });
    await sessions.getByText('this one').waitFor();
    await sessions
      .getByRole('button', { name: /^End session/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await page.getByText('The session has ended').waitFor();
    assert.equal((await callApi(stage.berth.url, elsewhere, 'GET', '/berth/v1/me')).status, 401);
  }));
