// Every page about people and what they own, and every page of operators: in light and dark, on a wide screen and on a phone, it can be
// used by everybody and fits, and nothing of it is complained of.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { addUser, grant, tokenOf } from '../api/bytemark/identity.ts';
import { deployBody, deployed, keys } from '../api/support.ts';
import { axeFindings } from '../support/axe.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { openWindow, phone, picture, startBrowser, wide } from '../support/browser.ts';

let berth: TestBerth;
let browser: Browser;
let operator: string;
const ids: Record<string, string> = {};

before(async () => {
  [berth, browser] = await Promise.all([startTestBerth(), startBrowser()]);
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  operator = await tokenOf(berth, user);
  const post = async (path: string, body: object) => {
    const answer = await callApi<{ id: string }>(berth.url, operator, 'POST', `/berth/v1/${path}`, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body.id;
  };
  const of = { account: 'default' };
  await post('ssh-keys', { ...of, name: 'laptop', publicKey: keys.ed25519 });
  await post('groups', { ...of, name: 'web' });
  await post('api-keys', { ...of, name: 'deploy' });
  ids.webhook = await post('webhooks', { ...of, url: 'https://hooks.example.com/berth', kinds: ['instance'] });
  ids.user = await post('users', {
    username: 'bob',
    email: 'bob@example.com',
    privileges: [{ level: 'account_admin', ...of }],
  });
  await post('quotes', { ...of, validSeconds: 600 });
  await deployed(berth, deployBody({ name: 'shop' }));
  const { body } = await callApi<{ items: { id: string }[] }>(berth.url, operator, 'GET', '/berth/v1/hosts');
  ids.host = body.items[0]?.id ?? '';
  await post('datacenters', { slug: 'poznan-1', country: 'PL', city: 'POZ', tier: 3, certifications: ['ISO 27001'] });
  await post('slots', {
    host: ids.host,
    name: 'slice',
    vcpus: 2,
    memoryGib: 4,
    diskGib: 20,
    prices: { hour: '0.05' },
  });
  const { body: first } = await berth.call<{ items: { id: string }[] }>('GET', '/berth/v1/accounts');
  ids.default = first.items[0]?.id ?? '';
  ids.account = await post('accounts', { name: 'acme' });
  await post('accounts/acme/credits', { amount: '250', reason: 'an invoice that was paid' });
});
after(async () => {
  await browser?.close();
  await berth?.close();
});

/** Waits until a page has read what it shows. */
async function settled(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await until(`${heading} is read`, async () => (await page.locator('.loading').count()) === 0);
}

const pages: readonly (readonly [path: string, heading: string])[] = [
  ['ssh-keys', 'SSH keys'],
  ['api-keys', 'API keys'],
  ['groups', 'Groups'],
  ['users', 'Users'],
  ['users/:user', 'bob'],
  ['me', 'user-'],
  ['images', 'Images'],
  ['addresses', 'Addresses'],
  ['webhooks', 'Webhooks'],
  ['webhooks/:webhook', 'https://hooks.example.com/berth'],
  ['events', 'Events'],
  ['quotes', 'Quotes'],
  ['hosts', 'Hosts'],
  ['hosts?view=list', 'Hosts'],
  ['hosts/:host', ''],
  ['slots', 'Slots'],
  ['capacity', 'Capacity'],
  ['datacenters', 'Datacenters'],
  ['configurations', 'Configurations'],
  ['prices', 'Prices'],
  ['accounts', 'Accounts'],
  ['accounts/:account', 'acme'],
  ['ledger', 'Ledger'],
  ['revenue', 'Revenue'],
];

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, viewport] of [
    ['wide', wide],
    ['phone', phone],
  ] as const) {
    test(`every page can be used by everybody, ${colorScheme} and ${size}`, async () => {
      const { page, context, complaints } = await openWindow(browser, berth.url, {
        apiKey: operator,
        viewport,
        colorScheme,
      });
      await context.addInitScript((id) => localStorage.setItem('berth.account', id), ids.default ?? '');
      const findings: string[] = [];
      for (const [path, heading] of pages) {
        await page.goto(`/console/${path.replace(/:(\w+)/, (_whole, name: string) => ids[name] ?? '')}`);
        await settled(page, heading);
        findings.push(...(await axeFindings(page)).map((finding) => `${path}: ${finding}`));
        const overhang = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (overhang !== 0) findings.push(`${path}: wider than the window by ${overhang} px`);
        await picture(page, `${path.replaceAll(/\W/g, '-')}-${size}-${colorScheme}`);
      }
      assert.deepEqual(findings, []);
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }
}
