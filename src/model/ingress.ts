// How a container's HTTPS ports are called: each has a name of its own below its host's domain.

import { BerthError, shown } from './errors.ts';

/** Where a host's HTTPS ports are reached. */
export interface IngressPlace {
  domain: string;
  port: number;
}

/** Digits of the instance's id in its names: enough that no two on one host ever share a name. */
const idDigits = 16;
const defaultPort = 443;
const domainLengthMax = 200;

/** The name of one HTTPS port, such as `443-0123456789abcdef.apps.example.com`. */
export function ingressName(instanceId: string, port: number, domain: string): string {
  return `${port}-${instanceId.slice(2, 2 + idDigits)}.${domain}`;
}

/** The address of one HTTPS port for a browser. */
export function ingressUrl(instanceId: string, port: number, place: IngressPlace): string {
  const suffix = place.port === defaultPort ? '' : `:${place.port}`;
  return `https://${ingressName(instanceId, port, place.domain)}${suffix}/`;
}

/**
 * Checks a domain below which names are made.
 * @throws BerthError `invalid_value`
 */
export function checkIngressDomain(text: string, field: string): string {
  const domain = text.toLowerCase().replace(/\.$/, '');
  const isDomain = domain.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (isDomain && domain.length <= domainLengthMax) return domain;
  const rule = 'it must be a domain such as apps.example.com, of which every name leads to the host';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}
