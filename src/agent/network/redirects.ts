// Leads a TCP port of an address to another port of it, for where another program of the host already listens on that port of
// every address: the host's own sshd on 22, say. An instance's address is its own, and so are its ports.

import { runTool } from '../disk/tool.ts';

/** A port of an address. */
export interface TcpPlace {
  address: string;
  port: number;
}

/** The nftables table of all redirects of this machine, whichever agent has made them: no two have an address in common. */
export class Redirects {
  readonly #table = 'inet berth_redirects';
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Leads what comes for a place to another port of its address from now on.
   * @param port null leads it nowhere any more; done on nothing, that is done
   * @throws Error when the packet filter can't be used here
   */
  set(place: TcpPlace, port: number | null): Promise<void> {
    return this.#inTurn(() => this.#set(place, port));
  }

  /** Removes the table, if nothing is led anywhere any more. */
  dismiss(): Promise<void> {
    return this.#inTurn(async () => {
      const { code, stdout } = await runTool('nft', ['list', 'table', ...this.#table.split(' ')]);
      if (code === 0 && !/elements = /.test(stdout))
        await runTool('nft', ['delete', 'table', ...this.#table.split(' ')]);
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #set({ address, port: from }: TcpPlace, to: number | null): Promise<void> {
    const table = this.#table;
    const key = `${address} . ${from}`;
    // What an agent before this one has left leads to a port that nobody has any more.
    await runTool('nft', ['delete', 'element', ...table.split(' '), 'moved', `{ ${key} }`]);
    if (to === null) return;
    const chains = { local: 'output', remote: 'prerouting' };
    const commands = [
      `add table ${table}`,
      `add map ${table} moved { type ipv4_addr . inet_service : ipv4_addr . inet_service; }`,
      ...Object.entries(chains).flatMap(([name, hook]) => [
        `add chain ${table} ${name} { type nat hook ${hook} priority -110; policy accept; }`,
        `flush chain ${table} ${name}`,
        `add rule ${table} ${name} meta l4proto tcp dnat ip to ip daddr . tcp dport map @moved`,
      ]),
      `add element ${table} moved { ${key} : ${address} . ${to} }`,
    ];
    const { code, stderr } = await runTool('nft', ['-f', '-'], `${commands.join('\n')}\n`);
    if (code === 0) return;
    throw new Error(`nft refused a redirect of ${address}:${from}: ${stderr.trim().split('\n').slice(0, 3).join(' ')}`);
  }
}
