// Networks between VMs, as the driver of VMs uses them: every guest has a cable (a tap) to its group's bridge, and the host is
// the router. What should be is remembered in the VMs' own directories, and all of it is made again from there whenever
// anything changes or was found to be gone: so nothing depends on what an agent before this one did.

import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { runTool } from '../disk/tool.ts';
import type { VmSpec } from '../vm/driver.ts';
import { listHomes } from '../vm/home.ts';
import type { VmLogger } from '../vm/logger.ts';
import { readUplinks, settleLinks } from './bridge-links.ts';
import { type InterfaceNames, interfaceNames, planNetworks } from './bridge-plan.ts';
import { wallsText } from './bridge-walls.ts';
import { DhcpServer, dhcpConfiguration } from './dhcp.ts';
import { closeWay, isWayOpen, openWay } from './docker-way.ts';
import { forgetGuest, type Guest, readGuest, writeGuest } from './guest.ts';
import { guestResolvers } from './resolvers.ts';

const tunDevice = '/dev/net/tun';

/** What networks are made of. */
export interface BridgeOptions {
  /** Of the agent: its networks' own files go below it. */
  directory: string;
  /** Where the VMs' directories are, without symbolic links. */
  vmDirectory: string;
  /** Hexadecimal digits that tell this agent from others on the machine. */
  mark: string;
  /** Whether guests with addresses that are not public go out under the host's. */
  translates: boolean;
  logger: VmLogger;
}

/** The networks of one agent's VMs. */
export class BridgeNetworks {
  readonly #options: BridgeOptions;
  readonly #names: InterfaceNames;
  readonly #table: string;
  readonly #dhcp: DhcpServer;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: BridgeOptions) {
    this.#options = options;
    this.#names = interfaceNames(options.mark);
    this.#table = `berth_${options.mark.slice(0, 12)}_net`;
    this.#dhcp = new DhcpServer(join(options.directory, 'network'));
  }

  /**
   * Finds out whether this host can have networks, and puts up those of the VMs that are here.
   * @throws Error that says what is missing
   */
  static async open(options: BridgeOptions): Promise<BridgeNetworks> {
    for (const tool of ['ip', 'nft', 'dnsmasq']) {
      const found = await runTool(tool, ['--version']).catch(() => null);
      // `ip` has no such option, and says so; all that counts is that it is there.
      if (found === null) throw new Error(`The network mode bridge needs the program ${tool}, which is not installed.`);
    }
    await openTunDevice(options.logger);
    const networks = new BridgeNetworks(options);
    await networks.#inTurn(() => networks.#settle());
    return networks;
  }

  /** The name of a guest's cable, for QEMU. */
  tapOf(instanceId: string): string {
    return this.#names.tapOf(instanceId);
  }

  /** Whether a VM is in a network, rather than connected by its hypervisor alone. */
  async has(instanceId: string): Promise<boolean> {
    return (await readGuest(this.#options.vmDirectory, instanceId)) !== null;
  }

  /**
   * Puts a VM in its network, with these addresses and open ports, or makes it so again. Its directory is there.
   * @param userId the user that its QEMU runs as
   */
  connect(spec: VmSpec, userId: number): Promise<void> {
    return this.#inTurn(async () => {
      const { vmDirectory } = this.#options;
      const guest = guestOf(spec, userId);
      const before = await readGuest(vmDirectory, spec.instanceId);
      if (before && isDeepStrictEqual(before, guest) && (await this.#isIntact())) return;
      await this.#takeFromOthers(guest);
      await writeGuest(vmDirectory, guest);
      await this.#settle();
    });
  }

  /** What a guest is given has nobody else any more, such as a VM that is off and was not told yet. */
  async #takeFromOthers({ instanceId, addresses }: Guest): Promise<void> {
    const given = new Set(addresses.map(({ ip }) => ip));
    for (const other of await this.#guests()) {
      const left = other.addresses.filter(({ ip }) => !given.has(ip));
      if (other.instanceId === instanceId || left.length === other.addresses.length) continue;
      await writeGuest(this.#options.vmDirectory, { ...other, addresses: left });
    }
  }

  /** Takes a VM out of its network, and removes the network with the last one. Done on nothing is done. */
  disconnect(instanceId: string): Promise<void> {
    return this.#inTurn(async () => {
      await forgetGuest(this.#options.vmDirectory, instanceId);
      await this.#settle();
    });
  }

  /**
   * Puts back what somebody has taken away from under VMs.
   * @returns whether anything was missing
   */
  mend(): Promise<boolean> {
    return this.#inTurn(async () => {
      if ((await this.#guests()).length === 0 || (await this.#isIntact())) return false;
      await this.#settle();
      return true;
    });
  }

  async #isIntact(): Promise<boolean> {
    const chains = [
      ['bridge', 'guest_ipv6'],
      ['inet', 'output'],
    ] as const;
    const found = await Promise.all(
      chains.map(([family, chain]) => runTool('nft', ['list', 'chain', family, this.#table, chain])),
    );
    if (found.some(({ code }) => code !== 0)) return false;
    return (await this.#dhcp.isRunning()) && (await isWayOpen(this.#names.bridges));
  }

  /** Makes all of it what it has to be. The packet filter comes before the cables that it guards. */
  async #settle(): Promise<void> {
    const guests = await this.#guests();
    const plan = planNetworks(this.#names, guests);
    if (guests.length === 0) {
      await settleLinks(this.#names, plan);
      for (const family of ['bridge', 'inet']) await runTool('nft', ['delete', 'table', family, this.#table]);
      await closeWay(this.#names.bridges);
      await this.#dhcp.settle(null);
      return;
    }
    const resolvers = await guestResolvers();
    const { translates } = this.#options;
    const uplinks = await readUplinks();
    const text = wallsText({ table: this.#table, names: this.#names, guests, plan, resolvers, uplinks, translates });
    await this.#filter(text);
    await settleLinks(this.#names, plan);
    await openWay(this.#names.bridges);
    await this.#dhcp.settle(dhcpConfiguration(this.#names, guests, resolvers));
  }

  async #filter(text: string): Promise<void> {
    const { code, stderr } = await runTool('nft', ['-f', '-'], text);
    const reason = stderr.trim().split('\n').slice(0, 3).join(' ');
    if (code !== 0) throw new Error(`nft refused the networks' table ${this.#table}: ${reason}`);
  }

  async #guests(): Promise<Guest[]> {
    const { vmDirectory } = this.#options;
    const ids = (await listHomes(vmDirectory)).sort();
    return (await Promise.all(ids.map((id) => readGuest(vmDirectory, id)))).filter((guest) => guest !== null);
  }

  /** Changes are made one at a time, because each begins with what is there. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** A VM as its network knows it; one from before networks were told of has the first one, with its one address. */
function guestOf({ instanceId, address, portRules, network }: VmSpec, userId: number): Guest {
  const { vlan, allPortsOpen, addresses } = network ?? {
    vlan: 1,
    allPortsOpen: false,
    addresses: [{ ip: address, isAdditional: false, range: null }],
  };
  return { instanceId, userId, vlan, allPortsOpen, addresses, portRules };
}

/**
 * QEMU, as a user of its own, opens the device that cables are made with. It gets no more than the one cable that the kernel
 * knows as this user's, so anybody may open it; udev sees to that on most machines.
 */
async function openTunDevice(logger: VmLogger): Promise<void> {
  const { mode } = await stat(tunDevice).catch(() => {
    throw new Error(`The network mode bridge needs ${tunDevice}, which is not there.`);
  });
  if ((mode & 0o006) === 0o006) return;
  await chmod(tunDevice, (mode & 0o777) | 0o666);
  logger.info({ device: tunDevice }, 'Everybody may open the device for taps now, as is usual');
}
