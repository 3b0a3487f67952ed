// Takes the pictures of the web console that stand in the docs: `npm run pictures`. A whole Berth of its own with two real VMs, so what
// is in the pictures is what somebody sees who follows the README.

import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Berth } from '../sdk/berth.ts';
import { keyPair } from './agent/ssh/support.ts';
import { bootTimeoutMs, inGuest, untilLogin } from './agent/vm/support.ts';
import { startTestBerth, until } from './support/berth.ts';
import { openWindow, phone, startBrowser } from './support/browser.ts';
import { microImage } from './support/images.ts';

const pictures = join(import.meta.dirname, '..', 'docs', 'pictures');
/** Charts and the console have something to show after a while. */
const settleMs = 45_000;
const password = 'a serial password';

const directory = await mkdtemp(join(tmpdir(), 'berth-pictures-'));
await mkdir(join(directory, 'images'));
await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
const server = await startTestBerth({ agent: 'real', directory, addressPool: '127.69.0.0/24' });
const browser = await startBrowser();
let made: string[] = [];
let berth = new Berth(server);
try {
  const credentials = JSON.parse(await readFile(join(directory, 'credentials.json'), 'utf8'));
  const { token = '' } = await berth.sessions.create({
    username: credentials.username,
    password: credentials.password,
  });
  berth = new Berth({ url: server.url, apiKey: token });
  const { slug } = await berth.datacenters.create({ slug: 'pl-poz-1', country: 'PL', city: 'POZ', tier: 3 });
  const [host] = await berth.hosts.list().all();
  await berth.hosts.update(host?.id ?? '', { name: 'rack-1', datacenter: slug });
  const key = await keyPair(directory, 'admin');
  for (const name of ['web-1', 'db-1']) {
    const size = { configuration: 'cpu-1-ram-1gb-storage-5gb', image: 'micro', sshKeys: [key.line] };
    made.push((await berth.instances.create({ name, ...size })).id);
  }
  const [web = ''] = made;
  for (const id of made) await berth.instances.until(id, 'active');
  const { address } = await berth.instances.get(web);
  await untilLogin(key.path, address ?? '');
  const hash = await inGuest(key.path, address ?? '', `echo '${password}' | mkpasswd -m sha512 -P 0`);
  await inGuest(key.path, address ?? '', `sed -i 's|^root:[^:]*|root:${hash}|' /etc/shadow`);

  const { page, context } = await openWindow(browser, server.url, { apiKey: token });
  const take = (name: string, one = page) => one.screenshot({ path: join(pictures, `${name}.png`) });
  await page.goto(`/console/instances/${web}?tab=console`);
  const shows = (what: RegExp) =>
    until(
      `the console shows ${what}`,
      async () => what.test((await page.locator('.xterm-rows').textContent()) ?? ''),
      bootTimeoutMs,
    );
  await shows(/login: /);
  await page.locator('.xterm textarea').focus();
  await page.keyboard.type('root\n');
  await shows(/assword:/);
  await page.keyboard.type(`${password}\n`);
  await shows(/~ #/);
  await page.keyboard.type('clear; uname -a; free -m; df -h /\n');
  await shows(/Mounted on[\s\S]*~ #/);
  await page.evaluate('scrollTo(0, 0)');
  await take('console');
  await page.waitForTimeout(settleMs);
  await page.goto('/');
  await page.getByText('web-1').first().waitFor();
  await take('overview');
  await page.goto('/console/offers');
  await page.getByRole('table').first().waitFor();
  await take('market');
  await context.close();
  const small = await openWindow(browser, server.url, { apiKey: token, viewport: phone, colorScheme: 'dark' });
  await small.page.goto(`/console/instances/${web}`);
  await small.page.getByText('Runs.').waitFor();
  await take('phone', small.page);
} finally {
  await browser.close();
  for (const id of made) await berth.instances.delete(id, { purge: true });
  await until('the VMs are gone', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
  made = [];
  await server.close();
  await rm(directory, { recursive: true, force: true });
}
