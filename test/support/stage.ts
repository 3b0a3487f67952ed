// What tests of the web console begin with: a Berth and a browser, which cost seconds and are started once for all tests of a file.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { addUser, grant, type TestUser, tokenOf } from '../api/bytemark/identity.ts';
import { startTestBerth, type TestBerth } from './berth.ts';
import { openWindow, startBrowser, type Window, type WindowOptions } from './browser.ts';

/** What a window is opened with besides: signed in with the first account's key unless another is given, or `null` for nobody's. */
export type StageOptions = Omit<WindowOptions, 'apiKey'> & { apiKey?: string | null };

/** A Berth and a browser. Both are there from when the tests begin. */
export interface Stage {
  readonly berth: TestBerth;
  readonly browser: Browser;
  /** Opens a window on the Berth; whoever opens it closes its context. */
  open(options?: StageOptions): Promise<Window>;
  /** Opens a page and does something there, and holds it to have complained of nothing. */
  inPage(path: string, work: (page: Page) => Promise<void>, options?: StageOptions): Promise<void>;
}

/**
 * Has them started before the first test of a file and closed after its last.
 * @param prepare makes what the tests of the file share
 */
export function setStage(prepare: (berth: TestBerth) => Promise<void> = async () => {}): Stage {
  let berth: TestBerth | undefined;
  let browser: Browser | undefined;
  const stage: Stage = {
    get berth() {
      return berth ?? assert.fail('the Berth is started before the first test, not earlier');
    },
    get browser() {
      return browser ?? assert.fail('the browser is started before the first test, not earlier');
    },
    open({ apiKey = stage.berth.apiKey, ...options } = {}) {
      return openWindow(stage.browser, stage.berth.url, { ...options, ...(apiKey === null ? {} : { apiKey }) });
    },
    async inPage(path, work, options) {
      const { page, context, complaints } = await stage.open(options);
      await page.goto(path);
      await work(page);
      assert.deepEqual(complaints, []);
      await context.close();
    },
  };
  before(async () => {
    // Each is kept as soon as it is there, so that the other one's failure leaves nothing running.
    const started = await Promise.allSettled([
      startTestBerth().then((one) => {
        berth = one;
      }),
      startBrowser().then((one) => {
        browser = one;
      }),
    ]);
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    await prepare(stage.berth);
  });
  after(async () => {
    await browser?.close();
    await berth?.close();
  });
  return stage;
}

/** Opens a page as somebody new who runs the first account. */
export async function asNewUser(
  stage: Stage,
  path: string,
  work: (page: Page, user: TestUser) => Promise<void>,
): Promise<void> {
  const user = await addUser(stage.berth, 'default');
  await stage.inPage(path, (page) => work(page, user), { apiKey: await tokenOf(stage.berth, user) });
}

/** A key of somebody new who runs the whole. */
export async function operatorKey(berth: TestBerth): Promise<string> {
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  return tokenOf(berth, user);
}
