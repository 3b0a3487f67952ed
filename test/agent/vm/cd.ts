// CDs for tests, and what a guest says on its serial port.

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A boot program for a PC's firmware, which loads it at 7C00h: it sends what follows it to the first serial port, byte by
 * byte up to a zero, and stands still.
 */
const bootProgram = Buffer.from('31c08ed8be157cac84c07406baf803eeebf5f4ebfd', 'hex');

/** Makes an ISO image with one file, `label`; a bootable one says its label on the serial port. @returns its path */
export async function makeIso(directory: string, label: string, options: { bootable: boolean }): Promise<string> {
  const source = join(directory, `${label}.files`);
  const path = join(directory, `${label}.iso`);
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'label'), label);
  const boot = options.bootable ? ['-b', 'boot.bin', '-no-emul-boot', '-boot-load-size', '4'] : [];
  if (options.bootable)
    await writeFile(join(source, 'boot.bin'), Buffer.concat([bootProgram, Buffer.from(`${label}\r\n\0`)], 2048));
  await run('xorriso', ['-as', 'mkisofs', '-quiet', '-V', 'TEST', '-r', '-o', path, ...boot, source]);
  return path;
}

/** All that a VM has said on its serial port, whichever start of it. */
export async function serialOutput(directory: string, instanceId: string): Promise<string> {
  return await readFile(join(directory, 'vm', instanceId, 'serial.log'), 'latin1').catch(() => '');
}
