// The addresses of the machine that others could reach, from the kernel's own tables: neither loopback nor link-local.

import { join } from 'node:path';
import { readText } from './files.ts';

/** As the agents' API bounds it. */
const addressesMax = 256;

/** Addresses of this machine, or of this network namespace, in both families. @param root where `/` is, for tests */
export async function readAddresses(root = '/'): Promise<string[]> {
  const [ipv4, ipv6] = await Promise.all(
    ['proc/net/fib_trie', 'proc/net/if_inet6'].map((path) => readText(join(root, path))),
  );
  return [...new Set([...parseFibTrie(ipv4 ?? ''), ...parseIfInet6(ipv6 ?? '')])].slice(0, addressesMax);
}

/** The local IPv4 addresses in /proc/net/fib_trie: each a leaf, followed by a line that says so. */
export function parseFibTrie(text: string): string[] {
  return [...text.matchAll(/\|-- (\d{1,3}(?:\.\d{1,3}){3})\n\s*\/32 host LOCAL/g)]
    .map(([, address = '']) => address)
    .filter((address) => !/^(127|0|169\.254)\./.test(address));
}

/** The IPv6 addresses of global scope in /proc/net/if_inet6, which writes them as 32 digits. */
export function parseIfInet6(text: string): string[] {
  return [...text.matchAll(/^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ 00 [0-9a-f]+ /gm)].map(([, digits = '']) =>
    // The parser of URLs knows the short form.
    new URL(`http://[${digits.match(/.{4}/g)?.join(':')}]`).hostname.slice(1, -1),
  );
}
