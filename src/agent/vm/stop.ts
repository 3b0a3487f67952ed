// Ending a VM's QEMU: first as its guest would like it, then as QEMU would, then as the kernel does. Each step has its
// bound, so a guest that hangs, a monitor that is silent and a process that is stopped all come to the same end.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attachment } from './attachment.ts';
import type { QemuLimits } from './limits.ts';
import type { QemuProcess, QemuProcesses } from './process.ts';

/** Connecting to a QEMU that listens takes a millisecond. */
const pollMs = 50;

/**
 * Ends a QEMU for certain.
 * @param attach the line to it; may fail, and then there is nobody to ask
 * @param graceMs how long the guest may take to power off
 * @throws Error when not even the kernel can end it
 */
export async function endQemu(
  process: QemuProcess,
  attach: () => Promise<Attachment>,
  graceMs: number,
  processes: QemuProcesses,
  limits: QemuLimits,
): Promise<void> {
  try {
    const attachment = await attach();
    if ((await attachment.state()) === 'running') await powerOff(process, attachment, graceMs, processes, limits);
    if (processes.isAlive(process)) {
      await attachment.quit();
      await processes.waitForEnd(process, limits.quitTimeoutMs);
    }
  } catch {
    // Whatever QEMU did not answer, the kernel does.
  }
  await processes.kill(process, limits.killTimeoutMs);
}

/** Presses the power button until the guest goes off (its attachment then ends QEMU) or its time is up. */
async function powerOff(
  process: QemuProcess,
  attachment: Attachment,
  graceMs: number,
  processes: QemuProcesses,
  limits: QemuLimits,
): Promise<void> {
  const deadline = performance.now() + graceMs;
  let pressNext = 0;
  while (processes.isAlive(process) && performance.now() < deadline) {
    if (performance.now() >= pressNext) {
      await attachment.pressPowerButton().catch((error: Error) => {
        if (processes.isAlive(process)) throw error;
      });
      pressNext = performance.now() + limits.powerButtonEveryMs;
    }
    await sleep(pollMs);
  }
}
