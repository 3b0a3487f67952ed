// The startup script: run by a shell inside the container each time it has started, beside its own program. (Hiveon API:
// start deployment.)

import { setTimeout as sleep } from 'node:timers/promises';
import { DriverFailure, type Progress } from '../driver.ts';
import type { Engine } from './engine.ts';
import { execIn } from './run-command.ts';

/** What is kept of a script's output: its end. */
const outputBytesKept = 4 * 1024;
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh']);

/** The shell that a script asks for in its first line; `/bin/sh` where it asks for none, or for something else. */
export function shellOf(script: string): string {
  const [, path = '', argument = ''] = /^#!\s*(\S+)(?:[ \t]+(\S+))?/.exec(script) ?? [];
  const wanted = path.endsWith('/env') ? argument : path;
  return shells.has(wanted.replace(/^.*\//, '')) ? wanted : '/bin/sh';
}

/** How a script ended. */
interface ScriptEnd {
  exitCode: number;
  output: string;
}

/**
 * Runs a script in a container that has just started.
 * @param waitMs how long to wait for its end; one that takes longer goes on, and its end is only told
 * @param begun awaited once it runs
 * @throws DriverFailure `STARTUP_SCRIPT_FAILED` when it fails within that time
 */
export async function runStartupScript(
  engine: Engine,
  instanceId: string,
  script: string,
  { waitMs, tell, begun }: { waitMs: number; tell: (step: Progress) => void; begun: () => Promise<void> },
): Promise<void> {
  const execution = await execIn(engine, instanceId, {
    command: [shellOf(script), '-c', script],
    tty: null,
    environment: {},
  });
  execution.stdin.end();
  await begun();
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-outputBytesKept);
  };
  execution.stdout.on('data', keep);
  execution.stderr.on('data', keep);
  const ended = execution.exitCode.then((exitCode): ScriptEnd => {
    tell(endOf({ exitCode, output }));
    return { exitCode, output };
  });
  ended.catch(() => {});
  const waiting = new AbortController();
  const end = await Promise.race([ended, sleep(waitMs, null, { signal: waiting.signal }).catch(() => null)]);
  waiting.abort();
  if (end === null) {
    tell({ kind: 'container.script', message: `The startup script still runs after ${waitMs / 1000} s and goes on.` });
    return;
  }
  if (end.exitCode === 0) return;
  throw new DriverFailure('STARTUP_SCRIPT_FAILED', whyFailed(script, end), true);
}

function endOf({ exitCode, output }: ScriptEnd): Progress {
  const message = `The startup script ended with exit code ${exitCode}.`;
  return { kind: 'container.script', message, data: { exitCode, output } };
}

/** What shells and the Engine answer when there is nothing to run. */
const notFound = 127;
const notExecutable = 126;

function whyFailed(script: string, { exitCode, output }: ScriptEnd): string {
  const last = output.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  if ([notFound, notExecutable].includes(exitCode) && /executable file not found|no such file/i.test(output)) {
    return `The startup script can't run: the image has no ${shellOf(script)}.`;
  }
  return `The startup script failed with exit code ${exitCode}${last && `; the last that it said: ${last}`}.`;
}
