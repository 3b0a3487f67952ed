// Every page about people and what they own, and every page of operators: in light and dark, on a wide screen and on a phone, it can be
// used by everybody and fits, and nothing of it is complained of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeFindings } from '../support/axe.ts';
import { phone, picture, wide } from '../support/browser.ts';
import { setStage } from '../support/stage.ts';
import { makeWorld, pathOf, settled, type World } from './world.ts';

let world: World;
const stage = setStage(async (berth) => {
  world = await makeWorld(berth);
});

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
  ['free-slots', 'Free slots'],
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
      const { page, context, complaints } = await stage.open({
        apiKey: world.operator,
        viewport,
        colorScheme,
      });
      await context.addInitScript((id) => localStorage.setItem('berth.account', id), world.ids.default);
      const findings: string[] = [];
      for (const [path, heading] of pages) {
        await page.goto(`/console/${pathOf(path, world)}`);
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
