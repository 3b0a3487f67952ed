// A VM as its network knows it, and the file in the VM's directory that remembers it: so whoever comes next, after any death,
// can put up again what was there.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../host/durable-file.ts';
import { macAddressOf } from '../../model/mac-address.ts';
import type { PortRule } from '../../model/port-rule.ts';
import type { NetworkSpec } from '../vm/driver.ts';

/** A VM in a network. */
export interface Guest extends NetworkSpec {
  instanceId: string;
  /** The user that its QEMU runs as. */
  userId: number;
  portRules: readonly PortRule[];
}

/** The hardware address of a guest's card. */
export const macOf = ({ instanceId }: Guest) => macAddressOf(instanceId);

/** Whether an address is IPv6. */
export const isIpv6 = (ip: string) => ip.includes(':');

const fileOf = (vmDirectory: string, instanceId: string) => join(vmDirectory, instanceId, 'network.json');

/** What is remembered of a VM's network; null where nothing is, as of a VM that its hypervisor connects by itself. */
export async function readGuest(vmDirectory: string, instanceId: string): Promise<Guest | null> {
  try {
    return JSON.parse(await readFile(fileOf(vmDirectory, instanceId), 'utf8')) as Guest;
  } catch {
    return null;
  }
}

/** Remembers a VM's network, in its directory, which is there. */
export async function writeGuest(vmDirectory: string, guest: Guest): Promise<void> {
  await writeDurably(fileOf(vmDirectory, guest.instanceId), `${JSON.stringify(guest, null, 2)}\n`);
}

/** Forgets a VM's network. */
export async function forgetGuest(vmDirectory: string, instanceId: string): Promise<void> {
  await rm(fileOf(vmDirectory, instanceId), { force: true });
}
