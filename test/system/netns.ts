// Network namespaces on one bridge, each as a host in a network of its own: what has an end in one is cut off by taking its
// link down, as if the cable were pulled. All of it is this test's own and goes with it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const path = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

async function ip(...args: string[]): Promise<void> {
  await run('ip', args, { env: path });
}

/** One host's network. */
export interface Namespace {
  name: string;
  address: string;
  /** The command line that runs a program in it; /sys stays the machine's, which `ip netns exec` would replace. */
  inside(file: string, args: readonly string[]): [string, string[]];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** A bridge and the namespaces on it. */
export class Networks {
  /** This side's address, where servers listen. */
  readonly address: string;
  readonly #prefix: string;
  readonly #bridge: string;
  readonly #names: string[] = [];

  private constructor(number: number) {
    this.#prefix = `10.213.${number % 250}`;
    this.address = `${this.#prefix}.1`;
    this.#bridge = `bt${number}`;
  }

  /** Makes the bridge. @param number tells this test's networks from others' on the same machine; a process id will do */
  static async create(number: number): Promise<Networks> {
    const networks = new Networks(number);
    await ip('link', 'add', networks.#bridge, 'type', 'bridge');
    await ip('addr', 'add', `${networks.address}/24`, 'dev', networks.#bridge);
    await ip('link', 'set', networks.#bridge, 'up');
    return networks;
  }

  /** Makes a namespace with one interface on the bridge. */
  async add(): Promise<Namespace> {
    const index = this.#names.length + 2;
    const [name, outer] = [`${this.#bridge}-${index}`, `${this.#bridge}v${index}`];
    const address = `${this.#prefix}.${index}`;
    await ip('netns', 'add', name);
    this.#names.push(name);
    await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('link', 'set', outer, 'master', this.#bridge, 'up');
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    return {
      name,
      address,
      inside: (file, args) => ['nsenter', [`--net=/run/netns/${name}`, '--', file, ...args]],
      cut: () => ip('link', 'set', outer, 'down'),
      mend: () => ip('link', 'set', outer, 'up'),
    };
  }

  /** Removes everything. What still runs in a namespace keeps it, so that has to end first. */
  async close(): Promise<void> {
    for (const name of this.#names) await ip('netns', 'del', name).catch(() => {});
    await ip('link', 'del', this.#bridge).catch(() => {});
  }
}
