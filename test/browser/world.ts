// What tests of the whole console share: a Berth with something on every page, looked at by somebody who runs it.

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { addUser, grant, tokenOf } from '../api/bytemark/identity.ts';
import { deployBody, deployed, keys } from '../api/support.ts';
import { callApi, type TestBerth, until } from '../support/berth.ts';

/** The ids of one of each, by the API's noun for it. */
export interface World {
  /** A key of who runs the whole. */
  operator: string;
  ids: Record<'webhook' | 'user' | 'instance' | 'host' | 'default' | 'account', string>;
}

interface WorldNames {
  /** A key, an API key and a group are called so. */
  name: string;
  username: string;
  url: string;
  reason: string;
}

/** Makes one of everything in the first account. */
export async function makeWorld(berth: TestBerth, names: Partial<WorldNames> = {}): Promise<World> {
  const { name = 'web', username = 'bob', url = 'https://hooks.example.com/berth', reason = 'an invoice' } = names;
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  const operator = await tokenOf(berth, user);
  const post = async (path: string, body: object) => {
    const answer = await callApi<{ id: string }>(berth.url, operator, 'POST', `/berth/v1/${path}`, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body.id;
  };
  const first = async (path: string) => {
    const { body } = await callApi<{ items: { id: string }[] }>(berth.url, operator, 'GET', `/berth/v1/${path}`);
    return body.items[0]?.id ?? '';
  };
  const of = { account: 'default' };
  const [firstAccount, host] = [await first('accounts'), await first('hosts')];
  await post('ssh-keys', { ...of, name, publicKey: keys.ed25519 });
  await post('groups', { ...of, name });
  await post('api-keys', { ...of, name });
  const webhook = await post('webhooks', { ...of, url, kinds: ['instance'] });
  const privileges = [{ level: 'account_admin', ...of }];
  const added = await post('users', { username, email: `${username}@example.com`, privileges });
  await post('quotes', { ...of, validSeconds: 600 });
  const [instance = ''] = await deployed(berth, deployBody({ name: 'shop' }));
  await post('datacenters', { slug: 'poznan-1', country: 'PL', city: 'POZ', tier: 3, certifications: ['ISO 27001'] });
  await post('slots', { host, name: 'slice', vcpus: 2, memoryGib: 4, diskGib: 20, prices: { hour: '0.05' } });
  const account = await post('accounts', { name: 'acme' });
  for (const one of ['acme', 'default']) await post(`accounts/${one}/credits`, { amount: '250', reason });
  return {
    operator,
    ids: {
      ...{ webhook, account, host, user: added, default: firstAccount },
      instance: `ins_${instance.replace(/^0x/, '')}`,
    },
  };
}

/** The address of a page in which `:user` and the like stand for ids. */
export const pathOf = (path: string, { ids }: World): string =>
  path.replaceAll(/:(\w+)/g, (_whole, name: keyof World['ids']) => ids[name]);

/** Waits until a page has read what it shows. */
export async function settled(page: Page, heading?: string): Promise<void> {
  await page.getByRole('heading', { level: 1, ...(heading === undefined ? {} : { name: heading }) }).waitFor();
  await until('the page has read what it shows', async () => (await page.locator('.loading').count()) === 0);
}
