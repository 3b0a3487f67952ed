// The distribution's Chromium for tests of the web console, driven over its own protocol. Each test gets a fresh profile.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';

/** What Chromium is started with: nothing of it talks to anybody but the server under test. */
const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page that is left no longer waits for its files. */
const left = 'net::ERR_ABORTED';
/** A browser drops what it loads when a link comes or goes on its machine, as hosts under test make them; the page loads itself anew. */
const unplugged = 'net::ERR_NETWORK_CHANGED';

/** How wide windows are. */
export const wide = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/** A Chromium of a test's own; the caller closes it. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.BERTH_CHROMIUM ?? '/usr/bin/chromium', args: switches });

/** A window on a Berth. Whatever the page complains of is collected, so that a test can hold it to have nothing. */
export interface Window {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts, of the console and of the page's policy, but not what a test provokes by refused calls. */
  complaints: string[];
}

/** How a window is. */
export interface WindowOptions {
  apiKey?: string;
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
}

/** Opens a window, signed in with a key where one is given. */
export async function openWindow(
  browser: Browser,
  url: string,
  { apiKey, viewport = wide, colorScheme = 'light' }: WindowOptions = {},
): Promise<Window> {
  const context = await browser.newContext({ baseURL: url, viewport, colorScheme, locale: 'en-GB', timezoneId: 'UTC' });
  if (apiKey !== undefined) {
    await context.addInitScript((key) => sessionStorage.setItem('berth.api-key', key), apiKey);
  }
  const page = await context.newPage();
  const complaints: string[] = [];
  let isMending = false;
  const complain = (text: string) => {
    if (!isMending) complaints.push(text);
  };
  page.on('load', () => {
    isMending = false;
  });
  page.on('pageerror', (error) => complain(String(error)));
  page.on('console', (message) => {
    const isRefusedCall = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusedCall) complain(message.text());
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    if (!request.url().includes('/console/assets/') || why === left) return;
    if (why === unplugged) isMending = true;
    else complain(`${request.url()}: ${why}`);
  });
  return { page, context, complaints };
}

/** Keeps a picture of a page where `BERTH_SCREENSHOTS` names a directory, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env.BERTH_SCREENSHOTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: `${directory}/${name}.png`, fullPage: true });
}

/** Whether a page needs no sideways scrolling. */
export const fitsItsWindow = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

/** As long as the browser's driver itself waits for something. */
const patienceMs = 30_000;

/**
 * Looks until it finds what it should: a page comes to that a moment after whatever else was waited for, on a loaded machine a long one.
 * What a page must never come to is no matter for this.
 */
export async function untilEqual<Found>(look: () => Promise<Found>, wanted: Found): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (isDeepStrictEqual(found, wanted)) return;
    if (performance.now() > end) return assert.deepStrictEqual(found, wanted);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Rows of lists that have a text. */
export const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

/** Waits until a field is marked as wrong. */
export const untilInvalid = (field: Locator): Promise<void> =>
  field.and(field.page().locator('[aria-invalid="true"]')).waitFor();

/** Chooses one of many in a field that searches as one types. */
export async function pick(within: Page | Locator, label: string, name: string): Promise<void> {
  const field = within.getByRole('combobox', { name: label, exact: true });
  await field.fill(name);
  await within
    .getByRole('option', { name: new RegExp(`^${name}( |$)`) })
    .first()
    .click();
}
