// Holds the links of all pages to what is there: files, and headings within them.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const pages = globSync('{*.md,docs/**/*.md,deploy/**/*.md}', { cwd: root }).map((path) => join(root, path));

/** The names by which the headings of a page are linked to, as code hosts make them. */
function anchorsOf(page: string): Set<string> {
  const headings = [...withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** What looks like a heading or a link in an example is none. */
const withoutCode = (text: string) =>
  text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));

test('every link to a file leads to one, and every link to a heading to that heading', () => {
  assert.ok(pages.length > 20);
  for (const page of pages) {
    const text = withoutCode(readFileSync(page, 'utf8'));
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      const where = `${relative(root, page)} links to ${target}`;
      assert.ok(existsSync(file), `${where}, which is not there`);
      if (anchor !== undefined) assert.ok(anchorsOf(file).has(anchor), `${where}, and there is no such heading`);
    }
  }
});

test('the index names every page', () => {
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8');
  for (const page of globSync('docs/*.md', { cwd: root })) {
    const name = page.replace('docs/', '');
    if (name !== 'README.md') assert.ok(index.includes(`(${name}`), `docs/README.md does not name ${name}`);
  }
});

test('the list of decisions names each by its title', () => {
  const list = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
  for (const page of globSync('docs/decisions/0*.md', { cwd: root })) {
    const [, title] = /^# \d+\. (.+)/.exec(readFileSync(join(root, page), 'utf8')) ?? [];
    const name = page.replace('docs/decisions/', '');
    assert.ok(list.includes(`[${title}](${name})`), `docs/decisions/README.md does not name ${name} as "${title}"`);
  }
});
