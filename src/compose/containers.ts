// What runs containers on this machine: the Docker Engine, the ingress for their HTTPS ports, SSH into them, and the wall
// around them.

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerClient } from '../agent/client.ts';
import { DockerDriver } from '../agent/container/docker.ts';
import { Doors } from '../agent/container/doors.ts';
import type { ContainerDriver } from '../agent/container/driver.ts';
import { defaultSocket } from '../agent/container/engine.ts';
import { Ingress } from '../agent/ingress/caddy.ts';
import { ContainerWalls } from '../agent/network/container-walls.ts';
import { Redirects } from '../agent/network/redirects.ts';
import { SshFront } from '../agent/ssh/front.ts';
import type { Inventory } from '../api/agent/contract/inventory.ts';
import { ensureSystemUser } from '../host/system-user.ts';
import { parseCidr } from '../model/cidr.ts';
import { checkIngressDomain } from '../model/ingress.ts';
import type { AgentOptions } from './agent.ts';

const ingressUser = 'berth-web';
/** Containers' own networks; private, and seldom anybody else's. */
const networkRange = '10.213.0.0/16';
/** Somebody else's "flush ruleset" takes the wall from containers that run. */
const mendWallEveryMs = 10_000;
const localDomain = 'localhost';

/** Where an agent keeps its ingress. */
export const ingressDirectoryOf = (agentDirectory: string) => join(agentDirectory, 'container', 'ingress');

/** A machine's containers. */
export interface Containers {
  driver: ContainerDriver;
  inventory(): Promise<Pick<Inventory, 'containerEngine' | 'ingress'>>;
  /** Lets go of them; they run on. */
  close(): Promise<void>;
}

/** Opens what runs containers here. The engine need not answer, now or ever. */
export async function openContainers(options: AgentOptions, client: ServerClient): Promise<Containers> {
  const directory = join(options.directory, 'container');
  const { logger } = options;
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const isRoot = process.getuid?.() === 0;
  const domain = checkIngressDomain(options.ingress?.domain ?? localDomain, '--ingress-domain');
  const isPublic = domain !== localDomain;
  const ingress = new Ingress({
    directory: ingressDirectoryOf(options.directory),
    ...{ domain, isPublic, email: options.ingress?.email ?? null, logger },
    ...(isPublic ? { address: options.ingress?.address ?? '', port: 443 } : { address: '127.0.0.1', port: undefined }),
    user: isRoot ? await ensureSystemUser(ingressUser) : null,
  });
  await ingress.open();
  const redirects = new Redirects();
  const ssh = new SshFront({
    hostKeyFile: join(directory, 'ssh-host-key'),
    exec: (instanceId, request) => driver.exec(instanceId, request),
    addressOf: (instanceId) => driver.addressOf(instanceId),
    redirect: (place, port) => redirects.set(place, port),
    logger,
  });
  await ssh.open();
  const walls = new ContainerWalls();
  const mend = () =>
    walls.mend().then(
      (wasGone) => wasGone && logger.warn({}, 'the wall around containers was gone from the packet filter; it is back'),
      (error: unknown) => logger.error({ err: error }, 'the wall around containers cannot be looked at or put back'),
    );
  await mend();
  const mending = setInterval(mend, mendWallEveryMs).unref();
  const range = parseCidr(networkRange);
  if (!range) throw new Error(`${networkRange} is no range.`);
  const driver = new DockerDriver({
    socketPath: options.engineSocket ?? defaultSocket,
    directory: join(directory, 'state'),
    // The same as long as its records are: whoever has these has the containers.
    owner: createHash('sha256').update(options.directory).digest('hex').slice(0, 16),
    networkRange: range,
    walls,
    doors: new Doors(ingress, ssh),
    allowHosts: options.allowedImageHosts,
    registryAuth: (instanceId) => client.registryAuth(instanceId),
  });
  await driver.open();
  return {
    driver,
    async inventory() {
      const info = await driver.info();
      if (info === null) return { containerEngine: null, ingress: ingress.place };
      const { name, version, storageDriver, diskQuota } = info;
      return { containerEngine: { name, version, storageDriver, diskQuota }, ingress: ingress.place };
    },
    async close() {
      clearInterval(mending);
      await ssh.close();
      await redirects.dismiss();
      await ingress.close();
      await walls.dismiss();
    },
  };
}
