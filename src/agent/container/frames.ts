// The Engine's way to send two streams over one line: frames of a head of eight bytes (stream, three zeros, length) and a
// body. (Docker Engine API: attach.)

const headBytes = 8;

/** A piece of output. */
export interface Frame {
  stream: 'stdout' | 'stderr';
  bytes: Buffer;
}

/** The frames of a stream; one that breaks off in the middle of a frame ends there. */
export async function* framesOf(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Frame> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length >= headBytes) {
      const end = headBytes + waiting.readUInt32BE(4);
      if (waiting.length < end) break;
      yield { stream: waiting[0] === 2 ? 'stderr' : 'stdout', bytes: waiting.subarray(headBytes, end) };
      waiting = waiting.subarray(end);
    }
  }
}
