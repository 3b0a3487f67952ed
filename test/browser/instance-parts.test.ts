// What of an instance is changed in the web console: disks and their backups, its settings, its end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { call, makeContainer, makeVm, over, untilInstance } from '../api/native/instances.ts';
import { axeFindings } from '../support/axe.ts';
import { until } from '../support/berth.ts';
import { fitsItsWindow, phone, pick, picture, untilEqual, untilInvalid } from '../support/browser.ts';
import { type StageOptions, setStage } from '../support/stage.ts';

const stage = setStage();

/** Opens a part of an instance's page. */
async function openPart(id: string, tab: string, more: StageOptions = {}) {
  const window = await stage.open(more);
  await window.page.goto(`/console/instances/${id}?tab=${tab}`);
  return window;
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const dialogOf = (page: Page) => page.getByRole('dialog');

test('disks are added, changed and deleted, and what is refused stands at its field', async () => {
  const id = await makeVm(stage.berth, { name: 'disked' });
  const { page, context, complaints } = await openPart(id, 'disks');
  await press(page, 'Add a disk');
  await page.getByLabel('Size in GiB').fill('nothing');
  await press(page, 'Add the disk');
  await dialogOf(page).getByRole('alert').first().waitFor();
  await page.getByLabel('Size in GiB').fill('20');
  await page.getByRole('textbox', { name: 'Name' }).fill('data');
  await page.getByLabel('Kind of storage').selectOption('ssd');
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'disk-add');
  await press(page, 'Add the disk');
  await page.getByRole('heading', { name: 'data', exact: true }).waitFor();
  await page.getByRole('region', { name: 'data' }).getByText('20 GiB').waitFor();
  await picture(page, 'disks');
  assert.deepEqual(await axeFindings(page), []);

  await press(page, 'Resize or rename data');
  await page.getByLabel('Size in GiB').fill('10');
  await press(page, 'Change it');
  await dialogOf(page).getByRole('alert').waitFor();
  await untilInvalid(page.getByLabel('Size in GiB'));
  await page.getByLabel('Size in GiB').fill('30');
  await page.getByRole('textbox', { name: 'Name' }).fill('store');
  await press(page, 'Change it');
  await page.getByRole('region', { name: 'store' }).getByText('30 GiB').waitFor();

  const remove = page.getByRole('button', { name: 'Delete store' });
  await untilEqual(() => remove.getAttribute('title'), 'it is not off');
  await over(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await page.getByText('disked is stopped').waitFor({ state: 'attached' });
  await remove.click();
  await dialogOf(page).getByText("can't be undone").waitFor();
  await dialogOf(page).getByRole('button', { name: 'Delete store' }).click();
  await page.getByRole('heading', { name: 'store', exact: true }).waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a disk moves to another VM of its host', async () => {
  const [from, to] = [await makeVm(stage.berth, { name: 'giver' }), await makeVm(stage.berth, { name: 'taker' })];
  const disk = await call<{ id: string }>(stage.berth, 'POST', `/instances/${from}/disks`, {
    label: 'moved',
    sizeMib: 1024,
  });
  for (const id of [from, to]) await over(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  const { page, context, complaints } = await openPart(from, 'disks');
  await press(page, 'Move moved');
  await page.getByLabel('To which VM').fill('nobody');
  await page.getByText('Nothing has that in its name').waitFor();
  await page.keyboard.press('Escape');
  await press(page, 'Move it');
  await dialogOf(page).getByRole('alert').waitFor();
  await pick(page, 'To which VM', 'taker');
  await press(page, 'Move it');
  await page.getByRole('heading', { name: 'moved', exact: true }).waitFor({ state: 'detached' });
  assert.equal((await call<{ instance: string }>(stage.berth, 'GET', `/disks/${disk.body.id}`)).body.instance, to);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a disk is backed up at once and by schedule, restored, and its backups are deleted', async () => {
  const id = await makeVm(stage.berth, { name: 'kept' });
  const { page, context, complaints } = await openPart(id, 'disks', { viewport: phone, colorScheme: 'dark' });
  const { items } = (await call<{ items: { label: string }[] }>(stage.berth, 'GET', `/disks?instance=${id}`)).body;
  const label = items[0]?.label ?? '';
  await press(page, `Back up now: ${label}`);
  const backups = page.getByRole('list', { name: `Backups of ${label}` }).getByRole('listitem');
  await backups.first().waitFor();
  const restore = page.getByRole('button', { name: /^Restore / });
  await page.getByText('being made').waitFor({ state: 'detached' });
  await untilEqual(() => restore.getAttribute('aria-disabled'), 'true');

  await press(page, `Add a schedule for ${label}`);
  await page.getByLabel('First at').fill('yesterday at tea');
  await press(page, 'Add the schedule');
  await dialogOf(page).getByRole('alert').waitFor();
  await page.getByLabel('First at').fill('04:10');
  await press(page, 'Add the schedule');
  const schedules = page.getByRole('list', { name: `Schedules of ${label}` }).getByRole('listitem');
  await schedules.getByText('Every day').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  assert.ok(await fitsItsWindow(page));
  await picture(page, 'disks-phone-dark');
  await press(page, `End this schedule of ${label}`);
  await schedules.waitFor({ state: 'detached' });

  await over(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await page.getByText('kept is stopped').waitFor({ state: 'attached' });
  await restore.click();
  await dialogOf(page).getByText('is backed up before that').waitFor();
  await press(page, `Restore ${label}`);
  await until('there are two backups', async () => (await backups.count()) === 2);
  for (let left = 2; left > 0; left -= 1) {
    await page
      .getByRole('list', { name: `Backups of ${label}` })
      .getByRole('button', { name: /^Delete / })
      .first()
      .click();
    await dialogOf(page).getByText('gone for good').waitFor();
    await dialogOf(page)
      .getByRole('button', { name: /^Delete / })
      .click();
    await until('one is gone', async () => (await backups.count()) < left);
  }
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a VM’s name, group and machine are changed, and what is refused stands at its field', async () => {
  const id = await makeVm(stage.berth, { name: 'before' });
  const group = (await call<{ id: string }>(stage.berth, 'POST', '/groups', { name: 'elsewhere' })).body.id;
  const { page, context, complaints } = await openPart(id, 'settings');
  const name = page.getByRole('textbox', { name: 'Name' });
  await name.fill('no good name!');
  await press(page, 'Rename');
  await page.getByRole('region', { name: 'Name' }).getByRole('alert').waitFor();
  await untilInvalid(name);
  await name.fill('after');
  await pick(page, 'Group', 'elsewhere');
  await press(page, 'Rename');
  await page.getByRole('heading', { name: 'after', level: 1 }).waitFor();
  assert.equal((await call(stage.berth, 'GET', `/instances/${id}`)).body.group, group);

  await page.getByLabel('vCPUs').fill('2');
  await page.getByLabel('Memory in GiB').fill('0.5');
  await press(page, 'Change the machine');
  await page.getByRole('region', { name: 'Machine' }).getByRole('alert').first().waitFor();
  await page.getByLabel('Memory in GiB').fill('2');
  await page.getByLabel('Hardware', { exact: true }).selectOption('compatibility2013');
  await page.getByLabel('Comes back on when it switches off').check();
  await page.getByLabel('Keyboard').fill('de');
  await press(page, 'Change the machine');
  const changed = await untilInstance(stage.berth, id, ({ vcpus }) => vcpus === 2);
  assert.deepEqual(
    [changed.memoryMib, changed.vm?.hardwareProfile, changed.vm?.autoreboot, changed.vm?.keymap],
    [2048, 'compatibility2013', true, 'de'],
  );
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'settings');
  await page.getByLabel('URL of a CD image').fill('ftp://example.com/x.iso');
  await press(page, 'Put it in');
  await page.getByRole('region', { name: 'CD', exact: true }).getByRole('alert').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a VM is reimaged after it was said what is lost, and the password is shown once', async () => {
  const id = await makeVm(stage.berth, { name: 'imaged' });
  const { page, context, complaints } = await openPart(id, 'settings', { colorScheme: 'dark' });
  const reimage = page.getByRole('button', { name: 'Reimage' });
  await reimage.waitFor();
  await untilEqual(() => reimage.getAttribute('title'), 'it is not off; stop it first');
  await press(page, 'Stop');
  await press(page, 'Stop imaged');
  await page.getByText('imaged is stopped').waitFor({ state: 'attached' });
  await reimage.click();
  const image = dialogOf(page).getByLabel('Image');
  await image.selectOption('micro');
  await dialogOf(page).getByLabel('Root password').fill('a\tb');
  await press(page, 'Erase the first disk of imaged and reimage it');
  await dialogOf(page).getByRole('alert').waitFor();
  await dialogOf(page).getByLabel('Root password').fill('');
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'reimage-dark');
  await press(page, 'Erase the first disk of imaged and reimage it');
  const secret = page.getByRole('dialog', { name: 'The root password of imaged' });
  await secret.waitFor();
  assert.ok(((await secret.locator('code').textContent()) ?? '').length >= 20);
  await press(page, 'I have kept it');
  await page.getByText('imaged is active').waitFor({ state: 'attached' });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a VM is deleted, brought back and purged; a container ends', async () => {
  const id = await makeVm(stage.berth, { name: 'ending' });
  const { page, context, complaints } = await openPart(id, 'settings');
  await press(page, 'Delete ending');
  await dialogOf(page).getByText('can be brought back for 21 days').waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await dialogOf(page).getByRole('button', { name: 'Delete ending' }).click();
  await page.getByText('ending is soft-deleted').waitFor({ state: 'attached' });
  await press(page, 'Bring it back');
  await page.getByText('ending is stopped').waitFor({ state: 'attached' });
  await press(page, 'Purge ending');
  await dialogOf(page).getByText("can't be undone").waitFor();
  await press(page, 'Purge ending for good');
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await until('it is gone', async () => (await call(stage.berth, 'GET', `/instances/${id}`)).status === 404);

  const container = await makeContainer(stage.berth);
  const { name } = (await call(stage.berth, 'GET', `/instances/${container}`)).body;
  await page.goto(`/console/instances/${container}?tab=settings`);
  await press(page, `Delete ${name}`);
  await dialogOf(page)
    .getByRole('button', { name: `Delete ${name}` })
    .click();
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await until('it is gone', async () => (await call(stage.berth, 'GET', `/instances/${container}`)).status === 404);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a log is followed and looked through', async () => {
  const id = await makeVm(stage.berth, { name: 'said' });
  const { page, context, complaints } = await openPart(id, 'logs');
  const log = page.getByRole('log', { name: 'Log of said' });
  await log.getByText('Runs.').first().waitFor();
  await call(stage.berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  await log.getByText('Stopped').or(log.getByText('switched off')).first().waitFor();
  await page.getByLabel('Only lines with').fill('rUnS');
  await until('other lines are left out', async () =>
    (await log.getByRole('paragraph').allInnerTexts()).every((line) => line.toLowerCase().includes('runs')),
  );
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'logs');
  await page.getByLabel('Follow').uncheck();
  await page.getByRole('button', { name: 'Read again' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('consoles take keys, and the chord that leads out of them gives the focus back', async () => {
  const id = await makeVm(stage.berth, { name: 'typed-at' });
  const { page, context, complaints } = await openPart(id, 'console');
  const terminal = page.getByRole('textbox', { name: 'Serial console of typed-at' });
  await terminal.waitFor({ state: 'attached' });
  await until(
    'it has the focus',
    async () => (await page.evaluate('document.activeElement.ariaLabel')) === 'Serial console of typed-at',
  );
  await page.keyboard.type('hello there');
  await page.locator('.xterm-rows').getByText('hello there').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'console');
  await page.keyboard.press('Control+Shift+Home');
  await until(
    'it has the focus no longer',
    async () => (await page.evaluate('document.activeElement.ariaLabel')) !== 'Serial console of typed-at',
  );
  await press(page, 'Press them');
  await page.getByText('Ctrl+Alt+Del is pressed on typed-at').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what an instance uses is drawn, and told in a table', async () => {
  const id = await makeVm(stage.berth, { name: 'measured' });
  const { page, context, complaints } = await openPart(id, 'metrics');
  await until('something was measured', async () => {
    await page.getByRole('button', { name: '6 hours' }).click();
    await page.getByRole('button', { name: '1 hour' }).click();
    return (await page.getByRole('img', { name: /^Processors of measured/ }).count()) === 1;
  });
  await page.locator('.chart canvas').first().waitFor();
  await page.getByText('As a table').click();
  await page.getByRole('table', { name: 'What it used' }).getByRole('row').nth(1).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'metrics');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('.chart canvas').first().waitFor();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'metrics-dark');
  assert.deepEqual(complaints, []);
  await context.close();
});
