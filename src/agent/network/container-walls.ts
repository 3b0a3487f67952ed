// The wall around containers. Each has a bridge of its own, known by its name; what comes out of one gets to the internet and
// to the host's resolvers, and nowhere else: not to the host itself, not to another container or VM, not to the operator's
// network, not to a cloud's metadata. What comes in through a published port is answered.

import { readFile } from 'node:fs/promises';
import { runTool } from '../disk/tool.ts';
import { hostResolvers } from './resolvers.ts';

/** How bridges of containers are called. */
export const containerBridges = 'bc-*';

/** What is not the internet: the operator's own networks, carriers', loopback, link-local, multicast, reserved. */
const closed = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
];

/** Where systemd-resolved is the host's resolver, Docker goes past it, to those that it asks itself. */
const dockersResolvers = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** The nftables table of all containers of this machine, whichever agent runs them: its rules are the same for each. */
export class ContainerWalls {
  readonly #table = 'inet berth_containers';
  readonly #resolverFiles: readonly string[];
  #last: Promise<unknown> = Promise.resolve();

  /** @param resolverFiles where the resolvers are listed that the Engine asks for containers */
  constructor(resolverFiles: readonly string[] = dockersResolvers) {
    this.#resolverFiles = resolverFiles;
  }

  /**
   * Makes sure of the wall. Has to be done before a container starts: somebody else's "flush ruleset" takes it away.
   * @throws Error when the packet filter can't be used here
   */
  admit(): Promise<void> {
    return this.#inTurn(() => this.#build());
  }

  /**
   * Puts the wall back where somebody has taken it away from containers that run.
   * @returns whether that was so
   * @throws Error when the packet filter can't be used here
   */
  mend(): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!(await areThereContainers()) || (await this.#isIntact())) return false;
      await this.#build();
      return true;
    });
  }

  /** Takes the wall down, if there is nothing behind it any more. */
  dismiss(): Promise<void> {
    return this.#inTurn(async () => {
      if (!(await areThereContainers())) await runTool('nft', ['delete', 'table', ...this.#table.split(' ')]);
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #isIntact(): Promise<boolean> {
    const { code, stdout } = await runTool('nft', ['list', 'table', ...this.#table.split(' ')]);
    const last = ['iifname', 'oifname'].map((side) => `${side} "${containerBridges}" drop`);
    return code === 0 && last.every((rule) => stdout.includes(rule));
  }

  async #build(): Promise<void> {
    const resolvers = new Set((await Promise.all(this.#resolverFiles.map(hostResolvers))).flat());
    const chains = ['input', 'forward'];
    const table = this.#table;
    const from = `iifname "${containerBridges}"`;
    const rule = (chain: string, text: string) => `add rule ${table} ${chain} ${from} ${text}`;
    const commands = [
      `add table ${table}`,
      ...chains.map((chain) => `add chain ${table} ${chain} { type filter hook ${chain} priority -5; policy accept; }`),
      ...chains.map((chain) => `flush chain ${table} ${chain}`),
      ...chains.map((chain) => rule(chain, 'ct state established,related accept')),
      // Docker asks for a container out of the container's own network. A resolver may be on this host, too.
      ...chains.flatMap((chain) =>
        [...resolvers].map((address) =>
          rule(chain, `ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`),
        ),
      ),
      rule('input', 'drop'),
      rule('forward', 'meta nfproto ipv6 drop'),
      rule('forward', `ip daddr { ${closed.join(', ')} } drop`),
      rule('forward', `oifname "${containerBridges}" drop`),
    ];
    const { code, stderr } = await runTool('nft', ['-f', '-'], `${commands.join('\n')}\n`);
    if (code === 0) return;
    throw new Error(`nft refused the wall around containers: ${stderr.trim().split('\n').slice(0, 3).join(' ')}`);
  }
}

/** Whether any container has a bridge here, also one that does not run at the moment. */
async function areThereContainers(): Promise<boolean> {
  const interfaces = await readFile('/proc/net/dev', 'utf8');
  return new RegExp(`^\\s*${containerBridges.slice(0, -1)}`, 'm').test(interfaces);
}
