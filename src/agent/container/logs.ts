// What a container has said, line by line.

import type { Readable } from 'node:stream';
import type { LogLine } from '../../model/log.ts';
import { DriverFailure } from '../driver.ts';
import type { LogQuery } from './driver.ts';
import { type Engine, EngineRefused, meaningOf } from './engine.ts';
import { framesOf } from './frames.ts';
import { nameOf } from './names.ts';

/** A longer line is cut. */
const lineLengthMax = 16 * 1024;

/**
 * A container's output, oldest first.
 * @throws DriverFailure when there is no such container, DriverAway
 */
export async function* readLogs(
  engine: Engine,
  instanceId: string,
  { tail, since, follow }: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const container = engine.streaming.getContainer(nameOf(instanceId));
  const options = { stdout: true, stderr: true, timestamps: true, tail, abortSignal: signal };
  const from = since ? { since: since.getTime() / 1000 } : {};
  let source: AsyncIterable<Buffer>;
  try {
    source = follow
      ? ((await container.logs({ ...options, ...from, follow: true })) as unknown as Readable)
      : oneChunk(await container.logs({ ...options, ...from, follow: false }));
  } catch (error) {
    const meaning = meaningOf(error);
    if (!(meaning instanceof EngineRefused)) throw meaning;
    throw new DriverFailure('container.gone', 'There is no such container any more.', false);
  }
  const partial = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of framesOf(source)) {
    const lines = (partial[stream] + bytes.toString('utf8')).split('\n');
    partial[stream] = lines.pop() ?? '';
    for (const line of lines) yield lineOf(stream, line);
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (partial[stream] !== '') yield lineOf(stream, partial[stream]);
  }
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** The Engine writes the time, a space, and what was said. */
function lineOf(stream: 'stdout' | 'stderr', text: string): LogLine {
  const space = text.indexOf(' ');
  return { timestamp: text.slice(0, space), stream, line: text.slice(space + 1, space + 1 + lineLengthMax) };
}
