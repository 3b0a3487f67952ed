// What keeps a page of the console from being used against who is signed in there: its policy, its cookie, and whose requests are taken.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { addUser, type TestUser } from '../api/bytemark/identity.ts';
import { until } from '../support/berth.ts';
import { setStage } from '../support/stage.ts';

let user: TestUser;
/** Pages of somebody else, on another port of this machine. Browsers take ports of one name for one site, and send its cookies. */
let elsewhere: Server;
let elsewhereUrl: string;
const pagesElsewhere = new Map<string, string>();

const stage = setStage(async (berth) => {
  user = await addUser(berth, 'default');
  elsewhere = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(pagesElsewhere.get(request.url ?? '') ?? '<!doctype html><title>nothing</title>');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
after(() => {
  elsewhere?.closeAllConnections();
  elsewhere?.close();
});

/** A window in which the user has signed in with the password. */
async function signedIn(): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const opened = await stage.open({ apiKey: null });
  const { page } = opened;
  await page.goto('/');
  await page.getByLabel('Username').fill(user.username);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return opened;
}

const groupNames = async () => {
  const { body } = await stage.berth.call<{ items: { name: string }[] }>('GET', '/berth/v1/groups');
  return body.items.map(({ name }) => name);
};

test('every page has a policy that lets nothing inline and nothing from elsewhere run, and forbids frames', async () => {
  for (const path of ['/', '/console', '/console/hosts', '/console/no-such-page']) {
    const { headers } = await fetch(stage.berth.url + path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.ok(!policy.includes('unsafe-'), policy);
    const rules = new Map(policy.split('; ').map((rule) => [rule.split(' ')[0], rule]));
    assert.equal(rules.get('default-src'), "default-src 'none'");
    assert.equal(rules.get('script-src'), "script-src 'self'");
    assert.equal(rules.get('frame-ancestors'), "frame-ancestors 'none'");
    assert.equal(rules.get('base-uri'), "base-uri 'none'");
    assert.equal(headers.get('x-frame-options'), 'DENY');
  }
});

test('a script that got into the page does not run', async () => {
  const { page, context, complaints } = await stage.open({ apiKey: null });
  await page.goto('/');
  await page.getByRole('heading', { name: 'Sign in to Berth' }).waitFor();
  await page.evaluate(`
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = "inline"';
    const far = document.createElement('script');
    far.src = 'data:text/javascript,globalThis.ran="far"';
    const image = document.createElement('div');
    image.innerHTML = '<img src="/nothing" onerror="globalThis.ran = \\'handler\\'">';
    const link = document.createElement('a');
    link.href = 'javascript:globalThis.ran = "link"';
    document.body.append(script, far, image, link);
    link.click();
  `);
  await until('all four were held back', async () => complaints.length >= 4);
  assert.equal(await page.evaluate('globalThis.ran'), undefined);
  assert.ok(
    complaints.every((complaint) => /Content Security Policy/i.test(complaint)),
    complaints.join('\n'),
  );
  await context.close();
});

test('a frame of another page shows nothing of the console', async () => {
  pagesElsewhere.set('/frame', `<!doctype html><title>frame</title><iframe src="${stage.berth.url}/"></iframe>`);
  const { page, context } = await signedIn();
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.goto(`${elsewhereUrl}/frame`);
  await refused;
  const frames = page.frames().filter((frame) => frame !== page.mainFrame());
  assert.equal(frames.length, 1);
  assert.equal(await frames[0]?.locator('#root').count(), 0);
  await context.close();
});

test('the cookie is for no script and no other site, and behind HTTPS only for HTTPS', async () => {
  const { context } = await signedIn();
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.secure], [true, 'Strict', false]);
  const answer = await fetch(`${stage.berth.url}/berth/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
    body: JSON.stringify({ ...user, cookie: true }),
  });
  assert.match(answer.headers.get('set-cookie') ?? '', /HttpOnly; SameSite=Strict; Secure/);
  assert.ok(!(await answer.text()).includes('"token"'));
  await context.close();
});

test('pages of others can change nothing with the cookie, by a form or by a call', async () => {
  const action = `${stage.berth.url}/berth/v1/groups`;
  pagesElsewhere.set(
    '/form',
    `<!doctype html><title>form</title><form method="post" enctype="text/plain" action="${action}">
      <input name='{"name":"stolen","ignored":"' value='"}'><button>Win</button></form>`,
  );
  const { page, context } = await signedIn();
  await page.goto(`${elsewhereUrl}/form`);
  const answered = page.waitForResponse(action);
  await page.getByRole('button', { name: 'Win' }).click();
  const status = (await answered).status();
  assert.ok([403, 415].includes(status), String(status));
  for (const type of ['text/plain', 'application/json']) {
    await page.goto(`${elsewhereUrl}/form`);
    const outcome = await page.evaluate(
      ([url = '', contentType = '']) =>
        fetch(url, {
          method: 'POST',
          credentials: 'include',
          mode: contentType === 'text/plain' ? 'no-cors' : 'cors',
          headers: { 'content-type': contentType },
          body: '{"name":"stolen"}',
        }).then(
          (response) => response.type,
          () => 'failed',
        ),
      [action, type],
    );
    assert.notEqual(outcome, 'basic');
  }
  const [cookie] = await context.cookies();
  const direct = await fetch(action, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: `${cookie?.name}=${cookie?.value}`, origin: elsewhereUrl },
    body: '{"name":"stolen"}',
  });
  assert.equal(direct.status, 403);
  assert.equal(((await direct.json()) as { code: string }).code, 'cross_site');
  assert.ok(!(await groupNames()).includes('stolen'));
  await context.close();
});
