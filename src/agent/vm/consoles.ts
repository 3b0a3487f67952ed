// The consoles of a host's VMs: their serial ports, which people share and which outlive a guest's power, and their screens,
// which end with it.

import type { Duplex } from 'node:stream';
import type { VmChannel } from '../../model/console.ts';
import { DriverFailure } from '../driver.ts';
import { exists, type VmHome } from './home.ts';
import { readSerialLog } from './serial.ts';
import { SerialConsole } from './serial-console.ts';
import { connectScreen } from './vnc.ts';

/** What somebody who connects is shown of the past: a boot's messages. */
const historyBytes = 64 * 1024;

/** All consoles of one host. */
export class VmConsoles {
  readonly #serials = new Map<string, SerialConsole>();

  /** A VM's serial port. */
  serialOf(instanceId: string): SerialConsole {
    const known = this.#serials.get(instanceId);
    if (known) return known;
    const serial = new SerialConsole();
    this.#serials.set(instanceId, serial);
    return serial;
  }

  /**
   * Connects to a console.
   * @param isRunning whether the VM has a QEMU now
   * @throws DriverFailure when there is no such VM here, or nothing to look at
   */
  async open(home: VmHome, channel: VmChannel, isRunning: boolean): Promise<Duplex> {
    const { instanceId, directory, run, serialLog } = home;
    if (!(await exists(directory))) throw new DriverFailure('vm.gone', 'The VM is not on this host.', false);
    if (channel === 'serial') return this.serialOf(instanceId).open(() => readSerialLog(serialLog, historyBytes));
    if (!isRunning) throw new DriverFailure('vm.off', 'The VM is off; its screen is there while it is on.', false);
    return connectScreen(run);
  }

  /** There is no such VM any more. */
  forget(instanceId: string): void {
    this.#serials.get(instanceId)?.close();
    this.#serials.delete(instanceId);
  }

  /** Ends all of them. */
  close(): void {
    for (const instanceId of this.#serials.keys()) this.forget(instanceId);
  }
}
