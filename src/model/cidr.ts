// IPv4 ranges as an operator writes them for address pools. Arithmetic on unsigned 32-bit numbers, nothing else.

/** An IPv4 range: its first address as a number, and how many addresses it holds. */
export interface Ipv4Range {
  first: number;
  count: number;
  prefix: number;
}

/** An IPv4 address as an unsigned number, or null when the text is none. */
export function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

/** An unsigned number as a dotted IPv4 address. */
export function formatIpv4(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/**
 * Reads a range such as `127.44.0.0/16`.
 * @returns null when it is malformed or has bits set beyond its prefix
 */
export function parseCidr(text: string): Ipv4Range | null {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  const first = parseIpv4(address);
  if (rest.length > 0 || first === null || !/^\d{1,2}$/.test(prefixText) || Number(prefixText) > 32) return null;
  const prefix = Number(prefixText);
  const count = 2 ** (32 - prefix);
  return first % count === 0 ? { first, count, prefix } : null;
}
