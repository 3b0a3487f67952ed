// Deployments in the console: found, looked at, and deleted as a whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { fitsItsWindow, phone, picture, untilEqual } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

interface Deployment {
  id: string;
  instances: { id: string; status: string }[];
}

async function deploy(name: string, count: number): Promise<string> {
  const answer = await stage.berth.call<Deployment>('POST', '/berth/v1/deployments', { name, count, image: 'micro' });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.id;
}

const find = async (id: string) => (await stage.berth.call<Deployment>('GET', `/berth/v1/deployments/${id}`)).body;

test('where nothing is deployed the page tells how something is', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/deployments');
  await page.getByRole('heading', { name: 'Nothing is deployed' }).waitFor();
  await page.getByText(/^berth vm create/).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  // What is made meanwhile is there without a reload.
  await deploy('first', 1);
  await page.getByRole('link', { name: 'first' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a deployment is found by a part of its name, opened, and deleted as a whole', async () => {
  const id = await deploy('worker', 3);
  await deploy('web', 1);
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/deployments');
  const rows = page.getByRole('table', { name: 'Deployments' }).getByRole('row');
  await rows.filter({ hasText: 'worker' }).getByText('3 active').waitFor();
  // The newest stands first.
  await rows.nth(1).getByRole('link', { name: 'web' }).waitFor();
  await page.getByLabel('Search').fill('ORK');
  await rows.filter({ hasText: 'web' }).waitFor({ state: 'detached' });
  await page.waitForURL(/search=ORK/);
  await page.getByLabel('Search').fill('nothing');
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByRole('link', { name: 'worker' }).click();
  await page.getByRole('heading', { name: 'Deployment worker' }).waitFor();
  await untilEqual(
    () => page.getByRole('table', { name: 'Instances' }).getByRole('link', { name: 'worker' }).count(),
    3,
  );
  assert.deepEqual(await axeFindings(page), []);
  const opener = page.getByRole('button', { name: 'Delete all of it' });
  await opener.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^3 VMs go off and out of sight/).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await untilEqual(() => page.evaluate('document.activeElement.textContent'), 'Delete all of it');
  await opener.click();
  await dialog.getByRole('button', { name: 'Delete 3 instances' }).click();
  await page.getByText('3 instances are on the way out').waitFor();
  await until('all of it is deleted', async () =>
    (await find(id)).instances.every(({ status }) => status === 'soft-deleted'),
  );
  await page.getByText('3 soft-deleted').waitFor();
  // Nothing is left to be deleted, and the button says so.
  await page.getByRole('button', { name: 'Delete all of it', disabled: true }).waitFor();
  await page.getByRole('link', { name: 'All deployments' }).click();
  await page.getByLabel('Status').selectOption('active');
  await rows.filter({ hasText: 'worker' }).waitFor({ state: 'detached' });
  await rows.filter({ hasText: 'web' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the pages can be used in both themes and on a phone', async () => {
  const id = await deploy('a-name-that-is-quite-long-as-names-of-instances-go', 2);
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      const options = { colorScheme, ...(viewport ? { viewport } : {}) };
      const { page, context, complaints } = await stage.open(options);
      for (const [path, shown] of [
        ['deployments', 'Deployments'],
        [`deployments/${id}`, 'Deployment a-name'],
      ] as const) {
        await page.goto(`/console/${path}`);
        await page.getByRole('heading', { name: shown }).waitFor();
        await page.getByRole('table').waitFor();
        assert.deepEqual(await axeFindings(page), [], `${path} ${colorScheme} ${name}`);
        assert.ok(await fitsItsWindow(page), `${path} ${name} scrolls sideways`);
        await picture(page, `${path.split('/')[1] ? 'deployment' : 'deployments'}-${colorScheme}-${name}`);
      }
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});
