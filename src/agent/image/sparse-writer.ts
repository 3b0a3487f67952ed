// Writes a stream of bytes to a file and leaves holes where they are zero, so that an image of mostly nothing costs
// mostly nothing. It also looks after the host's free space, since it is the one place that knows what is really written.

import type { FileHandle } from 'node:fs/promises';

/** The block size of the file systems that matter; a hole has whole blocks. */
const blockBytes = 4096;
const zeros = Buffer.alloc(blockBytes);

/** Between two looks at the free space; small against what a host keeps free. */
const checkEveryBytes = 64 * 1024 * 1024;

export class SparseWriter {
  readonly #file: FileHandle;
  readonly #checkSpace: () => Promise<void>;
  #position: number;
  #sinceCheckBytes = 0;

  /**
   * @param file open for writing, without anything at or after `position`
   * @param checkSpace throws when the file system has no room for more
   */
  constructor(file: FileHandle, position: number, checkSpace: () => Promise<void>) {
    this.#file = file;
    this.#position = position;
    this.#checkSpace = checkSpace;
  }

  /** Bytes so far, holes included. */
  get position(): number {
    return this.#position;
  }

  async write(chunk: Buffer): Promise<void> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      const length = Math.min(blockBytes - ((this.#position + at) % blockBytes), chunk.length - at);
      if (chunk.compare(zeros, 0, length, at, at + length) === 0) {
        await this.#store(chunk, start, at);
        start = at + length;
      }
      at += length;
    }
    await this.#store(chunk, start, at);
    this.#position += chunk.length;
  }

  async #store(chunk: Buffer, start: number, end: number): Promise<void> {
    if (this.#sinceCheckBytes >= checkEveryBytes) {
      this.#sinceCheckBytes = 0;
      await this.#checkSpace();
    }
    for (let at = start; at < end; ) {
      const { bytesWritten } = await this.#file.write(chunk, at, end - at, this.#position + at);
      at += bytesWritten;
    }
    this.#sinceCheckBytes += end - start;
  }

  /** Gives the file its full length and has it on the disk when this returns. */
  async sync(): Promise<void> {
    await this.#file.truncate(this.#position);
    await this.#file.datasync();
  }
}
