// Manual pages: each is roff that nothing is wrong with, says all that a page of `man` says, and none of a command is missing.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyCommand, Person } from './support.ts';

const nobody = new Person();
const main = join(import.meta.dirname, '../../src/main.ts');
const hasGroff = spawnSync('groff', ['--version']).status === 0;

test('a page of each command is written, and groff warns of nothing in any', async (t) => {
  const directory = join(nobody.home, 'man1');
  assert.match(await nobody.text('man', '--write', directory), /has \d+ pages/);
  const files = new Set(readdirSync(directory));
  for (const { words } of await everyCommand()) assert.ok(files.has(`berth-${words.replaceAll(' ', '-')}.1`), words);
  if (!hasGroff) return t.skip('groff is not there');
  const paths = [...files].map((file) => join(directory, file));
  const { status, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', ...paths], { maxBuffer: 64 * 1024 ** 2 });
  assert.deepEqual([status, String(stderr)], [0, '']);
});

test('a page has what a manual page has', async () => {
  const page = await nobody.text('man', 'vm', 'create');
  for (const section of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXAMPLES', 'EXIT STATUS', 'SEE ALSO'])
    assert.ok(page.includes(`\n.SH ${section}\n`), section);
  assert.match(page, /\\-\\-max\\-price <USD>/);
  assert.match(page, /\.BR berth\\-vm \(1\)/);
  assert.match(await nobody.text('man'), /"berth vm ports open \[options\] <VM> <PORT\.\.\.>"/);
  const { status, err } = await nobody.run(['man', 'vm', 'mend']);
  assert.deepEqual([status, /There is no command "berth vm mend"/.test(err)], [4, true]);
});

test('the page of the whole has the commands of the installation, and help asked for either way is the same', () => {
  const berth = (...args: string[]) => execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  assert.match(berth('man'), /"berth up \[options\]"/);
  assert.equal(berth('help', 'vm', 'create'), berth('vm', 'create', '--help'));
  assert.equal(berth('help', 'up'), berth('up', '--help'));
});

test('a page is not overwritten by a name that climbs', () => {
  // Pages are called after commands, which are ours; this holds what they come to.
  for (const file of readdirSync(join(nobody.home, 'man1'))) assert.match(file, /^berth(-[a-z-]+)?\.1$/);
  assert.ok(readFileSync(join(nobody.home, 'man1/berth.1'), 'utf8').startsWith('.TH "BERTH" 1'));
});
