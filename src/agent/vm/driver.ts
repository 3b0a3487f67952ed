// What Berth asks of whatever runs virtual machines. QEMU on this host is one implementation, the simulation another; an
// operator's cluster engine can be a third, so nothing here speaks of processes, files or this machine. Every call is
// level-triggered: it says what should be, may be repeated, and finds out for itself what is already there.

import type { PortRule } from '../../model/port-rule.ts';

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

/** A VM as it is. `off` was switched off from inside or never started; `dead` lost its hypervisor without being asked to. */
export interface VmFound {
  instanceId: string;
  power: 'running' | 'off' | 'dead';
  /** Why it is dead, or what keeps it from going on, where that is known. */
  reason?: string;
  /** The address it uses, where that can be seen. */
  address?: string;
  /** While it runs: how long it has done so without a break, whoever has watched and whatever the date was set to. */
  runningMs?: number;
}

/** Something worth telling the customer while a VM comes up. */
export interface VmProgress {
  kind: 'image.download' | 'image.build' | 'image.verify' | 'image.ready' | 'vm.prepare' | 'vm.start';
  message: string;
  /** Bytes so far and in all, for a download. */
  done?: number;
  total?: number;
}

/**
 * A VM can't be brought up. `permanent` means that trying again can't help (a bad image, say); otherwise the caller
 * retries with back-off. `message` is for the customer.
 */
export class VmFailure extends Error {
  readonly code: string;
  readonly permanent: boolean;

  constructor(code: string, message: string, permanent: boolean) {
    super(message);
    this.name = 'VmFailure';
    this.code = code;
    this.permanent = permanent;
  }
}

export interface VmDriver {
  /** Every VM that exists here in whatever state, found by looking rather than by remembering. */
  observe(): Promise<VmFound[]>;
  /** One VM as {@link observe} would show it now; undefined when nothing of it is here. */
  inspect(instanceId: string): Promise<VmFound | undefined>;
  /**
   * Makes the VM exist, run, and have exactly these open ports. A VM that runs is not restarted.
   * @throws VmFailure
   */
  run(spec: VmSpec, progress: (step: VmProgress) => void, signal: AbortSignal): Promise<void>;
  /** Asks the guest to power off, pulls the plug after `graceMs`, then removes all that is left of it. Done on nothing is done. */
  erase(instanceId: string, graceMs: number): Promise<void>;
  /** What is here that belongs to no VM of `known`: processes and files. Nothing is done about it. */
  strays(known: ReadonlySet<string>): Promise<string[]>;
  /** Calls back when a VM's state has changed by itself. */
  onChange(listener: (instanceId: string) => void): void;
  /** Lets go of everything and leaves the VMs running. */
  close(): Promise<void>;
}
