// What the console weighs when it is opened first: consoles and charts, which are heavy, come with the pages that show them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { setStage } from '../support/stage.ts';

/** The budget of the first page with its scripts and its style sheet, compressed. */
const firstLoadBytesMax = 250_000;

const stage = setStage();

test('the first page is within its budget, and comes compressed, for good and with one style sheet', async () => {
  const { page, context, complaints } = await stage.open();
  const bodies: Promise<number>[] = [];
  const sheets: string[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname !== '/' && !/^\/console\/assets\/.*\.(js|css)$/.test(pathname)) return;
    bodies.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
    if (!pathname.endsWith('.css')) return;
    sheets.push(pathname);
    assert.match(response.headers()['content-encoding'] ?? '', /^(br|gzip)$/);
    assert.match(response.headers()['cache-control'] ?? '', /immutable/);
  });
  await page.goto('/');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.waitForLoadState('load');
  const bytes = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 0 && bytes <= firstLoadBytesMax, `${bytes} bytes`);
  await page.getByRole('link', { name: 'Instances', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Instances' }).waitFor();
  assert.equal(sheets.length, 1);
  assert.deepEqual(complaints, []);
  await context.close();
});
