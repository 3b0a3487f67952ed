// Every dialog of the customers' pages: it can be used by everybody, keeps the focus while it is open, closes with Escape, and gives
// the focus back to what opened it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { setStage } from '../support/stage.ts';

let instance: string;

const stage = setStage(async (berth) => {
  const post = async (path: string, body: object) => {
    const answer = await berth.call<{ id: string }>('POST', `/berth/v1/${path}`, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body.id;
  };
  await post('ssh-keys', { name: 'laptop', publicKey: keys.ed25519 });
  await post('groups', { name: 'web' });
  await post('webhooks', { url: 'https://hooks.example.com/', kinds: ['*'] });
  await post('quotes', { configuration: 'cpu-1-ram-1gb-storage-5gb' });
  await post('api-keys', { name: 'ci' });
  instance = await post('instances', { name: 'web-1', image: 'micro', power: 'off' });
  await until('it is off', async () => {
    const { body } = await berth.call<{ status: string }>('GET', `/berth/v1/instances/${instance}`);
    return body.status === 'stopped';
  });
});

/** Where dialogs are opened, and by which buttons. */
const openers: [path: string, buttons: (string | RegExp)[]][] = [
  ['ssh-keys', ['Add SSH key', /^Remove laptop/]],
  ['groups', ['Add group', 'Rename web', 'Remove web']],
  ['webhooks', ['Add webhook']],
  ['quotes', [/^Let go of/]],
  ['api-keys', ['Make API key', /^Revoke ci/]],
  ['users', ['Add user']],
  ['images', ['Register image']],
  ['deployments', ['Delete all of web-1']],
  ['addresses', [/^Rename|^Name/]],
  ['instances/:instance?tab=disks', ['Add a disk', /^Resize or rename/]],
  ['instances/:instance?tab=settings', ['Reimage', 'Delete web-1', 'Purge web-1']],
];

/** Whether something else than the dialog has the focus. Beyond its last one is the browser's own window, which a page is not told of. */
const isOutside = (page: Page) =>
  page.evaluate("document.activeElement !== document.body && document.activeElement.closest('dialog') === null");

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every dialog is accessible, keeps the focus and gives it back, ${colorScheme}`, async () => {
    const { page, context, complaints } = await stage.open({ colorScheme });
    const faults: string[] = [];
    for (const [path, buttons] of openers) {
      await page.goto(`/console/${path.replace(':instance', instance)}`);
      for (const name of buttons) {
        const opener = page
          .getByRole('main')
          .getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });
        const isThere = await opener
          .first()
          .waitFor()
          .then(
            () => true,
            () => false,
          );
        if (!isThere) {
          faults.push(`${path}: there is no button ${name}`);
          continue;
        }
        await opener.first().focus();
        await page.keyboard.press('Enter');
        const dialog = page.getByRole('dialog');
        await dialog.waitFor();
        for (const finding of await axeFindings(page)) faults.push(`${path}, ${name}: ${finding}`);
        for (let pressed = 0; pressed < 12; pressed += 1) {
          await page.keyboard.press('Tab');
          if (await isOutside(page)) faults.push(`${path}, ${name}: the focus leaves it`);
        }
        await dialog.getByRole('heading').first().click();
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        await opener
          .and(page.locator(':focus'))
          .waitFor()
          .catch(() => faults.push(`${path}, ${name}: the focus does not come back`));
      }
    }
    assert.deepEqual(faults, []);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
