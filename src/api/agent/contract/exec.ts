// What a console of a command carries: frames of a head of five bytes (kind, length) and a body. To the host go input and the terminal's
// size, from it output and how the command has ended.

/** Every kind of frame, by its first byte. */
export const frameKinds = {
  /** To the host what is typed; from it what is said. */
  data: 0,
  /** What is complained of, where there is no terminal. */
  stderr: 1,
  /** JSON: `{"columns", "rows"}`. */
  resize: 2,
  /** No more input comes. */
  end: 3,
  /** JSON: `{"code"}`, null where it isn't known; nothing comes after it. */
  exit: 4,
} as const;

/** One frame. */
export interface ExecFrame {
  kind: number;
  body: Buffer;
}

const headBytes = 5;
/** Neither end sends larger ones: what they read in one piece is smaller. */
const bodyBytesMax = 4 * 1024 * 1024;

/** A frame as it is sent. */
export function frameOf(kind: keyof typeof frameKinds, body: Uint8Array | string = ''): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const head = Buffer.alloc(headBytes);
  head[0] = frameKinds[kind];
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Puts frames together again. */
export class FrameReader {
  #waiting: Buffer = Buffer.alloc(0);

  /** What a further piece completes. @throws Error when it is none of this */
  read(chunk: Buffer): ExecFrame[] {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    const frames: ExecFrame[] = [];
    while (this.#waiting.length >= headBytes) {
      const length = this.#waiting.readUInt32BE(1);
      if (length > bodyBytesMax) throw new Error(`A frame has ${length} bytes.`);
      const end = headBytes + length;
      if (this.#waiting.length < end) break;
      frames.push({ kind: this.#waiting[0] ?? 0, body: this.#waiting.subarray(headBytes, end) });
      this.#waiting = this.#waiting.subarray(end);
    }
    return frames;
  }
}
