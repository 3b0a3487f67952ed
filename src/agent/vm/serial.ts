// Keeps what a guest prints on its serial port: the current file and one older one, both bounded. While no agent listens
// QEMU drops the output, so nothing grows unseen. QEMU serves one connection to the port, so everybody's goes through here.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SerialConsole, SerialLine } from './serial-console.ts';
import { connectUnix } from './unix-socket.ts';

/**
 * QEMU hands output over byte by byte, and each arrival costs the agent some 20 microseconds: more than a second of
 * processor for one boot's 60 KB. So output gathers this long before it is read. The socket between holds some 280 single
 * bytes, so a guest can print 140 KB/s, ten times the speed of a real serial port, and no more.
 */
const gatherMs = 2;
/** What may wait for a slow disk. */
const unwrittenBytesMax = 256 * 1024;
/** What QEMU has sent before it ended is read within this time. */
const drainMs = 1_000;

/**
 * The last so many bytes of what a guest has printed, as its log has them; fewer where there is less. Read without a pause, so
 * that nothing is printed meanwhile.
 */
export function readSerialLog(path: string, bytes: number): Buffer {
  const current = readTail(path, bytes);
  return Buffer.concat([readTail(`${path}.1`, bytes - current.length), current]);
}

function readTail(path: string, bytes: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(bytes, size));
    return tail.subarray(0, readSync(file, tail, 0, tail.length, size - tail.length));
  } finally {
    closeSync(file);
  }
}

/** Reads one VM's serial port into its log file. */
export class SerialLog implements SerialLine {
  readonly #socket: Socket;
  readonly #console: SerialConsole;
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #closed: Promise<void>;
  #file: FileHandle;
  #size: number;
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #writing: Promise<void> | undefined;

  private constructor(
    socket: Socket,
    console: SerialConsole,
    path: string,
    bytesMax: number,
    file: FileHandle,
    size: number,
  ) {
    this.#socket = socket;
    this.#console = console;
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#file = file;
    this.#size = size;
    this.#closed = socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => void this.#take(chunk));
    console.plug(this);
    void this.#closed.then(() => console.unplug(this));
  }

  /**
   * Connects to the serial port `<directory>/<name>` and appends to the file `path`; past `bytesMax` that becomes
   * `<path>.1`, in place of an older one.
   * @param console whom else the output goes to
   */
  static async connect(
    directory: string,
    name: string,
    path: string,
    console: SerialConsole,
    bounds: { connectMs: number; bytesMax: number },
  ): Promise<SerialLog> {
    const file = await open(path, 'a', 0o600);
    try {
      const { size } = await file.stat();
      const socket = await connectUnix(directory, name, bounds.connectMs);
      return new SerialLog(socket, console, path, bounds.bytesMax, file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  write(data: Buffer, done: () => void): void {
    // One that is closed says so through `done`, too.
    this.#socket.write(data, () => done());
  }

  /** Resolves at a moment at which all that the console was told is in the file. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Reads what QEMU, which has ended, still had to say; then as {@link close}. */
  async drain(): Promise<void> {
    await Promise.race([this.#closed, sleep(drainMs, undefined, { ref: false })]);
    await this.close();
  }

  /** Stops reading; done once everything read so far is in the file. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
    await this.#writing;
    await this.#file.close();
  }

  async #take(chunk: Buffer): Promise<void> {
    this.#console.heard(chunk);
    this.#unwritten.push(chunk);
    this.#unwrittenBytes += chunk.length;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    this.#socket.pause();
    await sleep(gatherMs);
    if (this.#unwrittenBytes >= unwrittenBytesMax) await this.#writing;
    this.#socket.resume();
  }

  async #write(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const output = Buffer.concat(this.#unwritten);
      this.#unwritten = [];
      for (let at = 0; at < output.length; at += this.#bytesMax) {
        // A full disk loses output, and output only.
        await this.#append(output.subarray(at, at + this.#bytesMax)).catch(() => {});
      }
      this.#unwrittenBytes -= output.length;
    }
  }

  async #append(output: Buffer): Promise<void> {
    if (this.#size + output.length > this.#bytesMax) {
      await rename(this.#path, `${this.#path}.1`);
      const next = await open(this.#path, 'a', 0o600);
      await this.#file.close();
      this.#file = next;
      this.#size = 0;
    }
    await this.#file.appendFile(output);
    this.#size += output.length;
  }
}
