// Takes an answer's body off the connection as it comes. Node throws away what it has buffered when a connection breaks;
// for a download that is to be resumed, those bytes are progress, so they are kept here, up to a bound.

import type { IncomingMessage } from 'node:http';

/** What may wait for the disk, per download; beyond it the server has to wait. */
const waitingBytesMax = 4 * 1024 * 1024;

export class BodyReader implements AsyncIterable<Buffer> {
  readonly #body: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #over = false;
  #wake = () => {};

  /** Begins to take bytes at once. */
  constructor(body: IncomingMessage) {
    this.#body = body;
    body.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes >= waitingBytesMax) body.pause();
      this.#wake();
    });
    const end = () => {
      this.#over = true;
      this.#wake();
    };
    // Why it ended is read off `complete`; an error that nobody heard would end the process.
    for (const event of ['end', 'error', 'close']) body.on(event, end);
  }

  /** Whether the server sent all that belongs to its answer. */
  get complete(): boolean {
    return this.#body.complete;
  }

  /** Breaks the connection; what has come can still be read. */
  discard(): void {
    this.#body.destroy();
  }

  /** The chunks in their order, until the connection has ended in whatever way. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#waitingBytes -= chunk.length;
        if (this.#body.isPaused() && this.#waitingBytes < waitingBytesMax) this.#body.resume();
        yield chunk;
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
