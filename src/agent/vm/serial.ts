// Keeps what a guest prints on its serial port: the current file and one older one, both bounded. While no agent listens
// QEMU drops the output, so nothing grows unseen.

import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connectUnix } from './unix-socket.ts';

/** Reads one VM's serial port into its log file. */
export class SerialLog {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #bytesMax: number;
  #file: FileHandle;
  #size: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(socket: Socket, path: string, bytesMax: number, file: FileHandle, size: number) {
    this.#socket = socket;
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#file = file;
    this.#size = size;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      // A guest that prints faster than the disk takes it waits here, rather than in the agent's memory.
      socket.pause();
      this.#writing = this.#writing
        .then(() => this.#append(chunk))
        .catch(() => {}) // a full disk loses output, and output only
        .then(() => void socket.resume());
    });
    socket.on('close', () => {
      this.#writing = this.#writing.then(() => this.#file.close()).catch(() => {});
    });
  }

  /**
   * Connects to the serial port `<directory>/<name>` and appends to the file `path`; past `bytesMax` that becomes
   * `<path>.1`, in place of an older one.
   */
  static async connect(
    directory: string,
    name: string,
    path: string,
    bounds: { connectMs: number; bytesMax: number },
  ): Promise<SerialLog> {
    const file = await open(path, 'a', 0o600);
    try {
      const { size } = await file.stat();
      const socket = await connectUnix(directory, name, bounds.connectMs);
      return new SerialLog(socket, path, bounds.bytesMax, file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Stops reading; done once everything read so far is in the file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    if (!this.#socket.closed) {
      this.#socket.destroy();
      await closed;
    }
    await this.#writing;
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#size + chunk.length > this.#bytesMax) {
      await this.#file.close();
      await rename(this.#path, `${this.#path}.1`);
      this.#file = await open(this.#path, 'a', 0o600);
      this.#size = 0;
    }
    await this.#file.appendFile(chunk);
    this.#size += chunk.length;
  }
}
