// From guests to what the host's network has to be for them: a bridge for each network, a tap for each guest, the gateways'
// addresses, and a route to each guest's. Pure, so that every piece can be read and tested without a host.

import { createHash } from 'node:crypto';
import { addressFromHardware, formatIp, type IpRange, parseIp } from '../../model/ip-range.ts';
import { macAddressOf } from '../../model/mac-address.ts';
import { type Guest, isIpv6, macOf } from './guest.ts';

/** An address of no subnet has its gateway here, on the link itself, as nothing else is. */
export const linkGateway = '169.254.1.1';

/** Names of network interfaces have 15 characters. */
const tapDigits = 9;

/** How one agent's interfaces are called; those of another agent on the machine are called otherwise. */
export interface InterfaceNames {
  /** All bridges, and all taps, as the packet filter matches them. */
  bridges: string;
  taps: string;
  bridgeOf(vlan: number): string;
  tapOf(instanceId: string): string;
}

/** @param mark of the agent: hexadecimal digits, of which four are used */
export function interfaceNames(mark: string): InterfaceNames {
  const own = mark.slice(0, 4);
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  return {
    bridges: `bv${own}-*`,
    taps: `tv${own}*`,
    bridgeOf: (vlan) => `bv${own}-${vlan}`,
    tapOf: (instanceId) => `tv${own}${digest(instanceId).slice(0, tapDigits)}`,
  };
}

/** A network's bridge, with the addresses of its gateways, such as `10.5.0.1/32`. */
export interface BridgePlan {
  name: string;
  mac: string;
  gateways: string[];
}

/** The host's network as it has to be. */
export interface NetworkPlan {
  bridges: BridgePlan[];
  taps: { name: string; bridge: string; userId: number }[];
  /** Routes to guests: on the bridge itself, or by way of a guest's main address. */
  routes: { to: string; bridge: string; via: string | null }[];
}

/** What the host's network has to be for these guests. */
export function planNetworks(names: InterfaceNames, guests: readonly Guest[]): NetworkPlan {
  const byVlan = Map.groupBy(guests, ({ vlan }) => vlan);
  return {
    bridges: [...byVlan].map(([vlan, own]) => ({
      name: names.bridgeOf(vlan),
      mac: bridgeMac(vlan),
      gateways: [...new Set(own.flatMap(gatewaysOf))].sort(),
    })),
    taps: guests.map(({ instanceId, vlan, userId }) => ({
      name: names.tapOf(instanceId),
      bridge: names.bridgeOf(vlan),
      userId,
    })),
    routes: guests.flatMap((guest) => routesTo(guest, names.bridgeOf(guest.vlan))),
  };
}

/** A gateway has the same hardware address on every host, so a guest finds it wherever it is. */
function bridgeMac(vlan: number): string {
  const digits = vlan.toString(16).padStart(6, '0');
  return `02:be:72:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`;
}

/** IPv6 has the whole prefix on the bridge, because routers tell guests of those that they are in themselves. */
function gatewaysOf({ addresses }: Guest): string[] {
  return addresses
    .filter(({ isAdditional }) => !isAdditional)
    .map(({ ip, range }) => {
      if (isIpv6(ip)) return `${range?.gateway}/${range?.prefix}`;
      return `${range?.gateway ?? linkGateway}/32`;
    });
}

function routesTo(guest: Guest, bridge: string): NetworkPlan['routes'] {
  const primary = mainOf(guest, 4);
  return [
    ...sourcesOf(guest)
      .filter((ip) => !additionalOf(guest).includes(ip))
      .map((to) => ({ to, bridge, via: null })),
    ...additionalOf(guest).map((to) => ({ to, bridge, via: primary })),
  ];
}

/** A guest's main address of a family; null where it has none. */
export function mainOf({ addresses }: Guest, family: 4 | 6): string | null {
  return addresses.find(({ ip, isAdditional }) => !isAdditional && isIpv6(ip) === (family === 6))?.ip ?? null;
}

const additionalOf = ({ addresses }: Guest) => addresses.filter(({ isAdditional }) => isAdditional).map(({ ip }) => ip);

/**
 * The addresses that a guest may send from and be reached at: those that it holds, and the one that it makes of its hardware
 * address in its IPv6 range, whether it was given that or another.
 */
export function sourcesOf(guest: Guest): string[] {
  const held = guest.addresses.map(({ ip }) => ip);
  const own = ownMaking(guest);
  return [...new Set(own === null ? held : [...held, own])];
}

/** The address that a guest makes for itself in its IPv6 range. */
export function ownMaking({ instanceId, addresses }: Pick<Guest, 'instanceId' | 'addresses'>): string | null {
  const main = addresses.find(({ ip, isAdditional }) => !isAdditional && isIpv6(ip));
  const range = main?.range && rangeAt(main.range.gateway);
  return range ? addressFromHardware(range, macAddressOf(instanceId)) : null;
}

/** The address that a guest has on the link itself, made of its hardware address as well. */
export const linkLocalOf = (guest: Guest): string => addressFromHardware({ first: 0xfe80n << 112n }, macOf(guest));

/** The subnet of a gateway, which is the first address in it. */
function rangeAt(gateway: string): Pick<IpRange, 'first'> | null {
  const ip = parseIp(gateway);
  return ip && { first: ip.value - 1n };
}

/** The subnet of a gateway as it is written, without its length. */
export function subnetOf(gateway: string): string {
  const ip = parseIp(gateway);
  return ip ? formatIp(ip.family, ip.value - 1n) : gateway;
}
