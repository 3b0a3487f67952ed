// The process as the commands see it: its streams, Ctrl-C, and how it ends.

import type { Terminal } from './command.ts';
import { exitCodes } from './exit.ts';

/** Who reads no more of an answer, as `head` does, is done: that is no error. */
function endQuietlyWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

/**
 * The terminal of this process.
 * @param takesSignals whether Ctrl-C ends the command by the terminal's signal; servers have ways of their own
 */
export function processTerminal(takesSignals: boolean): Terminal {
  const enough = new AbortController();
  if (takesSignals) {
    endQuietlyWhenNobodyReads();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => enough.abort(new Error(name)));
  }
  return {
    ...{ env: process.env, input: process.stdin, out: process.stdout, err: process.stderr },
    signal: enough.signal,
    end(exitCode) {
      process.exitCode = exitCode;
      // What is still under way is not waited for.
      if (exitCode === exitCodes.interrupted || exitCode === exitCodes.terminated) process.exit(exitCode);
    },
  };
}
