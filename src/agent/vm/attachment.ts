// The agent's line to one living QEMU: its monitor and its serial port, held together from the moment the agent starts or
// adopts it. It knows what the run states mean and acts on the two that need acting on at once: a guest that switched
// itself off, and one that stands still because the host's disk was full.

import { EventEmitter } from 'node:events';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../../model/world.ts';
import { markOff, qmpSocketName, serialSocketName, type VmHome } from './home.ts';
import type { QemuLimits } from './limits.ts';
import type { QemuProcess } from './process.ts';
import { type Command, Qmp, type QmpEvent } from './qmp.ts';
import { SerialLog } from './serial.ts';
import type { SerialConsole } from './serial-console.ts';

/** QEMU's run states as far as Berth tells them apart. */
export type RunState = 'never-ran' | 'running' | 'disk-full' | 'off' | 'broken';

const runStates: Record<string, RunState> = {
  prelaunch: 'never-ran',
  shutdown: 'off',
  'io-error': 'disk-full',
  'internal-error': 'broken',
};

/** QEMU knows one key by another name than customers do: what is AltGr on a keyboard is its right Alt. */
const keyCode = (key: string): string => (key === 'altgr' || key === 'altgr_r' ? 'alt_r' : key);

/** Emits `change` when the VM's state has changed by itself, and `close` when the line to QEMU is gone. */
export class Attachment extends EventEmitter<{ change: []; close: [] }> {
  readonly process: QemuProcess;
  readonly #home: VmHome;
  readonly #qmp: Qmp;
  readonly #limits: QemuLimits;
  readonly #clock: Clock;
  #resumeTimer: NodeJS.Timeout | undefined;
  #switchingOff: Promise<void> | undefined;
  #lettingGo = false;
  readonly #closed: Promise<void>;

  private constructor(
    process: QemuProcess,
    home: VmHome,
    qmp: Qmp,
    serial: SerialLog,
    options: { limits: QemuLimits; clock: Clock },
  ) {
    super();
    this.process = process;
    this.#home = home;
    this.#qmp = qmp;
    this.#limits = options.limits;
    this.#clock = options.clock;
    qmp.on('event', (event) => this.#take(event));
    this.#closed = new Promise((resolve) => {
      qmp.on('close', () => {
        clearTimeout(this.#resumeTimer);
        const ended = this.#lettingGo ? serial.close() : serial.drain();
        void ended.finally(() => {
          resolve();
          this.emit('close');
        });
      });
    });
  }

  /**
   * Connects to a QEMU, just started or found.
   * @param timeoutMs for its sockets to appear
   * @param isAlive asked while waiting; false gives up at once
   * @throws Error when it does not answer
   */
  static async open(
    process: QemuProcess,
    home: VmHome,
    timeoutMs: number,
    isAlive: () => boolean,
    options: { limits: QemuLimits; clock: Clock; console: SerialConsole },
  ): Promise<Attachment> {
    const { limits, console } = options;
    const bounds = { connectMs: timeoutMs, commandMs: limits.qmpTimeoutMs };
    const qmp = await Qmp.connect(home.run, qmpSocketName, bounds, isAlive);
    try {
      const serial = await SerialLog.connect(home.run, serialSocketName, home.serialLog, console, {
        connectMs: timeoutMs,
        bytesMax: limits.serialLogBytes,
      });
      if (qmp.isClosed) {
        await serial.close();
        throw new Error('QEMU ended while it was being connected to');
      }
      return new Attachment(process, home, qmp, serial, options);
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  /** What QEMU says of itself now. A guest found off is dealt with as if it had just gone off. */
  async state(): Promise<RunState> {
    const { status } = await this.#qmp.execute<{ status: string }>('query-status');
    const state = runStates[status] ?? 'running';
    if (state === 'off') await this.#switchOff();
    if (state === 'disk-full') this.#resumeLater();
    return state;
  }

  /** Lets the guest run. */
  async go(): Promise<void> {
    await this.#qmp.execute('cont');
  }

  /** Presses the power button. What the guest does about it is up to the guest. */
  async pressPowerButton(): Promise<void> {
    await this.#qmp.execute('system_powerdown');
  }

  /** Presses the reset button: the guest starts anew, in this QEMU and as the machine that it is. */
  async reset(): Promise<void> {
    await this.#qmp.execute('system_reset');
  }

  /** Presses keys together, and lets go of them. */
  async pressKeys(keys: readonly string[]): Promise<void> {
    await this.#qmp.execute('send-key', { keys: keys.map((data) => ({ type: 'qcode', data: keyCode(data) })) });
  }

  /** Ends QEMU in an orderly way, whatever the guest does. */
  async quit(): Promise<void> {
    await this.#qmp.execute('quit').catch((error: Error) => {
      if (!/closed/.test(error.message)) throw error; // it may hang up before it answers
    });
  }

  /** Runs one command of QEMU's monitor for programs. */
  readonly command: Command = (name, args) => this.#qmp.execute(name, args);

  /** Runs one line of QEMU's human monitor. */
  readonly monitor = (line: string): Promise<string> => this.#qmp.human(line);

  /** Hangs up; QEMU and the guest go on. */
  async close(): Promise<void> {
    this.#lettingGo = true;
    this.#qmp.close();
    await this.#closed;
  }

  #take({ event, data }: QmpEvent): void {
    if (event === 'SHUTDOWN' && data.guest === true) {
      void this.#switchOff().catch(() => {}); // the next look at the VM tries again
    } else if (event === 'BLOCK_IO_ERROR' && data.action === 'stop') {
      this.#resumeLater();
      this.emit('change');
    } else if (event === 'RESUME') {
      this.emit('change');
    }
  }

  /** First the mark, then the end of QEMU: so there is no moment at which it could be taken for a crash. */
  #switchOff(): Promise<void> {
    this.#switchingOff ??= (async () => {
      await markOff(this.#home, this.#clock.now());
      await this.quit();
    })().finally(() => {
      this.#switchingOff = undefined;
    });
    return this.#switchingOff;
  }

  #resumeLater(): void {
    if (this.#resumeTimer !== undefined) return;
    this.#resumeTimer = setTimeout(() => {
      void this.#resume();
    }, this.#limits.resumeEveryMs).unref();
  }

  async #resume(): Promise<void> {
    this.#resumeTimer = undefined;
    try {
      const { bavail, bsize } = await statfs(this.#home.directory);
      if (bavail * bsize >= this.#limits.resumeFreeBytes) await this.go();
      else this.#resumeLater();
    } catch {
      // QEMU is gone, or does not answer; whoever looks at the VM next finds out which.
    }
  }
}
