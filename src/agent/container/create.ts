// What the Engine is told when it makes a container: its limits, and all that it is not allowed.

import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { canonicalJson } from '../../model/canonical-json.ts';
import type { ContainerSpec } from './driver.ts';
import { nameOf } from './names.ts';
import type { NetworkPlace } from './network.ts';

/** Which specification a container was made by. */
export const specLabel = 'berth.spec';
/** How much it may write. */
export const diskLabel = 'berth.disk-gib';

/** Far more than a service needs, and far fewer than trouble the host. */
const processesMax = 1024;
/** What a container may keep of its output. */
const logOptions = { 'max-size': '8m', 'max-file': '2' };
const mib = 1024 ** 2;
/** What the Engine grants by itself and a customer's program has no use for. */
const dropped = ['NET_RAW', 'MKNOD'];
/** Programs that share memory between processes get by with half of it; what they take counts as theirs. */
const sharedMemoryPart = 0.5;

/** What a container is made of beside its specification. */
interface Ground {
  image: string;
  place: NetworkPlace;
  labels: Record<string, string>;
  /** Whether the storage driver itself holds it to its disk. */
  hasQuota: boolean;
  /** Whether the Engine publishes its TCP ports; otherwise somebody else leads to them. */
  publishes: boolean;
}

/** The Engine's options for a container. */
export function containerOptions(
  spec: ContainerSpec,
  { image, place, labels, hasQuota, publishes }: Ground,
): Docker.ContainerCreateOptions {
  const published = spec.ports.filter(({ protocol }) => publishes && protocol === 'tcp');
  return {
    name: nameOf(spec.instanceId),
    Image: image,
    Hostname: spec.hostname,
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...labels, [specLabel]: specHash(spec), [diskLabel]: String(spec.diskGib) },
    ExposedPorts: Object.fromEntries(spec.ports.map(({ hostPort }) => [`${hostPort}/tcp`, {}])),
    HostConfig: {
      NetworkMode: place.name,
      PortBindings: Object.fromEntries(
        published.map(({ hostPort }) => [`${hostPort}/tcp`, [{ HostIp: spec.address, HostPort: String(hostPort) }]]),
      ),
      PublishAllPorts: false,
      NanoCpus: spec.vcpus * 1_000_000_000,
      Memory: spec.memoryMib * mib,
      // No swap beyond its memory.
      MemorySwap: spec.memoryMib * mib,
      PidsLimit: processesMax,
      ShmSize: Math.floor(spec.memoryMib * mib * sharedMemoryPart),
      // Whatever the operator has set for the Engine: the image's own program is the first.
      Init: false,
      Privileged: false,
      CapDrop: dropped,
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'json-file', Config: logOptions },
      // The agent starts it again, so that the startup script runs each time and a crash loop has an end.
      RestartPolicy: { Name: 'no' },
      ...(hasQuota ? { StorageOpt: { size: `${spec.diskGib}G` } } : {}),
      ...(spec.gpus.length > 0
        ? {
            DeviceRequests: [{ Driver: '', Count: 0, DeviceIDs: [...spec.gpus], Capabilities: [['gpu']], Options: {} }],
          }
        : {}),
    },
    NetworkingConfig: { EndpointsConfig: { [place.name]: { IPAMConfig: { IPv4Address: place.ip } } } },
  };
}

/** Tells specifications apart that need different containers; keys to log in with don't, nor does the order of fields. */
export function specHash({ sshKeys: _, ...spec }: ContainerSpec): string {
  return createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 32);
}
