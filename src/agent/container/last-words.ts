// What a container said last. It outlives the container, so that whoever asks why it failed finds out.

import { type LogLine, lastWordsKind } from '../../model/log.ts';
import type { Progress } from '../driver.ts';
import type { Engine } from './engine.ts';
import { readLogs } from './logs.ts';

const linesMax = 200;
const bytesMax = 64 * 1024;
/** A line's time and stream. */
const bytesBeside = 64;

/** The newest lines of a container; none when it can't be asked. */
export async function lastLines(engine: Engine, instanceId: string, tail: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const query = { tail, since: null, follow: false };
  try {
    for await (const line of readLogs(engine, instanceId, query, new AbortController().signal)) lines.push(line);
  } catch {
    // What it said is worth knowing and not worth failing for.
  }
  return lines;
}

/** What a container said last, to be told; undefined when it said nothing. */
export async function lastWords(engine: Engine, instanceId: string): Promise<Progress | undefined> {
  const lines: LogLine[] = [];
  let bytes = 0;
  for (const line of (await lastLines(engine, instanceId, linesMax)).reverse()) {
    bytes += Buffer.byteLength(line.line) + bytesBeside;
    if (bytes > bytesMax) break;
    lines.unshift(line);
  }
  if (lines.length === 0) return undefined;
  return { kind: lastWordsKind, message: 'It has ended; this is what it said last.', data: { lines } };
}
