// Completion in the shells themselves: words, options, and values of options and arguments, which are asked for from the server soon or
// not at all, and of which none can be taken for a command.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keys } from '../api/support.ts';
import { startTestBerth } from '../support/berth.ts';
import { Person } from './support.ts';

const nobody = new Person();
const main = join(import.meta.dirname, '../../src/main.ts');
const bin = join(nobody.home, 'bin');
mkdirSync(bin);
const cwd = join(nobody.home, 'work');
mkdirSync(cwd);
writeFileSync(join(cwd, 'key.pub'), '');
// What the server knows is asked of a program that says what it was asked.
writeFileSync(
  join(bin, 'berth'),
  `#!/bin/sh
case "$*" in
  'completion values vm') printf 'web-1\\nweb-2\\n' ;;
  'completion values image') printf 'debian-12-x64\\nmicro\\nown:shop\\n' ;;
  'completion values ssh-key') printf 'laptop\\n' ;;
  'completion values disk') printf 'web-1/data\\n' ;;
  'completion values host') printf 'rack-1\\n' ;;
esac
`,
);
chmodSync(join(bin, 'berth'), 0o755);
const env = { PATH: `${bin}:${process.env.PATH}`, HOME: nobody.home, XDG_CONFIG_HOME: nobody.home };

/** The script of a shell, written by the program itself: with the commands of the installation. */
function scriptOf(shell: string): string {
  const script = execFileSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' });
  const file = join(nobody.home, `berth.${shell}`);
  writeFileSync(file, script);
  return file;
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.split('\t')[0]?.trim() ?? '')
    .filter(Boolean)
    .sort();

const run = (program: string, args: string[]): string[] =>
  linesOf(execFileSync(program, args, { env, encoding: 'utf8', cwd }));

const bash = scriptOf('bash');
const zsh = scriptOf('zsh');
const fish = scriptOf('fish');

/** How each shell completes a line. */
const shells: Record<string, (line: string) => string[]> = {
  bash: (line) =>
    run('bash', [
      '-c',
      `source ${bash}; COMP_WORDBREAKS=$' \\t\\n"><=;|&(:'; COMP_LINE=$1; COMP_POINT=\${#1}; _berth; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      line,
    ]),
  // What zsh shows is not to be had without a terminal, so what it is told is.
  zsh: (line) => {
    const words = line.split(' ');
    const current = words.at(-1) ?? '';
    const told = `compdef() { : }
      compadd() { shift; print -l -- \${(P)1} }
      _describe() { print -l -- \${\${(P)2}%%:*} }
      _files() { print -l -- *(N) }
      source ${zsh}; words=("$@"); CURRENT=$#words; _berth`;
    return run('zsh', ['-fc', told, 'zsh', ...words]).filter((one) => one.startsWith(current));
  },
  fish: (line) => run('fish', ['--no-config', '-c', `source ${fish}; complete -C ${JSON.stringify(line)}`]),
};

for (const [shell, check] of [
  ['bash', '-n'],
  ['zsh', '-n'],
  ['fish', '--no-execute'],
] as const) {
  test(`the script of ${shell} is one that ${shell} takes`, () => {
    const { status, stderr } = spawnSync(shell, [check, join(nobody.home, `berth.${shell}`)]);
    assert.equal(status, 0, String(stderr));
  });
}

for (const [shell, complete] of Object.entries(shells)) {
  test(`${shell} completes nouns, verbs and options, those of the installation among them`, () => {
    assert.deepEqual(complete('berth v'), ['vm']);
    assert.deepEqual(complete('berth vm cr'), ['create']);
    assert.deepEqual(complete('berth vm ports cl'), ['close']);
    assert.ok(complete('berth vm create --im').includes('--image'));
    assert.deepEqual(complete('berth up --address-p'), ['--address-pool']);
    assert.deepEqual(complete('berth agent --serv'), ['--server']);
    assert.ok(complete('berth local host ').includes('list'));
  });

  test(`${shell} completes values of arguments by their places`, () => {
    assert.deepEqual(complete('berth vm show web'), ['web-1', 'web-2']);
    assert.deepEqual(complete('berth vm ports open web-2'), ['web-2']);
    assert.deepEqual(complete('berth vm show --json web-1'), ['web-1']);
    assert.deepEqual(complete('berth disk move web-1/'), ['web-1/data']);
    assert.deepEqual(complete('berth disk move web-1/data '), ['web-1', 'web-2']);
    assert.deepEqual(complete('berth host drain r'), ['rack-1']);
  });

  test(`${shell} completes values of options: things, choices and files`, () => {
    assert.deepEqual(complete('berth vm create --image de'), ['debian-12-x64']);
    assert.deepEqual(complete('berth vm create web-9 --storage-type '), ['HDD', 'NVMe', 'SSD']);
    assert.deepEqual(complete('berth vm create --ssh-key '), ['key.pub', 'laptop']);
    assert.deepEqual(complete('berth vm create --image micro --ssh-key k'), ['key.pub']);
    assert.deepEqual(complete('berth host list --state op'), ['open']);
  });
}

test('bash completes behind a colon, where it breaks words, and behind an equals sign', () => {
  assert.deepEqual(shells.bash?.('berth vm create --image own:s'), ['shop']);
  assert.deepEqual(shells.bash?.('berth vm create --image=de'), ['debian-12-x64']);
});

test('bash runs nothing of what a server says, nor is it run when it is sent off', () => {
  const said = ['$(touch ran)', '`touch ran`', 'web;touch ran', '*'];
  writeFileSync(join(bin, 'said'), said.join('\n'));
  writeFileSync(join(bin, 'evil'), `#!/bin/sh\ncat '${join(bin, 'said')}'\n`);
  chmodSync(join(bin, 'evil'), 0o755);
  const complete = (typed: string) =>
    run('bash', [
      '-c',
      `source ${bash}; berth() { evil; }; COMP_LINE=$1; COMP_POINT=\${#1}; _berth; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ...['bash', `berth vm show ${typed}`],
    ]);
  for (const typed of ['', 'web', '$', '*']) complete(typed);
  assert.ok(!existsSync(join(cwd, 'ran')));
  assert.deepEqual(complete('web'), ['web\\;touch\\ ran']);
});

const server = await startTestBerth();
after(() => server.close());

test('values are what the server has, and what no shell takes for a word is left out', async () => {
  const ann = new Person(server);
  await ann.text('ssh-key', 'add', writtenKey(), '--name', 'laptop');
  await ann.text('webhook', 'create', 'https://hooks.example.com/$(touch%20x)', '--on', 'instance');
  await ann.text('webhook', 'create', 'https://hooks.example.com/berth', '--on', 'instance');
  const values = async (kind: string) => (await ann.text('completion', 'values', kind)).split('\n').filter(Boolean);
  assert.ok((await values('image')).includes('micro'));
  assert.ok((await values('size')).every((one) => one.startsWith('cpu-')));
  assert.deepEqual(await values('ssh-key'), ['laptop']);
  assert.deepEqual(await values('group'), ['default']);
  assert.deepEqual(await values('webhook'), ['https://hooks.example.com/berth']);
  assert.deepEqual(await values('host'), [], 'who may not see any gets none, and no word of it');
  assert.deepEqual(await values('nonsense'), []);
});

function writtenKey(): string {
  const file = join(nobody.home, 'laptop.pub');
  writeFileSync(file, `${keys.ed25519}\n`);
  return file;
}

test('a server that does not answer is not waited for', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await new Promise((resolve) => silent.once('listening', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const startMs = performance.now();
  const { status, out, err } = await new Person({ url: `http://127.0.0.1:${port}`, apiKey: 'berth_key' }).run([
    ...['completion', 'values', 'vm'],
  ]);
  assert.deepEqual([status, out, err], [0, '', '']);
  assert.ok(performance.now() - startMs < 15_000, 'long before a call is given up');
});
