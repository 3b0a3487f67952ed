// What is chosen for a container, as the page has it and as the API takes it.

import type { NewEstimate } from '../../../../sdk/generated/types.ts';
import { newName, portsOf } from './vm-body.ts';

/** What is chosen. */
export interface ContainerValues {
  account: string;
  slot: string;
  slotPrice: string;
  image: string;
  name: string;
  group: string;
  sshKeys: string[];
  /** As `5432, 8443/https`. */
  ports: string;
  /** A line of `NAME=value` each. */
  environment: string;
  startupScript: string;
  server: string;
  login: string;
  password: string;
}

/** What the page begins with, out of its address. */
export function containerValuesOf(search: Record<string, unknown>, account: string): ContainerValues {
  const text = (name: string) => String(search[name] ?? '');
  return {
    ...{ account, slot: text('slot'), slotPrice: '', image: text('image'), name: newName('ct'), group: '' },
    ...{ sshKeys: [], ports: '', environment: '', startupScript: '', server: '', login: '', password: '' },
  };
}

/** Environment variables as they are typed; a name without `=` has nothing for a value. */
export function environmentOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1)];
    }),
  );
}

/** The body of the request. */
export function containerBodyOf(values: ContainerValues): NewEstimate {
  const { account, slot, slotPrice, image, name, group, sshKeys, ports, environment, startupScript } = values;
  const { server, login, password } = values;
  const open = portsOf<'tcp' | 'https'>(ports);
  const variables = environmentOf(environment);
  return {
    kind: 'container',
    ...(account ? { account } : {}),
    ...(group ? { group } : {}),
    ...{ name, image: image.trim(), slot },
    ...(slotPrice ? { slotPrice } : {}),
    ...(sshKeys.length > 0 ? { sshKeys } : {}),
    ...(open.length > 0 ? { ports: open } : {}),
    ...(Object.keys(variables).length > 0 ? { environment: variables } : {}),
    ...(startupScript ? { startupScript } : {}),
    ...(server || login || password ? { registryAuth: { server, login, password } } : {}),
  };
}
