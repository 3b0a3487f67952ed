// Whether guests can run on the processor itself. Asking /dev/kvm is not enough: there are machines where it opens, makes a
// VM and then never runs it. So a small guest has to run to its end.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Acceleration, qemuProgram } from './command-line.ts';
import { probeByte, probeFirmware } from './probe-guest.ts';

/** The probe guest runs within 0.1 s where it runs at all; a loaded machine takes longer. */
const probeTimeoutMs = 10_000;
/** QEMU's debug exit device ends it with twice the byte written plus one. */
const probeStatus = probeByte * 2 + 1;

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
    const path = join(directory, 'probe.bin');
    await writeFile(path, probeFirmware());
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
