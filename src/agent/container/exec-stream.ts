// A command in a container as one connection, which carries frames (api/agent/contract/exec.ts). What is not read is not taken from the
// command either, and it gets its input no faster than it reads.

import { Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type ExecFrame, FrameReader, frameKinds, frameOf } from '../../api/agent/contract/exec.ts';
import type { Execution } from './exec.ts';

/** The connection of a command; closing it closes the command's streams. */
export class ExecStream extends Duplex {
  readonly #running: Execution;
  readonly #reader = new FrameReader();

  constructor(running: Execution) {
    super();
    this.#running = running;
    running.stdin.on('error', () => {});
    this.#tell('data', running.stdout);
    this.#tell('stderr', running.stderr);
    void this.#tellEnd();
    // Whoever has read how it ended has read everything.
    this.once('end', () => this.destroy());
  }

  override _read(): void {
    for (const output of [this.#running.stdout, this.#running.stderr]) output.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#take(chunk).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#running.end();
    done(error);
  }

  #tell(kind: keyof typeof frameKinds, output: Readable): void {
    output.on('error', () => {});
    output.on('data', (bytes: Buffer) => {
      if (!this.push(frameOf(kind, bytes))) output.pause();
    });
  }

  async #tellEnd(): Promise<void> {
    const { exitCode, stdout, stderr } = this.#running;
    const code = await exitCode.catch(() => -1);
    // What was said last may still be on its way.
    await Promise.all([finished(stdout), finished(stderr)]).catch(() => {});
    if (this.destroyed) return;
    this.push(frameOf('exit', JSON.stringify({ code: code < 0 ? null : code })));
    this.push(null);
  }

  async #take(chunk: Buffer): Promise<void> {
    for (const frame of this.#reader.read(chunk)) await this.#obey(frame);
  }

  async #obey({ kind, body }: ExecFrame): Promise<void> {
    const { stdin } = this.#running;
    if (kind === frameKinds.end) stdin.end();
    else if (kind === frameKinds.data && stdin.writable) {
      // What can't be written has nobody to read it; the command's end is told by its exit code.
      await new Promise<void>((resolve) => stdin.write(body, () => resolve()));
    } else if (kind === frameKinds.resize) {
      const { columns, rows } = JSON.parse(body.toString('utf8')) as { columns: number; rows: number };
      await this.#running.resize(columns, rows).catch(() => {});
    }
  }
}
