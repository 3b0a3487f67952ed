// What an instance may be called. The rule for names is the Fluence API's ("only alphanumeric characters and hyphens"); the
// bounds are those of a DNS label, because a name without a host name becomes the host name.

import { BerthError, shown } from './errors.ts';

/** A DNS label holds 63 characters (RFC 1035), and a name may become one. */
export const nameLengthMax = 63;

/** Linux holds host names of up to 64 bytes; a full domain name may be given, so its labels are checked one by one. */
const hostnameLengthMax = 64;

const labelPattern = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/;

/**
 * Checks an instance's name.
 * @throws BerthError `invalid_value`
 */
export function checkName(name: string, field: string): string {
  if (name.length === 0 || name.length > nameLengthMax) {
    throw new BerthError(
      'invalid_value',
      `${field} is ${shown(name)}; a name has 1 to ${nameLengthMax} characters.`,
      field,
    );
  }
  if (!labelPattern.test(name)) {
    const rule = 'a name holds only letters, digits and hyphens, and begins and ends with a letter or digit';
    throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
  }
  return name;
}

/**
 * Checks a host name: one DNS label, or several joined by dots.
 * @throws BerthError `invalid_value`
 */
export function checkHostname(hostname: string, field: string): string {
  const labelsFit = hostname.split('.').every((label) => label.length <= nameLengthMax && labelPattern.test(label));
  if (hostname.length === 0 || hostname.length > hostnameLengthMax || !labelsFit) {
    const rule = `a host name has 1 to ${hostnameLengthMax} characters: letters, digits, hyphens and dots between labels`;
    throw new BerthError('invalid_value', `${field} is ${shown(hostname)}; ${rule}.`, field);
  }
  return hostname;
}
