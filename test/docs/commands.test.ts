// Holds the pages to the command line: each command that stands in one has its noun, its verb and its options.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Command } from 'commander';
import { addClientCommands, emptyProgram, isClientNoun } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import { addInstallationCommands } from '../../src/compose/commands.ts';

const root = new URL('../../', import.meta.url);
const pages = [...globSync('docs/**/*.md', { cwd: root }), ...globSync('deploy/**/*.md', { cwd: root }), 'README.md'];

/** The commands in the code blocks of a page, with their lines joined. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  return lines.filter((line) => /^(\.\/)?berth \S/.test(line)).map((line) => line.replace(/(^|\s)#.*$/, '').trim());
}

/** Words as a shell would part them, as far as pages need it. */
const wordsOf = (line: string): string[] => [...line.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word);

/** What is wrong with a command; null where nothing is. */
function faultOf(program: Command, line: string): string | null {
  const [, ...words] = wordsOf(line);
  let command = program;
  for (const word of words) {
    if (['|', '>', '<', '&&', ';', '--'].includes(word)) return null;
    if (!word.startsWith('-')) {
      const sub = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (sub) command = sub;
      else if (command.registeredArguments.length === 0 && command.commands.length > 0) return `there is no ${word}`;
      continue;
    }
    const flag = word.split('=', 1)[0];
    const isKnown = command.options.some(({ long, short }) => flag === long || flag === short);
    if (flag === '--help' || flag === '-h') return null;
    if (!isKnown) return `there is no ${flag}`;
  }
  if (command.commands.length > 0) return `${command.name()} needs one of its commands`;
  return null;
}

const terminal = processTerminal(false);

/** The program as it is for a command, which loads no other. */
async function programFor(line: string): Promise<Command> {
  const argv = wordsOf(line).slice(1);
  const program = emptyProgram('0', terminal);
  if (isClientNoun(argv[0])) await addClientCommands(program, terminal, argv[0]);
  else await addInstallationCommands(program, argv);
  return program;
}

test('every command in the pages has its noun, its verb and its options', async () => {
  let found = 0;
  const faults: string[] = [];
  for (const page of pages) {
    for (const line of commandsOf(readFileSync(new URL(page, root), 'utf8'))) {
      found += 1;
      // The tests are the start script's business.
      const fault = line.startsWith('./berth test') ? null : faultOf(await programFor(line), line);
      if (fault) faults.push(`${page}: ${line}: ${fault}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(found > 100, `only ${found} commands were found`);
});

test('every command that the web console teaches has its noun, its verb and its options', async () => {
  const faults: string[] = [];
  let found = 0;
  for (const file of globSync('console/src/**/*.tsx', { cwd: root })) {
    // Those that are chosen piece by piece are run by a test of their page.
    for (const [, line = ''] of readFileSync(new URL(file, root), 'utf8').matchAll(/["'`](berth [^"'`]+)["'`]/g)) {
      found += 1;
      const plain = line.replaceAll(/\$\{[^}]*\}/g, 'x');
      const fault = faultOf(await programFor(plain), plain);
      if (fault) faults.push(`${file}: ${line}: ${fault}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(found > 5, `only ${found} commands were found`);
});
