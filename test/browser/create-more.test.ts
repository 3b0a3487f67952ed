// What else a VM can be made with in the console: disks of its own, a password, a place, a price that is held. And the same by the
// command line and by curl, as the page writes them: what it writes is run.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { addDatacenter, addHost, epyc } from '../api/fluence/market.ts';
import { letSlots } from '../api/hiveon/support.ts';
import { keys, openStore } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { fitsItsWindow, phone, picture, untilEqual, untilInvalid } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';

const run = promisify(execFile);
const size = 'cpu-1-ram-1gb-storage-5gb';
let home: string;

const stage = setStage(async (berth) => {
  home = await mkdtemp(join(tmpdir(), 'berth-create-'));
  const { status } = await berth.call('POST', '/berth/v1/ssh-keys', { name: 'laptop', publicKey: keys.ed25519 });
  assert.equal(status, 201);
});
after(async () => {
  if (home) await rm(home, { recursive: true, force: true });
});

interface Instance {
  id: string;
  name: string;
  status: string;
  hostname: string;
  diskGib: number;
  vcpus: number;
  pricePerEpoch: string;
  allPortsOpen: boolean;
  ports: { port: number; protocol: string }[];
  vm: { hardwareProfile: string; keymap: string | null; autoreboot: boolean };
}

const cost = (page: Page) => page.getByRole('region', { name: 'What it costs' });
const named = async (name: string) =>
  (await stage.berth.call<{ items: Instance[] }>('GET', `/berth/v1/instances?name=${name}`)).body.items;
const disksOf = async (id: string) => {
  const path = `/berth/v1/disks?instance=${id}`;
  const { body } = await stage.berth.call<{ items: { sizeMib: number; grade: string }[] }>('GET', path);
  return body.items.map(({ sizeMib, grade }) => `${sizeMib} ${grade}`);
};

/** Runs what the page shows in a shell that has the command line. */
async function inShell(text: string): Promise<string> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const script = `berth() { "${process.execPath}" "${main}" "$@"; }\nset -e\n${text}\n`;
  await writeFile(join(home, 'typed.sh'), script);
  const env = {
    ...{ PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home },
    ...{ BERTH_URL: stage.berth.url, BERTH_API_KEY: stage.berth.apiKey },
  };
  const { stdout } = await run('bash', ['typed.sh'], { cwd: home, env });
  return stdout;
}

/** What the page says of another way, once what is chosen was looked at. */
async function shownAs(page: Page, summary: string, label: string): Promise<string> {
  const details = page.getByText(summary, { exact: true });
  await details.click();
  const text = await page.getByRole('region', { name: label }).textContent();
  await details.click();
  return text ?? '';
}

test('a VM has several disks of several grades, a password that was made up, every port open, and a place', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/create?configuration=${size}`);
  await cost(page).getByText('a day').waitFor();
  await page.getByRole('button', { name: 'Choose its disks one by one' }).click();
  await untilEqual(() => page.getByLabel('Disk 1, GiB').inputValue(), '5');
  await page.getByLabel('Disk 2, GiB').fill('20');
  await page.getByLabel('Grade of disk 2').selectOption('archive');
  await page.getByRole('button', { name: 'Add a disk' }).click();
  await page.getByRole('button', { name: 'Leave out disk 3' }).click();
  await cost(page).getByText('1 vCPU, 1 GiB of memory, 25 GiB of disk').waitFor();
  // Only what every host has can be held.
  await cost(page)
    .getByRole('button', { name: 'Hold it' })
    .and(page.locator('[title*="Only storage of the grade sata"]'))
    .waitFor();
  await page.getByLabel('Disk 2, GiB').fill('0');
  await page.locator('.disks').getByRole('alert').waitFor();
  await cost(page).getByText('Told as soon as what is marked is right.').waitFor();
  await page.getByLabel('Disk 2, GiB').fill('20');
  await cost(page).getByText('a day').waitFor();
  await page.getByLabel('Every port is open').check();
  await page.getByLabel('Leave it switched off').check();
  await page.getByRole('button', { name: 'Make one up' }).click();
  const password = page.getByLabel('Root password');
  assert.match(await password.inputValue(), /^[\w-]{24}$/);
  await untilEqual(() => password.getAttribute('type'), 'text');
  await page.getByRole('button', { name: 'Hide the password' }).click();
  await untilEqual(() => password.getAttribute('type'), 'password');
  await page.getByLabel('Host name').fill('not a name');
  await page.getByLabel('Host name').and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.getByLabel('Host name').fill('many.example.com');
  await page.getByLabel('Name', { exact: true }).fill('many');
  assert.deepEqual(await axeFindings(page), []);
  await page.getByRole('button', { name: 'Create many' }).click();
  await page.getByRole('heading', { name: 'many', exact: true }).waitFor();
  const [made] = await named('many');
  assert.ok(made);
  assert.deepEqual([made.allPortsOpen, made.hostname, made.status], [true, 'many.example.com', 'stopped']);
  assert.deepEqual(await disksOf(made.id), ['5120 sata', '20480 archive']);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a name that is taken is told before the button is pressed', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/create?configuration=${size}`);
  await page.getByLabel('Name', { exact: true }).fill('many');
  await page.getByLabel('Name', { exact: true }).and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.locator('.error').filter({ hasText: 'many' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an address of one’s own choice is refused at its field where its group has no network for it', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/create?configuration=${size}`);
  await cost(page).getByText('a day').waitFor();
  await page.getByText('Hardware, keyboard and addresses').click();
  await page.getByLabel('Keyboard').fill('qwerty');
  await untilInvalid(page.getByLabel('Keyboard'));
  await page.getByLabel('Keyboard').fill('');
  await page.getByLabel('IPv4 address').fill('10.20.0.7');
  await untilInvalid(page.getByLabel('IPv4 address'));
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'create-address');
  await page.getByLabel('How many').fill('2');
  await page.getByText('Addresses are chosen for one VM at a time.').waitFor();
  await cost(page).getByText('a day').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what the page writes for the command line and for curl makes the same VMs', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create');
  await cost(page).getByText('a day').waitFor();
  await page.getByLabel('Size').selectOption('own');
  await page.getByLabel('vCPUs').fill('2');
  await page.getByLabel('Memory, GiB').fill('1');
  await page.getByRole('button', { name: 'Choose its disks one by one' }).click();
  await page.getByLabel('Disk 1, GiB').fill('6');
  await page.getByLabel('Disk 2, GiB').fill('1.5');
  await page.getByLabel('Grade of disk 2').selectOption('ssd');
  await page.getByLabel('Ports open from outside').fill('443, 53/udp');
  await page.getByRole('list', { name: 'Keys that get in' }).getByText('laptop').waitFor();
  await page.getByLabel('Root password').fill("it's a $ecret");
  await page.getByLabel('Script for its first boot').fill("#!/bin/sh\necho 'EOF' $HOME\nEOF\n");
  await page.getByLabel('At most, $ an epoch').fill('50');
  await page.getByText('Hardware, keyboard and addresses').click();
  await page.getByLabel('Hardware', { exact: true }).selectOption('compatibility2013');
  await page.getByLabel('Keyboard').fill('de');
  await page.getByLabel('Comes back on when it switches off').check();
  const told = async (name: string) => {
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByText('On the command line', { exact: true }).waitFor();
  };
  await told('by-cli');
  assert.match(await shownAs(page, 'On the command line', 'command line'), /\*{8}/);
  await page.getByRole('button', { name: 'Show the password' }).click();
  const line = await shownAs(page, 'On the command line', 'command line');
  await told('by-curl');
  const call = await shownAs(page, 'By the API', 'call of the API');
  await told('by-page');
  await page.getByText('On the command line', { exact: true }).click();
  await page.getByText('By the API', { exact: true }).click();
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'create-same-elsewhere');
  assert.match(await inShell(line), /VM by-cli is accepted/);
  assert.match(await inShell(call), /"name":"by-curl"/);
  await page.getByRole('button', { name: 'Create by-page' }).click();
  await page.getByRole('heading', { name: 'by-page', exact: true }).waitFor();
  const alike = [];
  for (const name of ['by-page', 'by-cli', 'by-curl']) {
    const [made] = await named(name);
    assert.ok(made, name);
    const { vcpus, ports, pricePerEpoch, vm } = made;
    const { hardwareProfile, keymap, autoreboot } = vm;
    alike.push({ vcpus, ports, pricePerEpoch, hardwareProfile, keymap, autoreboot, disks: await disksOf(made.id) });
  }
  assert.deepEqual(alike[1], alike[0]);
  assert.deepEqual(alike[2], alike[0]);
  assert.deepEqual(alike[0]?.disks, ['6144 sata', '1536 ssd']);
  assert.deepEqual([alike[0].hardwareProfile, alike[0].keymap, alike[0].autoreboot], ['compatibility2013', 'de', true]);
  const database = await openStore(stage.berth);
  const rows = await database
    .selectFrom('instance')
    .where('name', 'in', ['by-page', 'by-cli', 'by-curl'])
    .select(['ssh_keys'])
    .execute();
  await database.destroy();
  assert.deepEqual(
    rows.map(({ ssh_keys: of }) => of),
    Array(3).fill([keys.ed25519]),
  );
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a price is held with its room, counted down, and what is created then has it', async () => {
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/create?configuration=${size}`);
  await cost(page).getByText('$0.135 a day').waitFor();
  await page.getByLabel('Hold this price and room for').selectOption('5');
  await cost(page).getByRole('button', { name: 'Hold it' }).click();
  await cost(page).getByRole('heading', { name: 'Held for you' }).waitFor();
  await cost(page)
    .getByRole('timer')
    .getByText(/^[0-5]:\d\d$/)
    .waitFor();
  await page.waitForURL(/quote=quo_/);
  assert.deepEqual(await axeFindings(page), []);
  await picture(page, 'create-held');
  // It is still there when the page is loaded again, and is found from the quotes, too.
  await page.reload();
  await cost(page).getByRole('heading', { name: 'Held for you' }).waitFor();
  await page.goto('/console/quotes');
  await page.getByRole('link', { name: /^Create from this quote: 1 VM of / }).click();
  await cost(page).getByRole('heading', { name: 'Held for you' }).waitFor();
  await page.getByLabel('Additional storage, GiB').fill('50');
  await cost(page).getByRole('alert').filter({ hasText: 'quote' }).waitFor();
  await page.getByLabel('Additional storage, GiB').fill('');
  await cost(page).getByRole('alert').waitFor({ state: 'detached' });
  await page.getByLabel('Name', { exact: true }).fill('held');
  await page.getByRole('button', { name: 'Create held' }).click();
  await page.getByRole('heading', { name: 'held', exact: true }).waitFor();
  const used = await stage.berth.call<{ items: unknown[] }>('GET', '/berth/v1/quotes?state=used');
  assert.equal(used.body.items.length, 1);
  // One that is let go of holds nothing, and the page goes on with the price of now.
  await page.goto(`/console/create?configuration=${size}`);
  await cost(page).getByRole('button', { name: 'Hold it' }).click();
  await cost(page).getByRole('button', { name: 'Let go of it' }).click();
  await cost(page).getByRole('button', { name: 'Hold it' }).waitFor();
  await cost(page).getByText('Charged at once').waitFor();
  const open = await stage.berth.call<{ items: unknown[] }>('GET', '/berth/v1/quotes?state=open');
  assert.deepEqual(open.body.items, []);
  await cost(page).getByRole('button', { name: 'Hold it' }).click();
  await cost(page).getByRole('heading', { name: 'Held for you' }).waitFor();
  await page.getByText('On the command line', { exact: true }).waitFor();
  const line = await shownAs(page, 'On the command line', 'command line');
  assert.match(line, /--quote quo_/);
  assert.match(await inShell(line), /is accepted/);
  // It was used elsewhere: the page says so by itself.
  await cost(page).getByText('What was held is used.').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a slot is held for a container, which the command line starts on it', async () => {
  await letSlots(stage.berth, 1);
  const { page, context, complaints } = await stage.open();
  await page.goto('/console/create?kind=container');
  await page.getByRole('radio').first().check();
  await page.getByLabel('Image').fill('nginx:latest');
  await page.getByLabel('Environment').fill("GREETING=it's here\nEMPTY");
  await page.getByLabel('Startup script').fill('echo begun');
  await page.getByLabel('Name', { exact: true }).fill('web');
  await cost(page).getByText('Held as a deposit').waitFor();
  await cost(page).getByRole('button', { name: 'Hold it' }).click();
  await cost(page).getByRole('heading', { name: 'Held for you' }).waitFor();
  await page.getByText('On the command line', { exact: true }).waitFor();
  assert.deepEqual(await axeFindings(page), []);
  const line = await shownAs(page, 'On the command line', 'command line');
  assert.match(line, /--quote quo_/);
  assert.match(await inShell(line), /Container web is accepted/);
  assert.equal((await named('web')).length, 1);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('several at a place are made by the same lines', async () => {
  const database = await openStore(stage.berth);
  await addHost(database, { hardware: epyc, datacenterId: await addDatacenter(database, 'DE', 'BER') });
  await database.destroy();
  const { page, context, complaints } = await stage.open();
  await page.goto(`/console/create?configuration=${size}&country=DE`);
  await page.getByLabel('City').selectOption('BER');
  await page.getByLabel('Additional storage, GiB').fill('3');
  await page.getByLabel('How many').fill('2');
  await page.getByLabel('Name', { exact: true }).fill('pair');
  await cost(page)
    .getByText(/^2 VMs, each 1 vCPU/)
    .waitFor();
  const line = await shownAs(page, 'On the command line', 'command line');
  assert.match(line, /--country DE.*--city BER/s);
  assert.match(await inShell(line), /as deployment dep_/);
  assert.deepEqual(
    (await named('pair')).map(({ diskGib }) => diskGib),
    [8, 8],
  );
  assert.deepEqual(complaints, []);
  await context.close();
});

test('all of it can be used in both themes and on a phone', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of [['wide', undefined] as const, ['phone', phone] as const]) {
      const options = { colorScheme, ...(viewport ? { viewport } : {}) };
      const { page, context, complaints } = await stage.open(options);
      await page.goto(`/console/create?configuration=${size}`);
      await cost(page).getByText('a day').waitFor();
      await page.getByRole('button', { name: 'Choose its disks one by one' }).click();
      await page.getByText('On the command line', { exact: true }).click();
      await page.getByText('By the API', { exact: true }).click();
      assert.deepEqual(await axeFindings(page), [], `${colorScheme} ${name}`);
      assert.ok(await fitsItsWindow(page), `${name} scrolls sideways`);
      await picture(page, `create-more-${colorScheme}-${name}`);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});
