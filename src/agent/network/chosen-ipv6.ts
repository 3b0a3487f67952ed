// How a guest gets an IPv6 address that is not the one it makes for itself: by a command of each boot, because nothing else is
// understood by every image. Its IPv4 address comes by DHCP.

import { macAddressOf } from '../../model/mac-address.ts';
import type { VmSpec } from '../vm/driver.ts';
import { ownMaking } from './bridge-plan.ts';
import { isIpv6 } from './guest.ts';

/** The commands for a VM's boots; none where its address comes by itself. */
export function chosenIpv6Commands({ instanceId, network }: Pick<VmSpec, 'instanceId' | 'network'>): string[][] {
  const addresses = network?.addresses ?? [];
  const main = addresses.find(({ ip, isAdditional }) => !isAdditional && isIpv6(ip));
  if (!main || main.ip === ownMaking({ instanceId, addresses })) return [];
  const mac = macAddressOf(instanceId);
  const script =
    `for card in /sys/class/net/*; do [ "$(cat "$card/address")" = ${mac} ] && ` +
    `ip -6 addr replace ${main.ip}/${main.range?.prefix ?? 128} dev "\${card##*/}"; done`;
  return [['sh', '-c', script]];
}
