// Under which terms a privilege holds: what its bearer must have shown, and where he must be.

import { BlockList, isIP } from 'node:net';
import { type Factor, hasSecondFactor } from './session.ts';

/** The terms of one privilege. */
export interface PrivilegeTerms {
  passwordRequired: boolean;
  secondFactorRequired: boolean;
  /** How old a second factor may be; null for any age. */
  secondFactorAgeSecondsMax: number | null;
  /** Addresses and ranges; null for everywhere. */
  fromAddresses: readonly string[] | null;
}

/** What a session has shown, and where its request comes from. */
export interface Shown {
  factors: readonly Factor[];
  authenticatedAt: Date;
  from: string;
}

/** More is a mistake, or belongs into a firewall. */
const addressesMax = 50;

/** Whether a privilege holds for a session. Who acts as another has shown what he himself logged in with. */
export function holdsFor(terms: PrivilegeTerms, { factors, authenticatedAt, from }: Shown, now: Date): boolean {
  const ageMax = terms.secondFactorAgeSecondsMax;
  const isFresh = ageMax === null || now.getTime() - authenticatedAt.getTime() <= ageMax * 1000;
  if (terms.passwordRequired && !factors.includes('password')) return false;
  if (terms.secondFactorRequired && !(hasSecondFactor(factors) && isFresh)) return false;
  return holdsFrom(terms, from);
}

/** Whether a privilege holds for who comes from an address. */
export function holdsFrom({ fromAddresses }: PrivilegeTerms, from: string): boolean {
  if (fromAddresses === null) return true;
  // An IPv4 client of a socket for both families.
  const address = from.replace(/^::ffff:(?=\d+\.)/, '');
  const family = isIP(address);
  if (family === 0) return false;
  const list = new BlockList();
  for (const range of fromAddresses) addTo(list, range);
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Reads addresses and ranges, separated by commas or white space.
 * @returns null when one of them is neither, or there are too many
 */
export function parseAddresses(text: string): string[] | null {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  return parts.length <= addressesMax && parts.every(isRange) ? parts : null;
}

function isRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32));
}

function addTo(list: BlockList, range: string): void {
  const [address = '', prefix] = range.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}
