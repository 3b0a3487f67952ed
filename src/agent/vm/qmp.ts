// A small client of QEMU's machine protocol (QMP): one JSON object a line, a greeting, then commands and events. It knows
// the protocol and its bounds; what to command is its callers' matter.

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { connectUnix } from './unix-socket.ts';

/** An event that QEMU sent by itself. */
export interface QmpEvent {
  event: string;
  data: Record<string, unknown>;
}

/** Runs one command of QEMU's and gives what it returns. */
export type Command = <Result = unknown>(name: string, args?: Record<string, unknown>) => Promise<Result>;

/** QEMU understood a command and refused it. */
export class QmpRefusal extends Error {
  override readonly name = 'QmpRefusal';
}

/** QEMU's longest answers are some kilobytes; a QEMU that a guest has taken over must not fill the agent's memory. */
const lineLengthMax = 1024 * 1024;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A conversation with one QEMU. Emits `event` for what QEMU tells by itself, and `close` once, when the line is dead. */
export class Qmp extends EventEmitter<{ event: [QmpEvent]; close: [] }> {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #received = '';
  #lastId = 0;
  #greeted: (() => void) | undefined;

  private constructor(socket: Socket, timeoutMs: number) {
    super();
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('close', () => {
      for (const { reject, timer } of this.#waiting.values()) {
        clearTimeout(timer);
        reject(new Error('QEMU closed its monitor'));
      }
      this.#waiting.clear();
      this.emit('close');
    });
  }

  /**
   * Connects to `<directory>/<name>` and agrees on capabilities.
   * @param bounds `connectMs` for the socket to appear; `commandMs` for each answer, the greeting included
   * @throws Error when nobody answers in time: also when somebody else holds the monitor, which serves one at a time
   */
  static async connect(
    directory: string,
    name: string,
    bounds: { connectMs: number; commandMs: number },
    stillWorthwhile?: () => boolean,
  ): Promise<Qmp> {
    const socket = await connectUnix(directory, name, bounds.connectMs, stillWorthwhile);
    const qmp = new Qmp(socket, bounds.commandMs);
    try {
      await qmp.#greeting();
      await qmp.execute('qmp_capabilities');
      return qmp;
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  /**
   * Runs one command and gives what it returns.
   * @throws QmpRefusal when QEMU refuses it; Error when it does not answer in time or the line is dead
   */
  execute<Result = unknown>(command: string, args: Record<string, unknown> = {}): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise<Result>((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('QEMU closed its monitor'));
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`QEMU did not answer "${command}" within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      this.#waiting.set(id, { resolve: (value) => resolve(value as Result), reject, timer });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\r\n`);
    });
  }

  /** Runs a command of the human monitor, which alone can change port forwards, and gives the text it prints. */
  async human(line: string): Promise<string> {
    return await this.execute<string>('human-monitor-command', { 'command-line': line });
  }

  /** Whether the line is dead, so that no `close` will come any more. */
  get isClosed(): boolean {
    return this.#socket.closed;
  }

  /** Hangs up. QEMU goes on. */
  close(): void {
    this.#socket.destroy();
  }

  #greeting(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('QEMU closed its monitor'));
      const timer = setTimeout(() => reject(new Error('QEMU sent no greeting')), this.#timeoutMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        reject(new Error('QEMU closed its monitor'));
      });
      this.#greeted = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #receive(text: string): void {
    this.#received += text;
    for (let end = this.#received.indexOf('\n'); end >= 0; end = this.#received.indexOf('\n')) {
      const line = this.#received.slice(0, end).trim();
      this.#received = this.#received.slice(end + 1);
      if (line !== '') this.#take(line);
    }
    if (this.#received.length > lineLengthMax) this.#socket.destroy();
  }

  #take(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line) as Record<string, unknown>;
    } catch {
      this.#socket.destroy(); // whoever this is, it does not speak QMP
      return;
    }
    if ('QMP' in message) {
      this.#greeted?.();
    } else if (typeof message.event === 'string') {
      this.emit('event', { event: message.event, data: (message.data ?? {}) as Record<string, unknown> });
    } else {
      const waiting = this.#waiting.get(Number(message.id));
      if (waiting === undefined) return; // answered after its time was up
      this.#waiting.delete(Number(message.id));
      clearTimeout(waiting.timer);
      if ('return' in message) waiting.resolve(message.return);
      else waiting.reject(new QmpRefusal(String((message.error as { desc?: unknown } | undefined)?.desc ?? line)));
    }
  }
}
