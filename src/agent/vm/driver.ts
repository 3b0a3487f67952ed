// What a virtual machine is to be, for whatever runs it. QEMU on this host is one driver, the simulation another.

import type { PortRule } from '../../model/port-rule.ts';
import type { Driver } from '../driver.ts';

/** A VM as it should be. */
export interface VmSpec {
  instanceId: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  imageUrl: string;
  sshKeys: readonly string[];
  /** The IPv4 address that is the instance's own. */
  address: string;
  portRules: readonly PortRule[];
}

/** Runs virtual machines. */
export type VmDriver = Driver<VmSpec>;
