// The host user of each VM's QEMU: a user id that belongs to one VM alone. So QEMUs can't touch each other's sockets or
// memory, and the packet filter can tell each from everybody else, without an account being made for any.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** 0x70000000 to 0x7fffffff is the range that systemd's table of user ids lists as used by nobody. */
const first = 0x70000000;
const count = 0x08000000;

/**
 * The user id of a VM, worked out from where it lies, so nothing has to be remembered. Two of a thousand VMs share one with
 * a chance of 0.4 %, and then still have the guest's own wall between them.
 */
export function userIdOf(vmDirectory: string, instanceId: string): number {
  const digest = createHash('sha256').update(`${vmDirectory}\0${instanceId}`).digest();
  return first + (digest.readUInt32BE(0) % count);
}

/** The first and the last of the user ids that {@link userIdOf} may give. */
export const vmUserIds = [first, first + count - 1] as const;

/** Whether a user id is one that {@link userIdOf} may give. */
export function isVmUserId(userId: number): boolean {
  return userId >= first && userId < first + count;
}

/** Whether this machine has those user ids: a container with a user namespace of its own often has 65,536 in all. */
export function userIdsAreMapped(uidMap = readFileSync('/proc/self/uid_map', 'utf8')): boolean {
  return uidMap.split('\n').some((line) => {
    const [inside = Number.NaN, , length = Number.NaN] = line.trim().split(/\s+/).map(Number);
    return inside <= first && inside + length >= first + count;
  });
}
