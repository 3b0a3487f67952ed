// Commands in a container that runs: those of SSH sessions, and the startup script.

import { type Duplex, PassThrough } from 'node:stream';
import { DriverFailure } from '../driver.ts';
import { type Engine, EngineRefused } from './engine.ts';
import type { ExecRequest, Execution } from './exec.ts';
import { nameOf } from './names.ts';

/** The Engine notes an exit code a moment after the streams have ended. */
const exitPollMs = 20;

/**
 * Runs a command.
 * @throws DriverFailure when the container does not run, DriverAway
 */
export async function execIn(
  engine: Engine,
  instanceId: string,
  { command, tty, environment }: ExecRequest,
): Promise<Execution> {
  const environmentList = Object.entries({ ...environment, ...(tty ? { TERM: tty.term } : {}) });
  let exec: Awaited<ReturnType<typeof create>>;
  const create = () =>
    engine.ask((docker) =>
      docker.getContainer(nameOf(instanceId)).exec({
        Cmd: [...command],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty !== null,
        Env: environmentList.map(([name, value]) => `${name}=${value}`),
      }),
    );
  try {
    exec = await create();
  } catch (error) {
    if (!(error instanceof EngineRefused)) throw error;
    throw new DriverFailure('container.not-running', 'The container does not run.', false);
  }
  const running = engine.streaming.getExec(exec.id);
  const line = (await running.start({ hijack: true, stdin: true, Tty: tty !== null })) as unknown as Duplex;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const over = new Promise<void>((resolve) => {
    line.once('end', resolve);
    line.once('close', resolve);
    line.once('error', resolve);
  });
  if (tty) line.pipe(stdout);
  else engine.docker.modem.demuxStream(line, stdout, stderr);
  const resize = async (columns: number, rows: number) => {
    await engine.find(() => running.resize({ w: columns, h: rows }));
  };
  if (tty) await resize(tty.columns, tty.rows).catch(() => {});
  const exitCode = over.then(async () => {
    stdout.end();
    stderr.end();
    return exitCodeOf(engine, exec.id);
  });
  exitCode.catch(() => {});
  return { stdin: line, stdout, stderr, resize, exitCode, end: () => line.destroy() };
}

/** The exit code of a command that has ended, or is about to. */
async function exitCodeOf(engine: Engine, execId: string): Promise<number> {
  for (;;) {
    const state = await engine.find((docker) => docker.getExec(execId).inspect());
    if (!state) return -1;
    if (!state.Running) return state.ExitCode ?? -1;
    await new Promise((resolve) => setTimeout(resolve, exitPollMs));
  }
}
