// What tells guests their addresses: dnsmasq, which hands out IPv4 addresses and advertises IPv6 prefixes on all bridges. It
// runs on when the agent does not. Its configuration never changes while it runs: there is a new one, and a new dnsmasq.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeDurably } from '../../host/durable-file.ts';
import { endProcess, identifyProcess, type ProcessIdentity, processIds, processProgram } from '../../host/process.ts';
import { startDetached } from '../vm/process.ts';
import { type InterfaceNames, linkGateway, mainOf, subnetOf } from './bridge-plan.ts';
import { type Guest, isIpv6, macOf } from './guest.ts';

const program = 'dnsmasq';
/** A guest asks anew at half of it, and keeps its address meanwhile. */
const lease = '1h';
/** It ends at once when it can't use its configuration or its sockets. */
const settleMs = 200;
const stopTimeoutMs = 5_000;

/** dnsmasq's configuration for these guests. @param resolvers IPv4 addresses that guests ask for names */
export function dhcpConfiguration(
  names: InterfaceNames,
  guests: readonly Guest[],
  resolvers: readonly string[],
): string {
  const lines = [
    // No DNS.
    'port=0',
    `interface=${names.bridges}`,
    'except-interface=lo',
    'bind-dynamic',
    'user=nobody',
    'no-hosts',
    'no-resolv',
    'leasefile-ro',
    'dhcp-authoritative',
    // Nothing to remember, and nothing to tell anybody of.
    'quiet-dhcp',
    'quiet-dhcp6',
    'quiet-ra',
    'enable-ra',
    ...(resolvers.length > 0 ? [`dhcp-option=option:dns-server,${resolvers.join(',')}`] : []),
    ...guests.flatMap((guest, index) => guestLines(names, guest, `vm${index}`)),
  ];
  return `${[...new Set(lines)].join('\n')}\n`;
}

function guestLines(names: InterfaceNames, guest: Guest, tag: string): string[] {
  const main = mainOf(guest, 4);
  const range4 = guest.addresses.find(({ ip }) => ip === main)?.range;
  const gateway = range4?.gateway ?? linkGateway;
  const lines =
    main === null
      ? []
      : [
          // A pool of one address, on that guest's bridge alone.
          `shared-network=${names.bridgeOf(guest.vlan)},${main}`,
          `dhcp-range=${main},static,255.255.255.255,${lease}`,
          `dhcp-host=${macOf(guest)},set:${tag},${main}`,
          `dhcp-option=tag:${tag},option:netmask,${netmask(range4?.prefix ?? 32)}`,
          `dhcp-option=tag:${tag},option:router,${gateway}`,
          // Who has no subnet is told how the gateway is reached.
          ...(range4
            ? []
            : [`dhcp-option=tag:${tag},option:classless-static-route,${gateway}/32,0.0.0.0,0.0.0.0/0,${gateway}`]),
        ];
  const range6 = guest.addresses.find(({ ip, isAdditional }) => isIpv6(ip) && !isAdditional)?.range;
  if (!range6) return lines;
  // On a shared prefix the neighbours are behind the gateway.
  const mode = range6.isShared ? 'ra-only,off-link' : 'ra-only';
  return [...lines, `dhcp-range=${subnetOf(range6.gateway)},${mode},${range6.prefix},${lease}`];
}

function netmask(prefix: number): string {
  const bits = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/** One agent's dnsmasq. */
export class DhcpServer {
  readonly #directory: string;

  /** @param directory for its configuration; made when missing */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Sees to it that dnsmasq runs with this configuration; null that none runs.
   * @throws Error with what it said
   */
  async settle(configuration: string | null): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const directory = await realpath(this.#directory);
    const digest = createHash('sha256')
      .update(configuration ?? '')
      .digest('hex')
      .slice(0, 12);
    const file = configuration === null ? null : join(directory, `${program}-${digest}.conf`);
    const running = findServers(directory);
    if (file !== null && running.length === 1 && running[0]?.file === file) return;
    for (const server of running) await endProcess(server, stopTimeoutMs);
    for (const name of await readdir(directory)) await rm(join(directory, name), { force: true });
    if (file === null || configuration === null) return;
    await writeDurably(file, configuration);
    await this.#start(directory, file);
  }

  /** Whether a dnsmasq of this agent's runs. */
  async isRunning(): Promise<boolean> {
    return findServers(await realpath(this.#directory).catch(() => this.#directory)).length > 0;
  }

  async #start(directory: string, file: string): Promise<void> {
    const output = await open(join(directory, `${program}.out`), 'w+', 0o600);
    try {
      const args = ['--keep-in-foreground', '--log-facility=-', `--pid-file=${file}.pid`, `--conf-file=${file}`];
      const { child } = await startDetached({ file: program, args }, { cwd: directory, log: output.fd, files: [] });
      await Promise.race([sleep(settleMs), new Promise((resolve) => child.once('exit', resolve))]);
      if (child.exitCode === null && child.signalCode === null) return;
      const { buffer, bytesRead } = await output.read(Buffer.alloc(4096), 0, 4096, 0);
      throw new Error(`dnsmasq did not come up: ${buffer.toString('utf8', 0, bytesRead).trim().slice(-500)}`);
    } finally {
      await output.close();
    }
  }
}

type Server = ProcessIdentity & { file: string };

/** Every dnsmasq whose configuration lies in a directory. */
function findServers(directory: string): Server[] {
  return processIds().flatMap((pid) => {
    if (processProgram(pid) !== program) return [];
    const file = argumentsOf(pid)
      .find((argument) => argument.startsWith(`--conf-file=${directory}/`))
      ?.slice('--conf-file='.length);
    const found = identifyProcess(pid);
    return file === undefined || found === undefined ? [] : [{ ...found, file }];
  });
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
