// The pages for people: the reference with its documents, the guide as HTML, for terminals and as written, and what keeps both from doing harm.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';

const berth = await startTestBerth();
after(() => berth.close());
const docs = new URL('../../../docs/', import.meta.url);

async function get(path: string): Promise<{ status: number; type: string; text: string; headers: Headers }> {
  const response = await fetch(berth.url + path);
  const { status, headers } = response;
  return { status, headers, type: headers.get('content-type') ?? '', text: await response.text() };
}

test('the reference shows every document, and takes nothing from elsewhere', async () => {
  const page = await get('/docs');
  assert.equal(page.status, 200);
  assert.match(page.type, /^text\/html/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|https:|upgrade-insecure|validator/);
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
  assert.ok(sources.length > 2);
  for (const source of sources) {
    const { pathname, host } = new URL(source, `${berth.url}/docs`);
    assert.equal(host, new URL(berth.url).host);
    assert.equal((await get(pathname)).status, 200, pathname);
  }
  for (const name of ['native', 'fluence', 'hiveon', 'bytemark']) {
    const document = await get(`/docs/openapi/${name}.json`);
    assert.equal(document.text, readFileSync(new URL(`../openapi/${name}.json`, docs), 'utf8'));
    assert.match(document.type, /^application\/json/);
  }
});

test('every page of the guide is there as HTML, in eighty columns and as written, and its links lead somewhere', async () => {
  const names = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  assert.ok(names.length > 10);
  for (const name of names) {
    const text = await get(`/docs/guide/${name}`);
    assert.equal(text.text, readFileSync(new URL(name, docs), 'utf8'));
    assert.match(text.type, /^text\/markdown/);
    const plain = await get(`/docs/guide/${name.replace(/md$/, 'txt')}`);
    assert.match(plain.type, /^text\/plain/);
    assert.doesNotMatch(plain.text, /\]\(|&(amp|lt|quot);/, name);
    // But for what is to be copied, and words that are longer by themselves.
    const tooLong = plain.text.split('\n').filter((line) => /^.{2,78} .*\S/.test(line.trimStart()) && line.length > 80);
    assert.deepEqual(
      tooLong.filter((line) => !line.startsWith('    ')),
      [],
      name,
    );
    const page = await get(`/docs/guide/${name.replace(/\.md$/, '')}`);
    assert.equal(page.status, 200, name);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|script/);
    assert.doesNotMatch(page.text, /<script|style=|\son\w+=/i, name);
    for (const [, href = ''] of page.text.matchAll(/href="(\/docs\/guide[^"#]*)(?:#[^"]*)?"/g)) {
      assert.equal((await get(href)).status, 200, `${name} links ${href}`);
    }
  }
});

test('the guide begins with its index, and has no way to any other file', async () => {
  assert.equal((await get('/docs/guide')).status, 200);
  for (const path of ['nowhere', '..%2fpackage', '%2e%2e/package.json', '../package.json', '.hidden', 'decisions']) {
    assert.equal((await get(`/docs/guide/${path}`)).status, 404, path);
  }
});

test('llms.txt lists every page, each of which is there', async () => {
  const { text, type } = await get('/llms.txt');
  assert.match(type, /^text\/plain/);
  const paths = [...text.matchAll(/\]\((\/[^)]+)\)/g)].map(([, path = '']) => path);
  assert.ok(paths.length > 15);
  for (const path of paths) assert.equal((await get(path)).status, 200, path);
});
