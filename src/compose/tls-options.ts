// The options that say how HTTPS is served, and what a person is told of it.

import { Option } from 'commander';
import { parseListenAddress } from './listen.ts';
import type { RunningTls, TlsOptions } from './tls.ts';

/** Where HTTPS is served on one's own machine. */
export const defaultTlsListen = '127.0.0.1:8443';

/** @param unless what holds where it is not given */
export const tlsListen = (unless: string) =>
  new Option('--tls-listen <HOST:PORT>', `where the API listens for HTTPS, or "none" (default: ${unless})`);

export const tlsCert = () =>
  new Option(
    '--tls-cert <FILE>',
    'certificate for HTTPS and its chain, in PEM (default: one by an authority of its own, tls/ca.crt in --data)',
  );

export const tlsKey = () => new Option('--tls-key <FILE>', 'the key of this certificate, in PEM');

/**
 * How HTTPS is served; undefined for not at all.
 * @param listen where, unless the options say
 * @throws Error when an option is missing that another one needs
 */
export function tlsOf(
  options: { tlsListen?: string; tlsCert?: string; tlsKey?: string },
  listen?: string,
): Omit<TlsOptions, 'directory'> | undefined {
  const { tlsListen: given, tlsCert: certificate, tlsKey: key } = options;
  if ((certificate === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key go together.');
  const at = given ?? listen;
  if (at === undefined || at === 'none') {
    if (certificate !== undefined) throw new Error('--tls-cert needs a --tls-listen.');
    return undefined;
  }
  const files = certificate !== undefined && key !== undefined ? { certificate, key } : undefined;
  return { listen: parseListenAddress(at), anyPort: given === undefined, files };
}

/** What a person has to know of HTTPS, on a line. */
export function toldOfTls(tls: Pick<RunningTls, 'url' | 'authorityFile'> | null): string {
  if (!tls) return '';
  return `HTTPS is at ${tls.url}${tls.authorityFile ? `; clients have to trust ${tls.authorityFile}` : ''}\n`;
}
