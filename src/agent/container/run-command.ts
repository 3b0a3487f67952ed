// Commands in a container that runs: those of SSH sessions, and the startup script.

import { type Duplex, PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DriverFailure } from '../driver.ts';
import { type Engine, EngineRefused, meaningOf } from './engine.ts';
import type { ExecRequest, Execution } from './exec.ts';
import { framesOf } from './frames.ts';
import { hangUp } from './hang-up.ts';
import { nameOf } from './names.ts';

/** The Engine notes an exit code a moment after the streams have ended. */
const exitPollMs = 20;

/** What the Engine knows of a command. */
export interface CommandState {
  /** Null while it runs, or before it was started. */
  exitCode: number | null;
  hasStarted: boolean;
}

/**
 * Prepares a command, which does not run yet.
 * @returns the Engine's id of it
 * @throws DriverFailure when the container does not run, DriverAway
 */
export async function prepareCommand(
  engine: Engine,
  instanceId: string,
  { command, tty, environment }: ExecRequest,
): Promise<string> {
  const variables = Object.entries({ ...environment, ...(tty ? { TERM: tty.term } : {}) });
  return unlessStopped(async () => {
    const { id } = await engine.ask((docker) =>
      docker.getContainer(nameOf(instanceId)).exec({
        Cmd: [...command],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty !== null,
        Env: variables.map(([name, value]) => `${name}=${value}`),
      }),
    );
    return id;
  });
}

/**
 * Starts a command that was prepared.
 * @throws DriverFailure when the container does not run, DriverAway
 */
export async function startCommand(engine: Engine, execId: string, tty: ExecRequest['tty']): Promise<Execution> {
  const exec = engine.streaming.getExec(execId);
  const line = await unlessStopped(async () => {
    try {
      return (await exec.start({ hijack: true, stdin: true, Tty: tty !== null })) as unknown as Duplex;
    } catch (error) {
      throw meaningOf(error);
    }
  });
  // What can't be written any more has nobody to read it; the command's end is told by its exit code.
  line.on('error', () => {});
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const over = tty ? pipeline(line, stdout) : split(line, stdout, stderr);
  const exitCode = over
    .catch(() => {})
    .then(async () => {
      stdout.end();
      stderr.end();
      for (;;) {
        const state = await stateOfCommand(engine, execId);
        if (!state) return -1;
        if (state.exitCode !== null) return state.exitCode;
        await new Promise((resolve) => setTimeout(resolve, exitPollMs));
      }
    });
  exitCode.catch(() => {});
  const resize = async (columns: number, rows: number) => {
    await engine.find(() => exec.resize({ w: columns, h: rows }));
  };
  if (tty) await resize(tty.columns, tty.rows).catch(() => {});
  const end = () => {
    for (const stream of [line, stdout, stderr]) stream.destroy();
    // What can't be told to go goes with its container.
    if (tty) hangUp(engine, execId).catch(() => {});
  };
  return { stdin: line, stdout, stderr, resize, exitCode, end };
}

/** Runs a command. @throws DriverFailure when the container does not run, DriverAway */
export async function execIn(engine: Engine, instanceId: string, request: ExecRequest): Promise<Execution> {
  return startCommand(engine, await prepareCommand(engine, instanceId, request), request.tty);
}

/** How a command is; undefined when the Engine knows of none such. */
export async function stateOfCommand(engine: Engine, execId: string): Promise<CommandState | undefined> {
  const state = await engine.find((docker) => docker.getExec(execId).inspect());
  if (!state) return undefined;
  const exitCode = state.Running ? null : (state.ExitCode ?? null);
  return { exitCode, hasStarted: state.Running || exitCode !== null };
}

async function unlessStopped<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof EngineRefused)) throw error;
    throw new DriverFailure('container.not-running', `The container does not run: ${error.message.trim()}`, false);
  }
}

/** Sends each stream its own part, no faster than it is read. */
async function split(line: Duplex, stdout: Writable, stderr: Writable): Promise<void> {
  for await (const { stream, bytes } of framesOf(line)) {
    const to = stream === 'stderr' ? stderr : stdout;
    if (to.destroyed || to.write(bytes)) continue;
    await new Promise<void>((resolve) => {
      const goOn = () => {
        to.off('drain', goOn).off('close', goOn);
        resolve();
      };
      to.on('drain', goOn).on('close', goOn);
    });
  }
}
