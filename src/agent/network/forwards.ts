// The open ports of a running VM: QEMU itself listens on the VM's addresses and passes connections on. What is open is read
// from QEMU and never remembered, so it is right after any restart; ports can be changed while the guest runs, and are
// opened in the same way at its start.

import type { PortRule } from '../../model/port-rule.ts';
import { networkName } from '../vm/command-line.ts';
import { type PortHolder, portHolder } from './listeners.ts';

/** One port that QEMU listens on. `hostPort` differs from `guestPort` where another program holds the port already. */
export interface Forward {
  protocol: 'tcp' | 'udp';
  hostAddress: string;
  hostPort: number;
  guestPort: number;
}

/** A port that could not be opened, and what stands in its way. */
export interface Obstacle {
  address: string;
  rule: PortRule;
  /** `taken`: a program holds that very address and port. `wildcard`: one holds it on all addresses. */
  kind: 'taken' | 'wildcard' | 'not-permitted' | 'no-address';
}

/** QEMU's monitor for humans, which alone knows of forwards: takes a line, gives the text printed. */
export type Monitor = (line: string) => Promise<string>;

/** The guest's address in QEMU's user network; its own DHCP server gives it. */
const guestAddress = '10.0.2.15';

/** Stand-in ports lie below the range that Linux gives to outgoing connections (from 32768 on). */
const standInFirst = 20_000;
const standInCount = 12_000;
/** A customer has at most 50 ports open, so a free one comes soon. */
const standInAttempts = 64;

/** Reads the answer to `info usernet`. */
export function parseForwards(text: string): Forward[] {
  const line = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/gm;
  return [...text.matchAll(line)].map(([, protocol, hostAddress = '', hostPort, guestPort]) => ({
    protocol: protocol === 'TCP' ? 'tcp' : 'udp',
    hostAddress,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  }));
}

/** What has to be closed, and which rules have yet to be opened where, to get from what is to what should be. */
export function planForwards(
  actual: readonly Forward[],
  addresses: readonly string[],
  rules: readonly PortRule[],
): { close: Forward[]; open: Pick<Obstacle, 'address' | 'rule'>[] } {
  const keyOf = (address: string, { protocol, port }: PortRule) => `${address} ${protocol} ${port}`;
  const all = addresses.flatMap((address) => rules.map((rule) => ({ address, rule })));
  const wanted = new Set(all.map(({ address, rule }) => keyOf(address, rule)));
  const kept = new Set<string>();
  const close: Forward[] = [];
  for (const forward of actual) {
    const { hostAddress, protocol, guestPort, hostPort } = forward;
    const key = keyOf(hostAddress, { protocol, port: guestPort });
    const standsInTheWay = hostPort !== guestPort && wanted.has(keyOf(hostAddress, { protocol, port: hostPort }));
    if (!wanted.has(key) || kept.has(key) || standsInTheWay) close.push(forward);
    else kept.add(key);
  }
  return { close, open: all.filter(({ address, rule }) => !kept.has(keyOf(address, rule))) };
}

/**
 * Makes QEMU listen on exactly the ports of `rules` of each address, and says what is open now. Connections that exist go on, as with any
 * packet filter that lets established ones through.
 * @param options.standIns whether a port that another program holds on all addresses may be replaced by a free one
 */
export async function reconcileForwards(
  monitor: Monitor,
  addresses: readonly string[],
  rules: readonly PortRule[],
  options: { standIns: boolean; holder?: typeof portHolder },
): Promise<{ forwards: Forward[]; obstacles: Obstacle[] }> {
  const plan = planForwards(parseForwards(await monitor('info usernet')), addresses, rules);
  for (const { protocol, hostAddress, hostPort } of plan.close) {
    await monitor(`hostfwd_remove ${networkName} ${protocol}:${hostAddress}:${hostPort}`);
  }
  const obstacles: Obstacle[] = [];
  for (const { address, rule } of plan.open) {
    if (await listen(monitor, rule, address, rule.port)) continue;
    const holder = await (options.holder ?? portHolder)(rule.protocol, address, rule.port);
    const standsIn = holder !== 'address' && options.standIns && (await listenNearby(monitor, rule, address, rules));
    if (!standsIn) obstacles.push({ address, rule, kind: obstacleKind(holder, options.standIns) });
  }
  return { forwards: parseForwards(await monitor('info usernet')), obstacles };
}

/** One obstacle as a sentence for the customer. */
export function describeObstacle({ address, rule, kind }: Obstacle): string {
  const port = `Port ${rule.port}/${rule.protocol} of ${address}`;
  switch (kind) {
    case 'taken':
      return `${port} is held by another program or VM on the host.`;
    case 'wildcard':
      return `${port} can't be opened: a program on the host listens on this port of all addresses.`;
    case 'not-permitted':
      return `${port} can't be opened: the host lets Berth bind no such port on this address.`;
    case 'no-address':
      return `${address} is not an address of this host, so no port of it can be opened.`;
  }
}

function obstacleKind(holder: PortHolder, standInsTried: boolean): Obstacle['kind'] {
  if (holder === 'address') return 'taken';
  // When no port at all can be bound, the address is the reason.
  if (standInsTried) return 'no-address';
  return holder === 'all' ? 'wildcard' : 'not-permitted';
}

async function listenNearby(
  monitor: Monitor,
  rule: PortRule,
  address: string,
  rules: readonly PortRule[],
): Promise<boolean> {
  for (let attempt = 0; attempt < standInAttempts; attempt += 1) {
    const port = standInFirst + ((rule.port + attempt) % standInCount);
    if (rules.some((other) => other.protocol === rule.protocol && other.port === port)) continue;
    if (await listen(monitor, rule, address, port)) return true;
  }
  return false;
}

/** QEMU says nothing when it has begun to listen, and one line otherwise. */
async function listen(monitor: Monitor, rule: PortRule, address: string, hostPort: number): Promise<boolean> {
  const forward = `${rule.protocol}:${address}:${hostPort}-${guestAddress}:${rule.port}`;
  return (await monitor(`hostfwd_add ${networkName} ${forward}`)).trim() === '';
}
