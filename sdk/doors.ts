// Open doors of instances: WebSockets, as browsers and Node have them. A screen is the WebSocket itself, for noVNC; a console and a
// command are what is said, typed and has come of it, for terminals and programs.

import { ConnectionError } from './error.ts';
import type { NewExec } from './generated/types.ts';
import type { Options } from './transport.ts';

/** How a door is opened; of a command also what it is, and its terminal. */
export interface DoorOptions extends Options, NewExec {}

/** Why a door was closed. */
export interface DoorEnd {
  /**
   * 1000 when a command has ended; 4401 you are nobody any more, 4403 you may not, 4404 it is gone, 4409 not as things stand, 1001
   * the server stops, 1013 too many are open; 1005 and 1006 where nobody said.
   */
  code: number;
  /** For people; empty where nobody said. */
  reason: string;
}

/** An open door. */
export class Door {
  /** The WebSocket itself; noVNC takes it as it is: `new RFB(element, door.socket)`. */
  readonly socket: WebSocket;
  /** Resolves when it is closed, whoever closes it. */
  readonly closed: Promise<DoorEnd>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      if (socket.readyState === WebSocket.CLOSED) resolve({ code: 1006, reason: '' });
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }), { once: true });
    });
  }

  /** Closes it. */
  close(): void {
    this.socket.close();
  }
}

type Listener = (bytes: Uint8Array) => void;

/** An open console or command. What comes before anybody listens is kept. */
export class TerminalDoor extends Door implements AsyncIterable<Uint8Array> {
  /** How the command has ended; null where that isn't known, for a console too. */
  readonly exitCode: Promise<number | null>;
  readonly #isExec: boolean;
  readonly #data = new Outlet();
  readonly #stderr = new Outlet();

  constructor(socket: WebSocket, isExec: boolean) {
    super(socket);
    this.#isExec = isExec;
    let exited: (code: number | null) => void = () => {};
    this.exitCode = new Promise((resolve) => {
      exited = resolve;
    });
    socket.addEventListener('message', (event: MessageEvent) => {
      const data: unknown = event.data;
      if (data instanceof ArrayBuffer) return this.#data.tell(new Uint8Array(data));
      const news = JSON.parse(String(data)) as { type: string; data?: string; code?: number | null };
      if (news.type === 'stderr') this.#stderr.tell(bytesOf(news.data ?? ''));
      if (news.type === 'exit') exited(news.code ?? null);
    });
    void this.closed.then(() => {
      exited(null);
      this.#data.end();
    });
  }

  /** Calls back with what is said, bytes that a terminal takes as they are; at first with what was said already. */
  onData(listener: Listener): void {
    this.#data.listen(listener);
  }

  /** Calls back with what a command without a terminal complains of. */
  onStderr(listener: Listener): void {
    this.#stderr.listen(listener);
  }

  /** What is said, piece by piece, until it is closed. In the place of {@link onData}. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#data.pieces();
  }

  /** Types something. */
  write(data: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** Tells a command's terminal its size; a serial console has none. */
  resize(columns: number, rows: number): void {
    if (this.#isExec) this.socket.send(JSON.stringify({ type: 'resize', columns, rows }));
  }

  /** Ends a command's input, as the end of a file does. */
  end(): void {
    if (this.#isExec) this.socket.send(JSON.stringify({ type: 'end' }));
  }
}

/** Pieces on their way to whoever listens, and kept for him until he does. */
class Outlet {
  #kept: Uint8Array[] = [];
  #listener: Listener | null = null;
  #hasEnded = false;
  #wake: () => void = () => {};

  tell(bytes: Uint8Array): void {
    if (this.#listener) {
      this.#listener(bytes);
    } else {
      this.#kept.push(bytes);
      this.#wake();
    }
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  listen(listener: Listener): void {
    this.#listener = listener;
    for (const bytes of this.#kept.splice(0)) listener(bytes);
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield* this.#kept.splice(0);
      if (this.#kept.length > 0) continue;
      if (this.#hasEnded) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * Opens a WebSocket.
 * @throws ConnectionError, or the reason of the aborted signal
 */
export async function openDoor(url: URL, signal: AbortSignal | undefined): Promise<WebSocket> {
  signal?.throwIfAborted();
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const giveUp = () => socket.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true });
      const fail = () => reject(new ConnectionError(`${url.origin} does not open ${url.pathname}.`));
      socket.addEventListener('error', fail, { once: true });
      socket.addEventListener('close', fail, { once: true });
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return socket;
}
