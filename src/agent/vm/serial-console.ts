// A VM's serial port as people share it: what the guest says goes to every reader, what they type goes to the guest in the
// order in which it came. A reader that is slow loses output; the guest never waits for one. The port outlives the
// guest's power: who looks on while a VM is off sees it start.

import { Duplex } from 'node:stream';
import { withoutQuestions } from './terminal-question.ts';

/** The end of a serial port that leads into a running guest. */
export interface SerialLine {
  /** Sends to the guest. `done` is called when the port has taken it, or will never take it. */
  write(data: Buffer, done: () => void): void;
  /** Resolves at a moment at which all that was heard so far is in the log. */
  settled(): Promise<void>;
}

/** What may wait for a slow reader; a screen of text has 4 KB. */
const waitingBytesMax = 256 * 1024;

/** The readers of one serial port. */
export class SerialConsole {
  readonly #readers = new Set<SerialReader>();
  #line: SerialLine | null = null;

  /** Connects the readers to a guest that begins to run. */
  plug(line: SerialLine): void {
    this.#line = line;
  }

  /** The guest has ended; what is typed from now on goes nowhere. */
  unplug(line: SerialLine): void {
    if (this.#line === line) this.#line = null;
  }

  /** The guest has said something. */
  heard(output: Buffer): void {
    for (const reader of this.#readers) reader.offer(output);
  }

  /**
   * A new reader, who is shown the past first, without what the guest asked its terminal then.
   * @param history reads what the guest has said so far, at once
   */
  async open(history: () => Buffer): Promise<Duplex> {
    await this.#line?.settled();
    const reader: SerialReader = new SerialReader(withoutQuestions(history()), {
      type: (input, done) => {
        if (this.#line) this.#line.write(input, done);
        else done();
      },
      left: () => void this.#readers.delete(reader),
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Ends all readers: there will never be anything to read again. */
  close(): void {
    for (const reader of this.#readers) reader.destroy();
  }
}

/** What a reader tells its console. */
interface ReaderParts {
  type(input: Buffer, done: () => void): void;
  left(): void;
}

class SerialReader extends Duplex {
  readonly #parts: ReaderParts;
  #droppedBytes = 0;

  constructor(history: Buffer, parts: ReaderParts) {
    super({ readableHighWaterMark: waitingBytesMax });
    this.#parts = parts;
    if (history.length > 0) this.push(history);
  }

  /** Adds output, or drops it where too much is waiting already. */
  offer(output: Buffer): void {
    if (this.readableLength + output.length > waitingBytesMax) {
      this.#droppedBytes += output.length;
      return;
    }
    if (this.#droppedBytes > 0) {
      this.push(`\r\n[${this.#droppedBytes} bytes of output were left out here]\r\n`);
      this.#droppedBytes = 0;
    }
    this.push(output);
  }

  override _read(): void {}

  override _write(input: Buffer, _encoding: string, done: () => void): void {
    this.#parts.type(input, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#parts.left();
    done(error);
  }
}
