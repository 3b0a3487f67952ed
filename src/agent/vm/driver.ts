// What a virtual machine is to be, for whatever runs it. QEMU on this host is one driver, the simulation another.

import type { Duplex } from 'node:stream';
import type { Act } from '../../model/act.ts';
import type { VmChannel } from '../../model/console.ts';
import type { HardwareProfile } from '../../model/machine.ts';
import type { PortRule } from '../../model/port-rule.ts';
import type { Driver } from '../driver.ts';

/** What a machine is beside its size. It counts from the VM's next start on. */
export interface Machine {
  hardwareProfile: HardwareProfile;
  /** Where the ISO image comes from that is in its CD drive. */
  cdromUrl: string | null;
  /** The layout of its console's keyboard. */
  keymap: string | null;
  /** A system on an ISO image that is started in place of its own: always, or only in this start of the VM. */
  appliance: { url: string; permanent: boolean } | null;
}

/** A machine about which nothing was said. */
export const plainMachine: Machine = {
  hardwareProfile: 'virtio2013',
  cdromUrl: null,
  keymap: null,
  appliance: null,
};

/** How a VM stands in its group's network. */
export interface NetworkSpec {
  vlan: number;
  /** Whether all its ports are open where the host connects VMs to networks; else those of its port rules alone. */
  allPortsOpen: boolean;
  /** All that it holds, with the subnet that each is in; one out of its host's pool is in none. */
  addresses: readonly {
    ip: string;
    /** Leads to the main address. */
    isAdditional: boolean;
    range: { prefix: number; gateway: string; isShared: boolean } | null;
  }[];
}

/** One disk as it should be. What is left out was not told of in older orders. */
export interface DiskSpec {
  id: string;
  sizeMib: number;
  /** How often its content was asked for anew; none that was made for a smaller number keeps its content. */
  imaging?: number;
  /** The label of the storage pool that it is in. */
  pool?: string;
  /** Reads and writes a second; null or nothing for as many as it can. */
  iopsLimit?: number | null;
  /** Backups of it that are to be made. */
  backups?: readonly string[];
  /** Backups of it that are to be erased. */
  eraseBackups?: readonly string[];
  /** The backup that its content is made from, where it is made anew. */
  restoreFrom?: string | null;
}

/** What has become of the backups that an order names: of those that nothing is said of, it is not known yet. */
export interface BackupNews {
  ready: string[];
  failed: { id: string; reason: string }[];
  erased: string[];
}

/** A VM as it should be. */
export interface VmSpec {
  instanceId: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  /** In the order in which the guest sees them; the first is booted from. */
  disks: readonly DiskSpec[];
  /** Disks that it has no more, and which are to be erased. */
  eraseDisks?: readonly DiskSpec[];
  /**
   * What the first disk is made from, and how often it was asked for; null leaves that disk as it is, or blank. With a `sha256`,
   * the file that the URL leads to has to hash to it.
   */
  image: { url: string; imaging: number; sha256?: string } | null;
  sshKeys: readonly string[];
  /** What its machine is beside its size; that of orders from before it was told is {@link plainMachine}. */
  machine?: Machine;
  /** Which start of it this is. */
  bootNumber: number;
  /** The IPv4 address that is the instance's own. */
  address: string;
  portRules: readonly PortRule[];
  /** Orders from before networks were told of have none: a VM with its one address. */
  network?: NetworkSpec;
}

/** Runs virtual machines. */
export interface VmDriver extends Driver<VmSpec> {
  /** Pulls the plug, at once. The disks stay, and it counts as switched off from then on. Done on nothing is done. */
  halt(instanceId: string): Promise<void>;
  /**
   * Erases those disks that the VM is said to have no more. One that a running guest still has waits.
   * @returns the ids of those of which nothing is left
   */
  settleDisks(spec: VmSpec): Promise<string[]>;
  /** Begins the backups of its disks that are to be made, and erases those that are to be gone. */
  settleBackups(spec: VmSpec): Promise<BackupNews>;
  /**
   * Connects to a VM's console. What the VM does with what comes, or doesn't, keeps nobody else waiting.
   * @throws DriverFailure when there is nothing to connect to
   */
  console(instanceId: string, channel: VmChannel): Promise<Duplex>;
  /**
   * Does something to a guest that runs, once.
   * @returns false where none runs
   */
  act(instanceId: string, what: Act): Promise<boolean>;
}
