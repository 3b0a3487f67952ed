// Names and messages come from strangers. Wherever one is shown, it is text: nothing in it becomes a part of the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openStore } from '../api/support.ts';
import { setStage } from '../support/stage.ts';
import { makeWorld, pathOf, settled, type World } from './world.ts';

/** Runs where it is taken for HTML. Its image is looked for, too, so that a policy which holds it back hides nothing. */
const evil = `<img src=x onerror="globalThis.ran=1">`;

let world: World;
const stage = setStage(async (berth) => {
  // What the API takes as it is, and names that are then spoilt past it.
  const url = `https://hooks.example.com/?${evil}`;
  world = await makeWorld(berth, { name: 'evil', username: 'mallory', url, reason: evil });
  await spoil(world.ids.instance.replace('ins_', '0x'));
});

/** Writes past the API what it would not take, as if its rules had a hole; what the database refuses can't be there at all. */
async function spoil(instance: string): Promise<void> {
  const database = await openStore(stage.berth);
  const writes = [
    sql`update ssh_key set name = ${evil}`,
    sql`update api_key set name = ${evil} where name = 'evil'`,
    sql`update "group" set name = ${evil} where name = 'evil'`,
    sql`update "user" set username = ${evil} where username = 'mallory'`,
    sql`update "user" set email = ${evil} where username in ('mallory', ${evil})`,
    sql`update account set name = ${evil} where name = 'default'`,
    sql`update instance set name = ${evil}`,
    sql`update instance set status_reason = ${evil}, image_url = ${evil}`,
    sql`update disk set label = ${evil}`,
    sql`update host set name = ${evil}`,
    sql`update image set name = ${evil}, distribution = ${evil} where id = (select id from image limit 1)`,
    sql`update slot set name = ${evil} where name = 'slice'`,
    sql`insert into event (account_id, instance_id, kind, message, actor, created_at)
      select id, ${instance}, 'instance.failed', ${evil}, ${evil}, now() from account limit 1`,
  ];
  for (const write of writes) {
    await write.execute(database).catch((error: { code?: string }) => assert.match(error.code ?? '', /^23514$/));
  }
  await database.destroy();
}

const paths = [
  '/',
  ...['offers', 'create', 'statement'],
  ...[
    'ssh-keys',
    'api-keys',
    'groups',
    'users',
    'users/:user',
    'me',
    'images',
    'addresses',
    'webhooks',
    'webhooks/:webhook',
  ],
  ...[
    'events',
    'quotes',
    'deployments',
    'instances',
    'instances/:instance',
    ...['disks', 'metrics', 'console', 'logs', 'settings'].map((tab) => `instances/:instance?tab=${tab}`),
    'hosts',
    'hosts?view=list',
    'hosts/:host',
    'free-slots',
    'slots',
    'capacity',
  ],
  ...['datacenters', 'configurations', 'prices', 'accounts', 'accounts/:account', 'ledger', 'revenue?by=account'],
];

/** Pages that must show something of a stranger's. */
const showing: ReadonlySet<string> = new Set([
  ...['ssh-keys', 'api-keys', 'webhooks', 'webhooks/:webhook', 'events', 'ledger', 'accounts/:account'],
  ...['instances/:instance', 'instances/:instance?tab=disks', 'instances/:instance?tab=logs'],
]);

/** A window of who runs the whole, at the account that has one of everything. */
async function openSpoilt() {
  const window = await stage.open({ apiKey: world.operator });
  await window.context.addInitScript((id) => localStorage.setItem('berth.account', id), world.ids.default);
  return window;
}

test('what strangers wrote is text on every page', async () => {
  const { page, context, complaints } = await openSpoilt();
  for (const path of paths) {
    await page.goto(path === '/' ? path : `/console/${pathOf(path, world)}`);
    await settled(page);
    // Else the test would say nothing.
    if (showing.has(path)) await page.locator('main').getByText('onerror').first().waitFor({ state: 'attached' });
    const made = await page.locator('img[src="x"]').count();
    assert.equal(made, 0, `${path} has made a stranger's text a part of itself`);
  }
  assert.equal(await page.evaluate('globalThis.ran'), undefined);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('titles, questions and what is said at the edge of the page are text, too', async () => {
  const { page, context, complaints } = await openSpoilt();
  await page.goto('/console/ssh-keys');
  await page.getByRole('button', { name: `Remove ${evil}` }).click();
  const dialog = page.getByRole('dialog', { name: `Remove ${evil}?` });
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText(`${evil} is removed`).waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.equal(await page.evaluate('globalThis.ran'), undefined);
  assert.deepEqual(complaints, []);
  await context.close();
});
