// Bridges, taps, addresses and routes of this host, made what a plan says with `ip`. What is there is read from the kernel each
// time, so it is right after any restart, and whatever somebody else has changed is changed back.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { requireTool } from '../disk/tool.ts';
import type { InterfaceNames, NetworkPlan } from './bridge-plan.ts';
import { isIpv6 } from './guest.ts';

/** Marks the routes that are ours, beside those of the kernel, the operator and routing daemons. */
const routeProtocol = 98;

interface Link {
  ifname: string;
  master?: string;
}

interface LinkAddresses {
  ifname: string;
  addr_info: { local: string; prefixlen: number; scope: string }[];
}

interface Route {
  dst: string;
  dev: string;
  gateway?: string;
}

/** The interfaces that lead out of this host: those of its default routes. */
export async function readUplinks(): Promise<string[]> {
  const families = ['-4', '-6'].map((family) => readAll<Route>('route', 'show', 'default', family));
  return [...new Set((await Promise.all(families)).flat().map(({ dev }) => dev))].sort();
}

/**
 * Makes the host's links what the plan says.
 * @throws Error with what `ip` said
 */
export async function settleLinks(names: InterfaceNames, plan: NetworkPlan): Promise<void> {
  const isBridge = startsAs(names.bridges);
  const isOurs = (name: string) => isBridge(name) || startsAs(names.taps)(name);
  const links = (await readAll<Link>('link')).filter(({ ifname }) => isOurs(ifname));
  const present = new Map(links.map((link) => [link.ifname, link]));
  const wanted = new Set([...plan.bridges, ...plan.taps].map(({ name }) => name));
  const commands = [
    ...[...present.keys()].filter((name) => !wanted.has(name)).map((name) => `link del dev ${name}`),
    ...plan.bridges
      .filter(({ name }) => !present.has(name))
      .map(({ name, mac }) => `link add name ${name} address ${mac} type bridge stp_state 0 mcast_snooping 0`),
    ...plan.taps
      .filter(({ name }) => !present.has(name))
      .map(({ name, userId }) => `tuntap add dev ${name} mode tap user ${userId}`),
  ];
  await runBatch(commands);
  await setSwitches(
    plan,
    plan.bridges.some(({ gateways }) => gateways.some(isIpv6)),
    isOurs,
  );
  await runBatch([
    ...plan.bridges.map(({ name }) => `link set dev ${name} up`),
    ...plan.taps
      .filter(({ name, bridge }) => present.get(name)?.master !== bridge)
      .map(({ name, bridge }) => `link set dev ${name} master ${bridge}`),
    ...plan.taps.map(({ name }) => `link set dev ${name} up`),
  ]);
  await runBatch([...(await addressChanges(plan, isBridge)), ...(await routeChanges(plan, isBridge))]);
}

async function addressChanges({ bridges }: NetworkPlan, isBridge: (name: string) => boolean): Promise<string[]> {
  const present = (await readAll<LinkAddresses>('address')).filter(({ ifname }) => isBridge(ifname));
  const has = new Map(
    present.map(({ ifname, addr_info: list }) => [
      ifname,
      // What the kernel makes for itself on the link is let be.
      list.filter(({ scope }) => scope !== 'link').map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ]),
  );
  return bridges.flatMap(({ name, gateways }) => [
    ...(has.get(name) ?? []).filter((one) => !gateways.includes(one)).map((one) => `addr del ${one} dev ${name}`),
    ...gateways
      .filter((one) => !has.get(name)?.includes(one))
      .map((one) => `addr add ${one} dev ${name}${isIpv6(one) ? ' nodad noprefixroute' : ''}`),
  ]);
}

async function routeChanges({ routes }: NetworkPlan, isBridge: (name: string) => boolean): Promise<string[]> {
  const families = ['-4', '-6'].map((family) => readAll<Route>('route', 'show', 'proto', `${routeProtocol}`, family));
  const present = (await Promise.all(families)).flat().filter(({ dev }) => isBridge(dev));
  const isWanted = ({ dst, dev, gateway }: Route) =>
    routes.some(({ to, bridge, via }) => to === dst && bridge === dev && (gateway ?? null) === via);
  const isPresent = ({ to, bridge, via }: NetworkPlan['routes'][number]) =>
    present.some(({ dst, dev, gateway }) => to === dst && bridge === dev && (gateway ?? null) === via);
  const whole = (ip: string) => `${ip}/${isIpv6(ip) ? 128 : 32}`;
  return [
    ...present.filter((route) => !isWanted(route)).map(({ dst, dev }) => `route del ${whole(dst)} dev ${dev}`),
    ...routes
      .filter((route) => !isPresent(route))
      .map(({ to, bridge, via }) => {
        const by = via === null ? '' : ` via ${via}`;
        return `route replace ${whole(to)}${by} dev ${bridge} proto ${routeProtocol}${via === null ? '' : ' onlink'}`;
      }),
  ];
}

const startsAs = (pattern: string) => (name: string) => name.startsWith(pattern.slice(0, -1));

/** What `ip` knows of a kind of things. */
async function readAll<Row>(kind: string, ...words: string[]): Promise<Row[]> {
  const family = words.at(-1)?.startsWith('-') ? [words.at(-1) ?? ''] : [];
  const rest = words.slice(0, words.length - family.length);
  const text = await requireTool('ip', ['-j', ...family, kind, ...(rest.length > 0 ? rest : ['show'])]);
  return text.trim() === '' ? [] : (JSON.parse(text) as Row[]);
}

async function runBatch(commands: readonly string[]): Promise<void> {
  if (commands.length > 0) await requireTool('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
}

/** The kernel's switches: this host routes, and takes no advice from its guests. */
async function setSwitches(plan: NetworkPlan, routesIpv6: boolean, isOurs: (name: string) => boolean): Promise<void> {
  await setSwitch('ipv4/ip_forward', '1');
  for (const { name } of plan.bridges) {
    await setSwitch(`ipv4/conf/${name}/send_redirects`, '0');
    await setSwitch(`ipv6/conf/${name}/accept_ra`, '0');
  }
  // The host's end of a guest's cable has no address of its own.
  for (const { name } of plan.taps) await setSwitch(`ipv6/conf/${name}/disable_ipv6`, '1');
  if (!routesIpv6) return;
  // A router takes no advice of routers, unless told to: so the host's own way out would be lost.
  for (const name of await readdir('/proc/sys/net/ipv6/conf')) {
    if (isOurs(name) || ['all', 'default', 'lo'].includes(name)) continue;
    if ((await readSwitch(`ipv6/conf/${name}/accept_ra`)) === '1') await setSwitch(`ipv6/conf/${name}/accept_ra`, '2');
  }
  await setSwitch('ipv6/conf/all/forwarding', '1');
}

const readSwitch = async (name: string) => (await readFile(`/proc/sys/net/${name}`, 'utf8')).trim();

async function setSwitch(name: string, value: string): Promise<void> {
  if ((await readSwitch(name)) !== value) await writeFile(`/proc/sys/net/${name}`, value);
}
