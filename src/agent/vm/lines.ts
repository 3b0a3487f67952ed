// The lines to the QEMUs of this host: one to each, which is kept for as long as both ends live.

import type { Clock } from '../../model/world.ts';
import { Attachment } from './attachment.ts';
import type { VmConsoles } from './consoles.ts';
import type { VmHome } from './home.ts';
import type { QemuLimits } from './limits.ts';
import type { QemuProcess, QemuProcesses } from './process.ts';

/** The line to one QEMU, or the attempt to get it. */
interface Line {
  pid: number;
  attachment: Promise<Attachment>;
}

/** What lines are made of. */
export interface LineParts {
  consoles: VmConsoles;
  limits: QemuLimits;
  clock: Clock;
  /** Called when a VM's state may have changed by itself. */
  changed: (instanceId: string) => void;
}

/** Opens, keeps and ends lines. */
export class QemuLines {
  readonly #parts: LineParts;
  readonly #lines = new Map<string, Line>();

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  /**
   * The line to a QEMU, the one that is there or a new one. There is one at a time: QEMU serves no two.
   * @throws Error when QEMU does not answer within `timeoutMs`, or has ended
   */
  open(
    processes: QemuProcesses,
    home: VmHome,
    process: QemuProcess,
    timeoutMs = this.#parts.limits.qmpTimeoutMs,
  ): Promise<Attachment> {
    const { instanceId } = home;
    const present = this.#lines.get(instanceId);
    if (present?.pid === process.pid) return present.attachment;
    const { changed, clock, consoles, limits } = this.#parts;
    const isAlive = () => processes.isAlive(process);
    const options = { limits, clock, console: consoles.serialOf(instanceId) };
    const attachment = Attachment.open(process, home, timeoutMs, isAlive, options);
    const line: Line = { pid: process.pid, attachment };
    this.#lines.set(instanceId, line);
    const forget = () => {
      if (this.#lines.get(instanceId) === line) this.#lines.delete(instanceId);
    };
    attachment.then((opened) => {
      opened.on('change', () => changed(instanceId));
      opened.once('close', () => {
        forget();
        void processes.waitForEnd(process, limits.quitTimeoutMs).then(() => changed(instanceId));
      });
    }, forget);
    return attachment;
  }

  /** The QEMUs to which there is a line, or an attempt to get one. */
  present(): { instanceId: string; pid: number; attachment: Promise<Attachment> }[] {
    return [...this.#lines].map(([instanceId, line]) => ({ instanceId, ...line }));
  }

  /** Ends the line to a VM's QEMU, where there is one; QEMU and its guest run on. */
  async end(instanceId: string): Promise<void> {
    const line = this.#lines.get(instanceId);
    this.#lines.delete(instanceId);
    const attachment = await line?.attachment.catch(() => undefined);
    await attachment?.close();
  }

  /** Ends them all. */
  async close(): Promise<void> {
    await Promise.all([...this.#lines.keys()].map((instanceId) => this.end(instanceId)));
  }
}
