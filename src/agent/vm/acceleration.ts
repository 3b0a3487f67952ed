// Whether guests can run on the processor itself. Asking /dev/kvm is not enough: there are machines where it opens, makes a
// VM and then never runs it. So a guest of sixteen bytes has to run and say so.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Acceleration, qemuProgram } from './command-line.ts';

/** The probe guest runs within 0.1 s where it runs at all; a loaded machine takes longer. */
const probeTimeoutMs = 10_000;
/** The smallest firmware that QEMU takes. */
const firmwareBytes = 64 * 1024;
/** Where the processor begins: 16 bytes below the end of its firmware. */
const resetVectorOffset = firmwareBytes - 16;
/** mov al, 0x2a; out 0xf4, al; hlt; jmp to the hlt */
const probeCode = Buffer.from([0xb0, 0x2a, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd]);
/** QEMU's debug exit device ends it with twice the byte written plus one. */
const probeStatus = 0x2a * 2 + 1;

/** What guests run on here, and why. */
export interface AccelerationFinding {
  acceleration: Acceleration;
  /** A sentence for the operator. */
  reason: string;
}

/** Finds out whether KVM works here, at the cost of one short-lived QEMU. Never throws. */
export async function detectAcceleration(
  host: { cpuinfo: string; device: string; probe: typeof probeGuest } = {
    cpuinfo: '/proc/cpuinfo',
    device: '/dev/kvm',
    probe: probeGuest,
  },
): Promise<AccelerationFinding> {
  const without = (reason: string): AccelerationFinding => ({
    acceleration: 'tcg',
    reason: `Guests run in emulation, which is slow: ${reason}.`,
  });
  const cpuinfo = await readFile(host.cpuinfo, 'utf8').catch(() => '');
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo)) return without('the processor offers neither vmx nor svm');
  const device = await stat(host.device).catch(() => null);
  if (device === null) return without(`there is no ${host.device}`);
  // QEMU does not run as root, so its group has to be let in, and that group must not be root's.
  const open = (device.mode & 0o006) === 0o006 || ((device.mode & 0o060) === 0o060 && device.gid !== 0);
  if (!open && process.getuid?.() === 0) return without(`${host.device} is open to nobody but root`);
  if (!(await host.probe('kvm'))) return without(`${host.device} is there, yet a probe guest did not run`);
  return { acceleration: 'kvm', reason: 'Guests run on the processor itself (KVM).' };
}

/**
 * Runs a guest that does nothing but end itself.
 * @param options.program QEMU
 * @returns whether it ran, within a bound
 */
export async function probeGuest(
  acceleration: Acceleration,
  options: { program?: string; timeoutMs?: number } = {},
): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-probe-'));
  try {
    const firmware = Buffer.alloc(firmwareBytes);
    probeCode.copy(firmware, resetVectorOffset);
    const path = join(directory, 'probe.bin');
    await writeFile(path, firmware);
    const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'pc', '-accel', acceleration];
    args.push('-m', '16', '-bios', path, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04');
    return await new Promise<boolean>((resolve) => {
      execFile(
        options.program ?? qemuProgram,
        args,
        { timeout: options.timeoutMs ?? probeTimeoutMs, killSignal: 'SIGKILL' },
        (error) => resolve(error?.code === probeStatus),
      );
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
