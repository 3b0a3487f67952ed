// Runs the commands of customers and operators in this process, on a terminal that a test looks at: what was answered, what was told
// beside it, and how it ended.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Terminal } from '../../src/cli/command.ts';
import { addClientCommands, allNouns, emptyProgram, nounsFor, runProgram } from '../../src/cli/program.ts';

/** How a command ended. */
export interface Ended {
  status: number;
  out: string;
  err: string;
}

/** What a test may ask for. */
export interface RunOptions {
  /** What comes on standard input. */
  input?: string | Readable;
  env?: Record<string, string>;
  /** Whether answers go to a terminal. */
  isTTY?: boolean;
  signal?: AbortSignal;
  /** Told of each piece of an answer. */
  onOut?: (text: string) => void;
}

const homes: string[] = [];
process.once('exit', () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A person at one Berth, with a home of their own. */
export class Person {
  /** Where the profiles are. */
  readonly home = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  readonly #env: Record<string, string>;

  /** @param where which Berth, as the environment says it; nobody is logged in where it is left out */
  constructor(where?: { url: string; apiKey: string }) {
    homes.push(this.home);
    this.#env = {
      ...{ HOME: this.home, XDG_CONFIG_HOME: this.home, COLUMNS: '80' },
      ...(where ? { BERTH_URL: where.url, BERTH_API_KEY: where.apiKey } : {}),
    };
  }

  /** Runs a command. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const ended: Ended = { status: 0, out: '', err: '' };
    const { input = '', env = {}, isTTY = false, signal = new AbortController().signal, onOut } = options;
    const terminal: Terminal = {
      env: { ...this.#env, ...env },
      input: typeof input === 'string' ? Readable.from([input]) : input,
      out: {
        isTTY,
        write: (given) => {
          const text = Buffer.from(given).toString();
          ended.out += text;
          onOut?.(text);
        },
      },
      err: {
        write: (text) => {
          ended.err += Buffer.from(text).toString();
        },
      },
      signal,
      end: (status) => {
        ended.status = status;
      },
    };
    const program = emptyProgram('0', terminal);
    await addClientCommands(program, terminal, nounsFor(argv));
    await runProgram(program, argv, terminal.end);
    return ended;
  }

  /** Runs a command that has to succeed. @returns its answer */
  async text(...argv: string[]): Promise<string> {
    const { status, out, err } = await this.run(argv);
    if (status !== 0) throw new Error(`berth ${argv.join(' ')} ended with ${status}: ${err}`);
    return out;
  }

  /** The same in JSON. */
  async json<Value>(...argv: string[]): Promise<Value> {
    return JSON.parse(await this.text(...argv, '--json')) as Value;
  }
}

const silent: Terminal = {
  ...{ env: {}, input: Readable.from([]), signal: new AbortController().signal, end: () => {} },
  ...{ out: { write: () => {} }, err: { write: () => {} } },
};

/** Every command that can be run, with the words that name it. */
export async function everyCommand(): Promise<{ words: string; command: Command }[]> {
  const program = emptyProgram('0', silent);
  await addClientCommands(program, silent, allNouns);
  const leaves = (command: Command, words: string[]): { words: string; command: Command }[] =>
    command.commands.length === 0
      ? [{ words: words.join(' '), command }]
      : command.commands.flatMap((one) => leaves(one, [...words, one.name()]));
  return leaves(program, []);
}
