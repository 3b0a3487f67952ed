// Runs the operator's commands as an operator does, each as a process of its own, on the database of a running Berth.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../src/main.ts');
/** So that a test that hangs ends; it decides nothing else. */
const timeoutMs = 120_000;

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a command with these arguments and, where there is one, this standard input. */
export function runBerth(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { timeout: timeoutMs }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

/** An operator at the shell of one Berth. */
export class Operator {
  readonly #where: readonly string[];

  /** @param directory the Berth's data directory */
  constructor(directory: string) {
    this.#where = ['--data', directory];
  }

  /** Runs a command that must succeed, and returns what it printed. */
  async text(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runBerth(['local', ...args, ...this.#where]);
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Runs a command that must succeed, and returns its answer. */
  async json<Value>(...args: string[]): Promise<Value> {
    return JSON.parse(await this.text(...args, '--json')) as Value;
  }

  /** Runs a command with something on its standard input. */
  typing(input: string, ...args: string[]): Promise<Ended> {
    return runBerth(['local', ...args, ...this.#where], input);
  }

  /** Runs a command that must be refused: status 1, nothing printed, and one sentence that has all of these words in it. */
  async refused(args: string[], ...words: string[]): Promise<void> {
    const { status, stdout, stderr } = await runBerth(['local', ...args, ...this.#where]);
    assert.equal(status, 1, `${args.join(' ')}: ${stdout}${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^berth: [^\n]+\n$/);
    for (const word of words) assert.ok(stderr.includes(word), `"${stderr}" does not name ${word}`);
  }
}
