// Running a command inside a container, as the SSH server and doors ask for it.

import type { Readable, Writable } from 'node:stream';

/** A command to run. */
export interface ExecRequest {
  command: readonly string[];
  /** The terminal it is to have; null for none. */
  tty: { columns: number; rows: number; term: string } | null;
  environment: Readonly<Record<string, string>>;
}

/** A command that runs. With a terminal everything it says is on `stdout`. */
export interface Execution {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  resize(columns: number, rows: number): Promise<void>;
  exitCode: Promise<number>;
  /** Closes its streams, whatever it does. */
  end(): void;
}

/** What runs a login shell: the best one that the image has. */
export const loginShell: readonly string[] = [
  '/bin/sh',
  '-c',
  'if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi',
];

/** Runs a command in a container. @throws DriverFailure when the container does not run */
export type ContainerExec = (instanceId: string, request: ExecRequest) => Promise<Execution>;
