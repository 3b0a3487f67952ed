// The page of an instance in the web console: what it is, how it is got at, what happens to it, live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, makeContainer, makeVm } from '../api/native/instances.ts';
import { openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { fitsItsWindow, phone, picture, untilEqual, untilInvalid } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const stage = setStage();

test('a VM’s page tells how one gets at it and what it costs, and follows what happens to it', async () => {
  const id = await makeVm(stage.berth, { name: 'looked-at' });
  const { address } = (await call(stage.berth, 'GET', `/instances/${id}`)).body;
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/instances/${id}`);
  await page.getByRole('heading', { name: 'looked-at', level: 1 }).waitFor();
  await page.getByText(`ssh root@${address}`).waitFor();
  const events = page.getByRole('list', { name: 'Events, the newest first' });
  await events.getByText('instance.active').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'instance');
  await untilEqual(
    () => page.getByRole('button', { name: 'Start', exact: true }).getAttribute('aria-disabled'),
    'false',
  );

  // Somebody else switches it off.
  await call(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await page.getByText('looked-at is stopped').waitFor({ state: 'attached' });
  await events.getByText('instance.stop').first().waitFor();
  const shutdown = page.getByRole('button', { name: 'Shut down' });
  await untilEqual(() => shutdown.getAttribute('aria-disabled'), 'true');
  const { allowed } = (await call(stage.berth, 'GET', `/instances/${id}`)).body;
  await untilEqual(() => shutdown.getAttribute('title'), allowed.shutdown);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('looked-at is active').waitFor({ state: 'attached' });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('ports are opened and closed one by one, and a refusal stands at the port', async () => {
  const id = await makeVm(stage.berth, { name: 'ported' });
  const { page, context, complaints } = await stage.open({ viewport: phone, colorScheme: 'dark' });
  await page.goto(`/console/instances/${id}`);
  const ports = page.getByRole('list', { name: 'Open ports' });
  await ports.getByText('22/tcp').waitFor();
  await page.getByLabel('Port', { exact: true }).fill('443');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await ports.getByText('443/tcp').waitFor();
  await untilEqual(() => page.getByLabel('Port', { exact: true }).inputValue(), '');
  await page.getByLabel('Port', { exact: true }).fill('70000');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByText('whole number from 1 to 65535').waitFor();
  await untilInvalid(page.getByLabel('Port', { exact: true }));
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'instance-phone-dark');
  assert.ok(await fitsItsWindow(page));
  await ports.getByRole('button', { name: 'Close port 443/tcp' }).click();
  await ports.getByText('443/tcp').waitFor({ state: 'detached' });
  const kept = (await call(stage.berth, 'GET', `/instances/${id}`)).body.ports;
  assert.deepEqual(kept, [{ port: 22, protocol: 'tcp' }]);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a container’s page has what a container has', async () => {
  const id = await makeContainer(stage.berth);
  const { name } = (await call(stage.berth, 'GET', `/instances/${id}`)).body;
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/instances/${id}`);
  await page.getByRole('heading', { name, level: 1 }).waitFor();
  await page.getByText('instance.active').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Shut down' }).count(), 0);
  assert.equal(await page.getByRole('heading', { name: 'Open ports' }).count(), 0);
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'container');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a user name that a shell would take for more is in no line to copy', async () => {
  const made = await call(stage.berth, 'POST', '/instances', { name: 'odd', image: 'debian-13-x64' });
  assert.equal(made.status, 201);
  const database = await openStore(stage.berth);
  // As a server wrote it that did not look at such names yet.
  await database.updateTable('image').set({ username: 'a; reboot' }).where('slug', '=', 'debian-13-x64').execute();
  await database.destroy();
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/instances/${made.body.id}`);
  await page.getByText('Its image says that it lets in “a; reboot”').waitFor();
  assert.equal(await page.getByText(/^ssh /).count(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an instance that is not there is said not to be', async () => {
  const { page, context } = await stage.open();
  await page.goto(`/console/instances/ins_${'0'.repeat(40)}`);
  await page.getByRole('alert').getByText('not_found').waitFor();
  await page.getByRole('link', { name: 'All instances' }).click();
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await context.close();
});
