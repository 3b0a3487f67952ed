// What a container has said, line by line. The Engine sends each line in a frame of its own, with its time before it, and
// one that is longer than 16 KiB in several, of which only the last ends in a newline.

import type { Readable } from 'node:stream';
import { type LogLine, logLineLengthMax } from '../../model/log.ts';
import { DriverFailure } from '../driver.ts';
import type { LogQuery } from './driver.ts';
import { type Engine, EngineRefused, meaningOf } from './engine.ts';
import { framesOf } from './frames.ts';
import { nameOf } from './names.ts';

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
  try {
    const source = follow
      ? ((await container.logs({ ...options, ...from, follow: true })) as unknown as Readable)
      : [await container.logs({ ...options, ...from, follow: false })];
    const isCut = { stdout: false, stderr: false };
    for await (const { stream, bytes } of framesOf(source)) {
      if (!isCut[stream]) yield lineOf(stream, bytes.toString('utf8'));
      isCut[stream] = bytes.at(-1) !== newline;
    }
  } catch (error) {
    if (signal.aborted) return;
    const meaning = meaningOf(error);
    if (!(meaning instanceof EngineRefused)) throw meaning;
    throw new DriverFailure('container.gone', 'There is no such container any more.', false);
  }
}

const newline = 0x0a;

/** The Engine writes the time, a space, and what was said. */
function lineOf(stream: 'stdout' | 'stderr', text: string): LogLine {
  const space = text.indexOf(' ');
  const line = text.slice(space + 1, space + 1 + logLineLengthMax).replace(/\n$/, '');
  // No text column takes a null character or half of one.
  return { timestamp: text.slice(0, space), stream, line: line.replaceAll('\0', '\ufffd').toWellFormed() };
}
