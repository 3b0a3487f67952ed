// The hardware address of a VM's network card. It is made of the VM's id, so that the host which starts the VM and the server
// which shows it agree without a word between them, and it stays the same for ever.

import { createHash } from 'node:crypto';

/** QEMU's own prefix, of addresses that no maker of hardware gives out. */
const prefix = '52:54:00';

/** The hardware address of an instance's network card. */
export function macAddressOf(instanceId: string): string {
  const digest = createHash('sha256').update(instanceId).digest('hex');
  return `${prefix}:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
}
