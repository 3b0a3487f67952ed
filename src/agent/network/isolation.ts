// The wall between guests and their host. A guest's connections leave this host as those of its QEMU's user, so the packet
// filter knows them: they get anywhere but to this host's own addresses, where only open ports of instances and the host's
// resolver answer. The table describes itself (each element says whose it is), so nothing has to be remembered beside it.

import { runTool } from '../disk/tool.ts';
import { containerBridges } from './container-walls.ts';
import type { Forward } from './forwards.ts';
import { hostResolvers } from './resolvers.ts';

/** One agent's nftables table. */
export class Isolation {
  readonly #table: string;
  readonly #resolverFile: string;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param name of the table, different for each agent of this machine
   * @param resolverFile where the host's resolvers are listed
   */
  constructor(name: string, resolverFile = '/etc/resolv.conf') {
    this.#table = `inet ${name}`;
    this.#resolverFile = resolverFile;
  }

  /** Whether the table is there. Somebody else's "flush ruleset" takes it away. */
  async intact(): Promise<boolean> {
    return (await runTool('nft', ['list', 'chain', ...this.#table.split(' '), 'guest'])).code === 0;
  }

  /**
   * Puts QEMUs' users, given by instance, behind the wall, which is made or brought up to date first. Has to be done
   * before their guests run.
   * @throws Error when the packet filter can't be used here
   */
  admit(userIds: ReadonlyMap<string, number>): Promise<void> {
    return this.#inTurn(async () => {
      await this.#apply([...(await this.#rules()), ...this.#admissions(userIds)]);
    });
  }

  /** Makes these the ports of an instance that other guests may reach, and leads to where QEMU listens in truth. */
  open(instanceId: string, forwards: readonly Forward[]): Promise<void> {
    return this.#inTurn(async () => {
      const open = new Set<string>();
      const moved = new Map<string, string>();
      for (const { protocol, hostAddress, hostPort, guestPort } of forwards) {
        open.add(`${hostAddress} . ${protocol} . ${guestPort}`);
        open.add(`${hostAddress} . ${protocol} . ${hostPort}`);
        if (hostPort !== guestPort) {
          moved.set(`${hostAddress} . ${protocol} . ${guestPort}`, `${hostAddress} . ${hostPort}`);
        }
      }
      const addresses = new Set(forwards.map(({ hostAddress }) => hostAddress));
      const commands: string[] = [];
      for (const { set, key, owner, value } of await this.#elements()) {
        if (set === 'guests') continue;
        const isRight = owner === instanceId && (set === 'open' ? open.has(key) : moved.get(key) === value);
        if (isRight) (set === 'open' ? open : moved).delete(key);
        // What another instance left on an address that is this one's now would hide or redirect its ports.
        else if (owner === instanceId || addresses.has(key.split(' ')[0] ?? '')) {
          commands.push(`delete element ${this.#table} ${set} { ${key} }`);
        }
      }
      const comment = `comment "${instanceId}"`;
      for (const key of open) commands.push(`add element ${this.#table} open { ${key} ${comment} }`);
      for (const [key, to] of moved) commands.push(`add element ${this.#table} moved { ${key} ${comment} : ${to} }`);
      await this.#apply(commands);
    });
  }

  /**
   * Removes all that is about an instance, and the whole table with the last one.
   * @param others asked once it is this call's turn: the user ids of all other instances. They are put behind the wall
   *   again in the same step, because two may share one
   */
  release(instanceId: string, others: () => Promise<ReadonlyMap<string, number>>): Promise<void> {
    return this.#inTurn(async () => {
      const remaining = await others();
      if (remaining.size === 0) {
        if (await this.intact()) await this.#apply([`delete table ${this.#table}`]);
        return;
      }
      const own = (await this.#elements()).filter(({ owner }) => owner === instanceId);
      const commands = own.map(({ set, key }) => `delete element ${this.#table} ${set} { ${key} }`);
      if (own.some(({ set }) => set === 'guests')) commands.push(...this.#admissions(remaining));
      await this.#apply(commands);
    });
  }

  /** Changes are made one at a time, because each first looks at what is there. */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change, change);
    this.#last = result.catch(() => {});
    return result;
  }

  #admissions(userIds: ReadonlyMap<string, number>): string[] {
    return [...userIds].map(([id, userId]) => `add element ${this.#table} guests { ${userId} comment "${id}" }`);
  }

  /** The table itself. Applied a second time, it changes nothing but what the host's resolvers changed. */
  async #rules(): Promise<string[]> {
    const table = this.#table;
    const resolvers = await hostResolvers(this.#resolverFile);
    const tuple = 'ipv4_addr . inet_proto . inet_service';
    const destination = 'ip daddr . meta l4proto . th dport';
    const rule = (chain: string, text: string) => `add rule ${table} ${chain} ${text}`;
    return [
      `add table ${table}`,
      `add set ${table} guests { type uid; }`,
      `add set ${table} open { type ${tuple}; }`,
      `add map ${table} moved { type ${tuple} : ipv4_addr . inet_service; }`,
      `add chain ${table} output { type filter hook output priority 0; policy accept; }`,
      `add chain ${table} guest`,
      `add chain ${table} move_local { type nat hook output priority -100; policy accept; }`,
      `add chain ${table} move_remote { type nat hook prerouting priority -100; policy accept; }`,
      ...['output', 'guest', 'move_local', 'move_remote'].map((chain) => `flush chain ${table} ${chain}`),
      rule('output', 'meta skuid @guests jump guest'),
      // Answers to those who came through an open port.
      rule('guest', 'ct state established,related accept'),
      rule('guest', `${destination} @open accept`),
      // QEMU answers its guests' questions by asking them.
      ...resolvers.map((address) => rule('guest', `ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`)),
      // Loopback and every other address of this host, also one that it gets tomorrow.
      rule('guest', 'fib daddr type { local, broadcast, multicast } drop'),
      // Metadata services of clouds, which hand out the host's own credentials, live on link-local addresses.
      rule('guest', 'ip daddr { 127.0.0.0/8, 169.254.0.0/16 } drop'),
      rule('guest', 'ip6 daddr fe80::/10 drop'),
      // Containers stand on bridges of this host, which is the only one to reach them there.
      rule('guest', `oifname "${containerBridges}" drop`),
      rule('move_local', `dnat ip to ${destination} map @moved`),
      rule('move_remote', `dnat ip to ${destination} map @moved`),
    ];
  }

  async #elements(): Promise<TableElement[]> {
    const { code, stdout, stderr } = await runTool('nft', ['-j', 'list', 'table', ...this.#table.split(' ')]);
    if (code !== 0) {
      if (/No such file/.test(stderr)) return [];
      throw new Error(`nft can't list the table ${this.#table}: ${stderr.trim()}`);
    }
    return elementsOf(stdout);
  }

  async #apply(commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    const { code, stderr } = await runTool('nft', ['-f', '-'], `${commands.join('\n')}\n`);
    const reason = stderr.trim().split('\n').slice(0, 3).join(' ');
    if (code !== 0) throw new Error(`nft refused a change to the table ${this.#table}: ${reason}`);
  }
}

/** One element of a set or map of the table. */
export interface TableElement {
  set: 'guests' | 'open' | 'moved';
  key: string;
  /** The instance it is about. */
  owner: string;
  /** Where the map leads, for `moved`. */
  value: string;
}

/** Reads the sets and the map of a table out of `nft -j list table`. */
export function elementsOf(json: string): TableElement[] {
  const { nftables } = JSON.parse(json) as { nftables: Record<string, NftSet | undefined>[] };
  return nftables.flatMap((object) => {
    const set = object.set ?? object.map;
    if (set?.elem === undefined) return [];
    return set.elem.map((entry) => {
      const [element, value] = Array.isArray(entry) ? entry : [entry, undefined];
      const bare = typeof element === 'object' && 'elem' in element ? element.elem : { val: element };
      return {
        set: set.name,
        key: concatenated(bare.val),
        owner: bare.comment ?? '',
        value: value === undefined ? '' : concatenated(value),
      };
    });
  });
}

type NftValue = number | string | { concat: (number | string)[] };
type NftElement = NftValue | { elem: { val: NftValue; comment?: string } };
interface NftSet {
  name: TableElement['set'];
  elem?: (NftElement | [NftElement, NftValue])[];
}

function concatenated(value: NftValue): string {
  return typeof value === 'object' ? value.concat.join(' . ') : String(value);
}
