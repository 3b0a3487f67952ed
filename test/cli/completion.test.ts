// The completion scripts are ones that their shells take, and bash's completes words, options and names.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Person } from './support.ts';

const nobody = new Person();

for (const [shell, check] of [
  ['bash', '-n'],
  ['zsh', '-n'],
  ['fish', '--no-execute'],
] as const) {
  test(`the script of ${shell} is one that ${shell} takes`, async () => {
    const script = await nobody.text('completion', shell);
    assert.match(script, /ssh-key/);
    const file = join(nobody.home, `berth.${shell}`);
    writeFileSync(file, script);
    const { status, stderr } = spawnSync(shell, [check, file]);
    assert.equal(status, 0, String(stderr));
  });
}

/** Completes words in bash, where there are VMs of these names. */
async function completer(names: readonly string[]): Promise<(...words: string[]) => string[]> {
  const file = join(nobody.home, 'berth.bash');
  writeFileSync(file, await nobody.text('completion', 'bash'));
  const bin = join(nobody.home, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'names'), `${names.join('\n')}\n`);
  writeFileSync(join(bin, 'berth'), `#!/bin/sh\n[ "$*" = "vm list --names" ] && cat '${join(bin, 'names')}'\n`);
  chmodSync(join(bin, 'berth'), 0o755);
  return (...words) =>
    execFileSync(
      'bash',
      [
        '-c',
        `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _berth; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ],
      { env: { PATH: `${bin}:${process.env.PATH}` }, encoding: 'utf8', cwd: nobody.home },
    )
      .trim()
      .split('\n');
}

test('bash completes nouns, verbs, options and the names of VMs', async () => {
  const complete = await completer(['web-1', 'web-2']);
  assert.deepEqual(complete('berth', 'v'), ['vm']);
  assert.deepEqual(complete('berth', 'vm', 'cr'), ['create']);
  assert.deepEqual(complete('berth', 'vm', 'ports', 'cl'), ['close']);
  assert.ok(complete('berth', 'vm', 'create', '--im').includes('--image'));
  assert.deepEqual(complete('berth', 'vm', 'show', 'web'), ['web-1', 'web-2']);
  assert.deepEqual(complete('berth', 'vm', 'ports', 'open', 'web-2'), ['web-2']);
});

test('a name that a server gives is completed and not run', async () => {
  const evil = ['$(touch ran)', '`touch ran`', 'web;touch ran', '*'];
  const complete = await completer(['web-1', ...evil]);
  for (const typed of ['', 'web', '$', '`', '*']) complete('berth', 'vm', 'show', typed);
  assert.ok(!existsSync(join(nobody.home, 'ran')));
  assert.deepEqual(complete('berth', 'vm', 'show', 'web;'), ['web\\;touch\\ ran'], 'nor when it is sent off');
});
