// The startup script: run by a shell inside the container each time it has started, beside its own program. (Hiveon API:
// start deployment.) Its run is prepared, noted, and only then started, so that an agent that dies in between finds out how
// far it came and runs it neither twice nor never.

import { setTimeout as sleep } from 'node:timers/promises';
import { DriverFailure, type Progress } from '../driver.ts';
import type { Engine } from './engine.ts';
import type { ScriptMemory } from './memory.ts';
import { prepareCommand, startCommand, stateOfCommand } from './run-command.ts';
import { excerpt, oneLine } from './text.ts';

/** What is kept of a script's output: its end. */
const outputBytesKept = 4 * 1024;
/** How often a script is looked at that an earlier agent has started. */
const adoptedPollMs = 500;
const lastLineLength = 200;
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh']);

/** The shell that a script asks for in its first line; `/bin/sh` where it asks for none, or for something else. */
export function shellOf(script: string): string {
  const [, path = '', argument = ''] = /^#!\s*(\S+)(?:[ \t]+(\S+))?/.exec(script) ?? [];
  const wanted = path.endsWith('/env') ? argument : path;
  return shells.has(wanted.replace(/^.*\//, '')) ? wanted : '/bin/sh';
}

/** A startup script and what it is run with. */
export interface ScriptRun {
  instanceId: string;
  script: string;
  /** The start of the container that it belongs to. */
  startedAt: string;
  /** What is remembered of it. */
  memory: ScriptMemory | undefined;
  note(memory: ScriptMemory): Promise<void>;
  /** How long to wait for its end; one that takes longer goes on, and its end is only told. */
  waitMs: number;
  tell: (step: Progress) => void;
}

/** How a script ended. */
interface ScriptEnd {
  /** Null when nobody knows: the Engine has been started anew meanwhile. */
  exitCode: number | null;
  output: string;
}

/**
 * Runs the startup script of a container that has started, unless that was done for this start.
 * @throws DriverFailure `STARTUP_SCRIPT_FAILED` when it fails within the time
 */
export async function runStartupScript(engine: Engine, run: ScriptRun, signal: AbortSignal): Promise<void> {
  const { instanceId, script, startedAt, waitMs, tell, note } = run;
  let { memory } = run;
  if (memory?.startedAt !== startedAt) {
    const command = [shellOf(script), '-c', script];
    const execId = await prepareCommand(engine, instanceId, { command, tty: null, environment: {} });
    memory = { startedAt, execId };
    await note(memory);
  }
  if (memory.isPast) return;
  const { execId } = memory;
  const past = () => note({ startedAt, execId, isPast: true });
  const ended = follow(engine, execId, signal).then(async (end) => {
    if (end.exitCode !== null && !signal.aborted) tell(told(end));
    return end;
  });
  ended.catch(() => {});
  const waiting = new AbortController();
  const timeIsUp = sleep(waitMs, null, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => null);
  const end = await Promise.race([ended, timeIsUp]).finally(() => waiting.abort());
  signal.throwIfAborted();
  if (end === null) {
    tell({ kind: 'container.script', message: `The startup script still runs after ${waitMs / 1000} s and goes on.` });
    return past();
  }
  if (end.exitCode === 0 || end.exitCode === null) return past();
  throw new DriverFailure('STARTUP_SCRIPT_FAILED', whyFailed(script, end), true);
}

/** Starts what was prepared, or finds what was started, and resolves when it has ended. */
async function follow(engine: Engine, execId: string, signal: AbortSignal): Promise<ScriptEnd> {
  const state = await stateOfCommand(engine, execId);
  if (state && !state.hasStarted) {
    const { stdin, stdout, stderr, exitCode } = await startCommand(engine, execId, null);
    stdin.end();
    let output = Buffer.alloc(0);
    const keep = (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]).subarray(-outputBytesKept);
    };
    stdout.on('data', keep);
    stderr.on('data', keep);
    return { exitCode: await exitCode, output: excerpt(output.toString('utf8'), outputBytesKept) };
  }
  for (;;) {
    const { exitCode } = (await stateOfCommand(engine, execId)) ?? {};
    if (exitCode !== null) return { exitCode: exitCode ?? null, output: '' };
    await sleep(adoptedPollMs, undefined, { signal, ref: false });
  }
}

function told({ exitCode, output }: ScriptEnd): Progress {
  const message = `The startup script ended with exit code ${exitCode}.`;
  return { kind: 'container.script', message, data: { exitCode, output } };
}

/** What the Engine answers when there is nothing to run. */
const cannotRun: ReadonlySet<number | null> = new Set([126, 127]);

function whyFailed(script: string, { exitCode, output }: ScriptEnd): string {
  if (cannotRun.has(exitCode) && /OCI runtime exec failed/.test(output)) {
    return `The startup script can't run: the image has no ${shellOf(script)}.`;
  }
  const last = oneLine(output.trim().split('\n').at(-1) ?? '', lastLineLength);
  return `The startup script failed with exit code ${exitCode}${last && `; the last that it said: ${last}`}.`;
}
