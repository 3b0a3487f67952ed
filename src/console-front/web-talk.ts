// What goes over a WebSocket once both ends are there, no faster than each takes it: bytes as they are, or for a command its output,
// input, the terminal's size and its end.

import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { type ExecFrame, FrameReader, frameKinds, frameOf } from '../api/agent/contract/exec.ts';
import { terminalSideMax } from '../model/door.ts';
import { BerthError } from '../model/errors.ts';

/** What may wait for a slow reader; more waits at the host. */
const waitingBytesMax = 256 * 1024;
const normalEnd = 1000;

/** Joins a WebSocket and a connection: binary messages are what goes through, and so are texts, as UTF-8. */
export function talkPlainly(web: WebSocket, connection: Duplex): void {
  connection.on('data', (chunk: Buffer) => tell(web, connection, chunk));
  web.on('message', (data) => take(web, connection, bytesOf(data)));
}

/** Joins a WebSocket and the connection of a command. @param leave ends both, and says why */
export function talkAsExec(web: WebSocket, connection: Duplex, leave: (error: unknown) => void): void {
  const reader = new FrameReader();
  connection.on('data', (chunk: Buffer) => {
    try {
      for (const frame of reader.read(chunk)) hear(web, connection, frame);
    } catch (error) {
      leave(error);
    }
  });
  web.on('message', (data, isBinary) => {
    const bytes = bytesOf(data);
    const frame = isBinary ? frameOf('data', bytes) : orderOf(bytes.toString('utf8'));
    if (frame) take(web, connection, frame);
    else
      leave(new BerthError('unsupported', 'A text message is {"type":"resize","columns","rows"} or {"type":"end"}.'));
  });
}

/** Something that a command's host has sent. */
function hear(web: WebSocket, connection: Duplex, { kind, body }: ExecFrame): void {
  if (kind === frameKinds.data) tell(web, connection, body);
  if (kind === frameKinds.stderr) {
    tell(web, connection, JSON.stringify({ type: 'stderr', data: body.toString('base64') }));
  }
  if (kind === frameKinds.exit) {
    const { code } = JSON.parse(body.toString('utf8')) as { code: number | null };
    tell(web, connection, JSON.stringify({ type: 'exit', code }));
    web.close(normalEnd, 'The command has ended.');
  }
}

/** The frame of a text message; undefined where it is none that there is. */
function orderOf(text: string): Buffer | undefined {
  let given: { type?: unknown; columns?: unknown; rows?: unknown } | null;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (given?.type === 'end') return frameOf('end');
  const { type, columns, rows } = given ?? {};
  return type === 'resize' && isSide(columns) && isSide(rows)
    ? frameOf('resize', JSON.stringify({ columns, rows }))
    : undefined;
}

const isSide = (side: unknown) => Number.isInteger(side) && Number(side) >= 1 && Number(side) <= terminalSideMax;

/** Sends something; while too much of it waits, no more is read. */
function tell(web: WebSocket, connection: Duplex, message: Buffer | string): void {
  if (web.readyState !== web.OPEN) return;
  web.send(message, () => {
    if (connection.isPaused() && web.bufferedAmount <= waitingBytesMax) connection.resume();
  });
  if (web.bufferedAmount > waitingBytesMax) connection.pause();
}

/** Passes something on; while too much of it waits, no more is taken. */
function take(web: WebSocket, connection: Duplex, bytes: Buffer): void {
  if (connection.destroyed || connection.write(bytes) || web.isPaused) return;
  web.pause();
  connection.once('drain', () => web.resume());
}

const bytesOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
