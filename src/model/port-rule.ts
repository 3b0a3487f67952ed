// A port rule says what is open from outside on an instance's address.

import { BerthError, shown } from './errors.ts';

/** One open port. */
export interface PortRule {
  port: number;
  protocol: 'tcp' | 'udp';
}

/** SSH is open on every new VM unless the customer later closes it (Fluence API: deploy VM). */
export const sshPortRule: PortRule = { port: 22, protocol: 'tcp' };

/** 10250 is reserved for service purposes (Fluence API: deploy VM). */
const reservedPort = 10250;

/** The Fluence console allows 50 ports a VM. */
export const portRulesMax = 50;

/**
 * Checks a list of port rules as a customer sent them.
 * @param rules each with any number and any text, as they came
 * @param field how the customer calls the list, for messages
 * @throws BerthError `invalid_value` for a port out of range or reserved, an unknown protocol, a duplicate, or too many
 */
export function checkPortRules(rules: readonly { port: number; protocol: string }[], field: string): PortRule[] {
  if (rules.length > portRulesMax) {
    throw new BerthError(
      'invalid_value',
      `${field} has ${rules.length} entries; at most ${portRulesMax} ports can be open.`,
      field,
    );
  }
  const seen = new Set<string>();
  return rules.map(({ port, protocol }, index) => {
    const at = `${field}[${index}]`;
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new BerthError(
        'invalid_value',
        `${at}.port is ${shown(port)}; a port is a whole number from 1 to 65535.`,
        at,
      );
    }
    if (port === reservedPort) {
      throw new BerthError(
        'invalid_value',
        `${at}.port is ${port}, which is reserved for service purposes; choose another port.`,
        at,
      );
    }
    if (protocol !== 'tcp' && protocol !== 'udp') {
      throw new BerthError('invalid_value', `${at}.protocol is ${shown(protocol)}; it must be "tcp" or "udp".`, at);
    }
    const key = `${port}/${protocol}`;
    if (seen.has(key))
      throw new BerthError('invalid_value', `${at} opens ${key} a second time; list each port once.`, at);
    seen.add(key);
    return { port, protocol };
  });
}
