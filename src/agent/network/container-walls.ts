// The wall around containers. Each has a bridge of its own, known by its name; what comes out of one gets to the internet and
// to the host's resolvers, and nowhere else: not to the host itself, not to another container or VM, not to the operator's
// network, not to a cloud's metadata. What comes in through a published port is answered.

import { networkInterfaces } from 'node:os';
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

/** The nftables table of all containers of this machine, whichever agent runs them: its rules are the same for each. */
export class ContainerWalls {
  readonly #table = 'inet berth_containers';
  readonly #resolverFile: string;
  #last: Promise<unknown> = Promise.resolve();

  /** @param resolverFile where the host's resolvers are listed */
  constructor(resolverFile = '/etc/resolv.conf') {
    this.#resolverFile = resolverFile;
  }

  /**
   * Makes sure of the wall. Has to be done before a container starts: somebody else's "flush ruleset" takes it away.
   * @throws Error when the packet filter can't be used here
   */
  async admit(): Promise<void> {
    const admission = this.#last.then(
      () => this.#build(),
      () => this.#build(),
    );
    this.#last = admission.catch(() => {});
    await admission;
  }

  /** Takes the wall down, if there is nothing behind it any more. */
  async dismiss(): Promise<void> {
    const prefix = containerBridges.slice(0, -1);
    if (Object.keys(networkInterfaces()).some((name) => name.startsWith(prefix))) return;
    await runTool('nft', ['delete', 'table', ...this.#table.split(' ')]);
  }

  async #build(): Promise<void> {
    const resolvers = await hostResolvers(this.#resolverFile);
    const chains = ['input', 'forward'];
    const table = this.#table;
    const from = `iifname "${containerBridges}"`;
    const rule = (chain: string, text: string) => `add rule ${table} ${chain} ${from} ${text}`;
    const commands = [
      `add table ${table}`,
      ...chains.map((chain) => `add chain ${table} ${chain} { type filter hook ${chain} priority -5; policy accept; }`),
      ...chains.map((chain) => `flush chain ${table} ${chain}`),
      ...chains.map((chain) => rule(chain, 'ct state established,related accept')),
      ...resolvers.map((address) =>
        rule('forward', `ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`),
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
