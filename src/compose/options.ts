// The options of the commands that run servers and agents, and what they mean. Those of HTTPS stand in tls-options.ts.

import { InvalidArgumentError, Option } from 'commander';
import { networkModes } from '../model/network.ts';
import { parseAllowedHost } from '../model/public-address.ts';
import { type PoolOption, parsePool } from '../model/storage-pool.ts';
import type { NetworkOption } from './agent.ts';

const collect = (value: string, before: string[]): string[] => {
  try {
    return [...before, ...parseAllowedHost(value)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

/** The addresses of servers out of a list with commas. @throws InvalidArgumentError naming one that is none */
export const serverUrls = (value: string): string[] =>
  value.split(',').map((text) => {
    const url = URL.parse(text.trim());
    if (url && ['http:', 'https:'].includes(url.protocol)) return text.trim();
    throw new InvalidArgumentError(`"${text}" is not a server's address, such as https://berth.example.com.`);
  });

export const allowImageHost = () =>
  new Option(
    '--allow-image-host <HOST[:PORT]>',
    'image server that may have a private address, on 80 and 443 without a port; may be given more than once',
  )
    .argParser(collect)
    .default([] as string[], 'none');

export const reachedAt = () =>
  new Option(
    '--reached-at <URL>',
    'where hosts and other servers reach this one, such as http://10.0.0.5:8080 (default: where it listens)',
  ).argParser((value: string) => {
    const [url = '', ...others] = serverUrls(value);
    if (others.length > 0) throw new InvalidArgumentError('one server is reached at one URL');
    return url.replace(/\/+$/, '');
  });

export const engineSocket = () =>
  new Option(
    '--engine-socket <PATH>',
    'where the Docker Engine listens that runs containers (default: its usual place)',
  );
export const ingressDomain = () =>
  new Option(
    '--ingress-domain <DOMAIN>',
    "containers' HTTPS ports get names below it, all of which must lead to this host (default: localhost)",
  );
export const ingressAddress = () =>
  new Option(
    '--ingress-address <ADDRESS>',
    "where these names lead, an address that no container has (default with a domain: all of this machine's)",
  );
export const ingressEmail = () =>
  new Option('--ingress-email <ADDRESS>', 'whom the authority that signs for these names may write to');

/** What an agent is told of containers. */
export const containersOf = (options: ContainerOptions) => ({
  ...(options.engineSocket ? { engineSocket: options.engineSocket } : {}),
  ...(options.ingressDomain
    ? {
        ingress: {
          domain: options.ingressDomain,
          address: options.ingressAddress ?? '',
          email: options.ingressEmail ?? null,
        },
      }
    : {}),
});
interface ContainerOptions {
  engineSocket?: string;
  ingressDomain?: string;
  ingressAddress?: string;
  ingressEmail?: string;
}

export const network = () =>
  new Option('--network <MODE>', "how VMs are connected: each by itself (user), or in their groups' networks (bridge)")
    .choices(networkModes)
    .default('user');

export const networkNat = () =>
  new Option(
    '--no-network-nat',
    "with --network bridge, VMs with addresses that are not public don't go out under this host's",
  );
/** How VMs are connected, as the options say. @param pool that addresses come from, where it is known here */
export function networkOf(options: { network: string; networkNat: boolean }, pool?: string): NetworkOption {
  const mode = networkModes.find((one) => one === options.network) ?? 'user';
  if (mode === 'bridge' && pool?.startsWith('127.')) {
    const example = '--address-pool 10.77.0.0/16';
    throw new Error(
      `--network bridge can't use ${pool}, which never leaves this machine; give a pool, such as ${example}`,
    );
  }
  return { mode, translates: options.networkNat };
}

export const storagePool = () =>
  new Option(
    '--storage-pool <LABEL=DIR:GRADE,GRADE>',
    'a directory for disks of these grades (sata, ssd, archive) only; may be given more than once',
  )
    .argParser((value: string, before: PoolOption[]) => {
      try {
        return [...before, parsePool(value)];
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message);
      }
    })
    .default([] as PoolOption[], 'none');

export const allowCallbackHost = () =>
  new Option(
    '--allow-callback-host <HOST[:PORT]>',
    "webhooks' receiver that may have a private address, on 80 and 443 without a port; may be given more than once",
  )
    .argParser(collect)
    .default([] as string[], 'none');
