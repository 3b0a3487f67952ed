// What a container may be: its ports, environment, startup script and metadata as customers give them, and why one can
// fail. (Hiveon API: start deployment.)

import { BerthError, shown } from './errors.ts';
import { isStorable } from './storable.ts';

/** A port that is reached from outside: plain TCP on the instance's address, or HTTPS by a name of its own. */
export interface ContainerPort {
  /** Where the container listens, and for TCP also where it is reached. */
  hostPort: number;
  protocol: 'tcp' | 'https';
}

/** Why a container failed, for programs, each with its number of google.rpc.Code. */
export const failureCodes = {
  IMAGE_NOT_FOUND: 5,
  REGISTRY_AUTH_FAILED: 7,
  IMAGE_PULL_TIMEOUT: 4,
  NO_SPACE: 8,
  PORT_CONFLICT: 6,
  CONTAINER_CREATE_FAILED: 9,
  CONTAINER_EXITED: 10,
  STARTUP_SCRIPT_FAILED: 10,
  MACHINE_OFFLINE: 14,
  START_TIMEOUT: 4,
  OUT_OF_FUNDS: 9,
} as const;

/** One of {@link failureCodes}. */
export type FailureCode = keyof typeof failureCodes;

/** Hiveon API: start deployment. */
export const containerPortsMax = 100;
const environmentMax = 500;
const environmentBytesMax = 128 * 1024;
/** Linux passes 128 KiB in one argument; half of it leaves room for every encoding of the script. */
const startupScriptBytesMax = 64 * 1024;
const metadataMax = 100;
const metadataBytesMax = 32 * 1024;

/** How a dialect calls the fields, so that messages speak the customer's language. */
export type ContainerFields = Record<
  'ports' | 'port' | 'protocol' | 'environment' | 'startupScript' | 'metadata',
  string
>;

const refuse = (field: string, message: string) => new BerthError('invalid_value', message, field);

/** Whether a text can be kept and passed on as it is. */
const textRule = 'a text has no null character and no half of a surrogate pair';

/**
 * Checks ports as a customer gave them.
 * @throws BerthError `invalid_value`
 */
export function checkContainerPorts(ports: readonly ContainerPort[], fields: ContainerFields): ContainerPort[] {
  const { ports: list } = fields;
  if (ports.length > containerPortsMax) {
    throw refuse(list, `${list} has ${ports.length} entries; at most ${containerPortsMax} are taken.`);
  }
  const seen = new Set<number>();
  return ports.map(({ hostPort, protocol }, index) => {
    const at = `${list}[${index}].${fields.port}`;
    if (!Number.isInteger(hostPort) || hostPort < 1 || hostPort > 65535) {
      throw refuse(at, `${at} is ${shown(hostPort)}; a port is a whole number from 1 to 65535.`);
    }
    if (seen.has(hostPort)) throw refuse(at, `${at} is ${hostPort} a second time; list each port once.`);
    seen.add(hostPort);
    return { hostPort, protocol };
  });
}

/**
 * Checks environment variables.
 * @throws BerthError `invalid_value`
 */
export function checkEnvironment(environment: Readonly<Record<string, string>>, field: string): Record<string, string> {
  const entries = Object.entries(environment);
  if (entries.length > environmentMax) {
    throw refuse(field, `${field} has ${entries.length} entries; at most ${environmentMax} are taken.`);
  }
  for (const [name, value] of entries) {
    const at = `${field}.${name}`;
    if (name === '' || name.includes('=') || !isStorable(name)) {
      throw refuse(field, `${field} has the name ${shown(name)}; a name is not empty and has no = in it.`);
    }
    if (!isStorable(value)) throw refuse(at, `${field} has the value ${shown(value)} for ${shown(name)}; ${textRule}.`);
  }
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > environmentBytesMax) {
    throw refuse(field, `${field} has ${bytes} bytes; names and values together have at most ${environmentBytesMax}.`);
  }
  return { ...environment };
}

/**
 * Checks a startup script; an empty one is none.
 * @throws BerthError `invalid_value`
 */
export function checkStartupScript(script: string | null, field: string): string | null {
  if (script === null || script === '') return null;
  const bytes = Buffer.byteLength(script);
  if (bytes > startupScriptBytesMax) {
    const advice = 'put what is longer into the image, or fetch it from the script';
    throw refuse(field, `${field} has ${bytes} bytes; at most ${startupScriptBytesMax} are taken: ${advice}.`);
  }
  if (!isStorable(script)) throw refuse(field, `${field} is not text; ${textRule}.`);
  return script;
}

/**
 * Checks metadata.
 * @throws BerthError `invalid_value`
 */
export function checkMetadata(metadata: Readonly<Record<string, string>>, field: string): Record<string, string> {
  const entries = Object.entries(metadata);
  if (entries.length > metadataMax) {
    throw refuse(field, `${field} has ${entries.length} entries; at most ${metadataMax} are taken.`);
  }
  for (const [key, value] of entries) {
    if (isStorable(key) && isStorable(value)) continue;
    throw refuse(`${field}.${key}`, `${field} has ${shown(value)} under ${shown(key)}; ${textRule}.`);
  }
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > metadataBytesMax) {
    throw refuse(field, `${field} has ${bytes} bytes; keys and values together have at most ${metadataBytesMax}.`);
  }
  return { ...metadata };
}

/** Where SSH first looks for a free port when the container has taken 22 for itself. */
const otherSshPort = 2222;

/** The port on a container's address where Berth's SSH answers: 22, or the first from 2222 on that the container leaves free. */
export function sshPortOf(ports: readonly ContainerPort[]): number {
  const taken = new Set(ports.filter(({ protocol }) => protocol === 'tcp').map(({ hostPort }) => hostPort));
  if (!taken.has(22)) return 22;
  let port = otherSshPort;
  while (taken.has(port)) port += 1;
  return port;
}
