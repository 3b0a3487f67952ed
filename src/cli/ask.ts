// Questions to a person. They are asked on a terminal only; programs have an option or standard input for each.

import { text as readAll } from 'node:stream/consumers';
import type { Terminal } from './command.ts';
import { CancelledError, UsageError } from './exit.ts';
import { plainLines } from './table.ts';

/** Whether there is somebody to ask. */
export const hasPerson = ({ input, err }: Terminal): boolean => input.isTTY === true && err.isTTY === true;

/** The prompts, which are loaded when they are needed; on standard error, because answers go to standard output. */
async function prompts({ input, err }: Terminal) {
  const { confirm, isCancel, password, text } = await import('@clack/prompts');
  const streams = { input: input as never, output: err as never };
  const answered = <Value>(value: Value): Exclude<Value, symbol> => {
    if (isCancel(value)) throw new CancelledError('Nothing was done.');
    return value as Exclude<Value, symbol>;
  };
  return {
    confirm: async (message: string) => answered(await confirm({ ...streams, message, initialValue: false })),
    text: async (message: string, initialValue: string) => answered(await text({ ...streams, message, initialValue })),
    password: async (message: string) => answered(await password({ ...streams, message })),
  };
}

/**
 * Asks before something is lost.
 * @param yes whether the command line has answered already
 * @throws UsageError where nobody can be asked, or the answer is no; CancelledError at Ctrl-C
 */
export async function confirm(terminal: Terminal, yes: boolean, question: string): Promise<void> {
  if (yes) return;
  if (!hasPerson(terminal)) throw new UsageError(`${question}\nNobody can be asked here; --yes does it.`);
  if (await (await prompts(terminal)).confirm(plainLines(question))) return;
  throw new UsageError('Nothing was done.');
}

/** Asks for a line. @throws UsageError where nobody can be asked */
export async function askText(terminal: Terminal, message: string, proposal: string, option: string): Promise<string> {
  if (!hasPerson(terminal)) throw new UsageError(`Nobody can be asked here; give ${option}.`);
  return (await (await prompts(terminal)).text(message, proposal)).trim();
}

/** Asks for a secret without showing it; where nobody is there, the first line of standard input is it. */
export async function askSecret(terminal: Terminal, message: string): Promise<string> {
  if (hasPerson(terminal)) return (await (await prompts(terminal)).password(message)).trim();
  const secret = (await readAll(terminal.input)).split('\n', 1)[0]?.trim() ?? '';
  if (secret === '') throw new UsageError(`${message}: nothing came on standard input.`);
  return secret;
}
