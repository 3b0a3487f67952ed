// The web console's consoles in a browser, on a real VM and a real container: somebody types into the serial port and a shell, reads the
// answers, and sees the screen. What they do without real machines is in test/browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { bootTimeoutMs, inGuest, untilLogin } from '../agent/vm/support.ts';
import { until } from '../support/berth.ts';
import { openWindow, picture, startBrowser } from '../support/browser.ts';
import { type Machines, startMachines } from './machines.ts';

/** Loading the page's script takes far less. */
const scriptTimeoutMs = 10_000;

let machines: Machines;
let browser: Browser;

before(async () => {
  [machines, browser] = await Promise.all([startMachines('127.68.24.0/24'), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await machines?.close();
});

/**
 * Opens a part of an instance's page, and once more where the browser drops its script, as a person would: the links of what was just
 * started still change.
 */
async function openPart(id: string, part: string) {
  const { server } = machines;
  const window = await openWindow(browser, server.url, { apiKey: server.apiKey });
  await until('the page is there', async () => {
    await window.page.goto(`/console/instances/${id}?${part}`);
    const shown = window.page.locator('#root > :not(.late)').first().waitFor({ timeout: scriptTimeoutMs });
    return shown.then(
      () => true,
      () => false,
    );
  });
  return window;
}

/** Waits until a terminal shows something. @throws Error with what the page says instead */
async function shows(page: Page, what: RegExp, boundMs?: number): Promise<void> {
  const isShown = async () => (await page.locator('.xterm-rows').allTextContents()).some((text) => what.test(text));
  await until(`it shows ${what}`, isShown, boundMs).catch(async (error: unknown) => {
    throw new Error(`The page says: ${await page.locator('body').textContent()}`, { cause: error });
  });
}

const isTypedInto = (page: Page, label: string) =>
  until(`${label} has the focus`, async () => (await page.evaluate('document.activeElement.ariaLabel')) === label);

test('somebody types into the serial console of a real VM and reads its answer', async () => {
  const { berth, key, vm } = machines;
  const { page, context, complaints } = await openPart(vm, 'tab=console');
  await shows(page, /login: /, bootTimeoutMs);
  const { address } = await berth.instances.get(vm);
  await untilLogin(key.path, address ?? '');
  const hash = await inGuest(key.path, address ?? '', "echo 'a serial password' | mkpasswd -m sha512 -P 0");
  await inGuest(key.path, address ?? '', `sed -i 's|^root:[^:]*|root:${hash}|' /etc/shadow`);
  await isTypedInto(page, 'Serial console of box');
  await page.keyboard.type('root\n');
  await shows(page, /assword:/);
  await page.keyboard.type('a serial password\n');
  await shows(page, /~ #/);
  await page.keyboard.type('echo the answer is $((6 * 7))\n');
  await shows(page, /the answer is 42/);
  await picture(page, 'serial-of-real-vm');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the screen of a real VM is seen, and the chord leads out of it', async () => {
  const { page, context, complaints } = await openPart(machines.vm, 'tab=console&view=screen');
  const screen = page.getByRole('application', { name: 'Screen of box' });
  await screen.waitFor();
  await until('something is on the screen', async () =>
    page.evaluate(`(() => {
      const canvas = document.querySelector('.screen-box canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set();
      for (let at = 0; at < data.length; at += 4) colours.add(data[at] * 65536 + data[at + 1] * 256 + data[at + 2]);
      return colours.size > 1;
    })()`),
  );
  await picture(page, 'screen-of-real-vm');
  await page.keyboard.press('Control+Shift+Home');
  await page.getByRole('button', { name: 'Press them' }).focus();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a shell in a real container answers, and its log is read', async () => {
  const { berth, container } = machines;
  const { page, context, complaints } = await openPart(container, 'tab=shell');
  const { name } = await berth.instances.get(container);
  await shows(page, /\/ # /);
  await isTypedInto(page, `Shell in ${name}`);
  await page.keyboard.type('echo the answer is $((6 * 7))\n');
  await shows(page, /the answer is 42/);
  await page.keyboard.type('exit 3\n');
  await page.getByText('ended').first().waitFor();
  await page.getByRole('button', { name: 'Open it again' }).click();
  await shows(page, /\/ # /);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('log').waitFor();
  await picture(page, 'log-of-real-container');
  assert.deepEqual(complaints, []);
  await context.close();
});
