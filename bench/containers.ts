// Real containers for the benchmarks: an engine of one's own with nginx in it, a whole `berth up` on it, and one machine.

import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { Berth } from '../sdk/berth.ts';
import type { Instance, NewInstance, NewPort, Slot } from '../sdk/generated/types.ts';
import { buildContainerImage, importChanges } from '../src/builder/container.ts';
import { removeDockerDaemon, startDockerDaemon } from '../src/host/docker-daemon.ts';
import { processIds, processProgram, processWorkingDirectory } from '../src/host/process.ts';
import { startChild, stopChild } from './stack.ts';

const lookEveryMs = 5;

/** A running Berth with a container engine. */
export interface ContainerGround {
  client: Berth;
  slot: Slot;
  directory: string;
  socketPath: string;
  /** The certificate of the authority that signs for its HTTPS ports. */
  rootCertificate(): Promise<Buffer>;
  close(): Promise<void>;
}

/** Starts an engine and a Berth, and waits for the machine that it lets. */
export async function startContainers(addressPool: string): Promise<ContainerGround> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  await chmod(directory, 0o711);
  const engineDirectory = join(directory, 'docker');
  const { socketPath } = await startDockerDaemon(engineDirectory, undefined, 'machine');
  await importNginx(socketPath, join(directory, 'nginx.tar'));
  const data = join(directory, 'berth');
  const options = ['--data', data, '--listen', '127.0.0.1:0', '--address-pool', addressPool];
  const { child } = await startChild(['up', ...options, '--engine-socket', socketPath]);
  const client = new Berth(JSON.parse(await readFile(join(data, 'credentials.json'), 'utf8')));
  const ingress = join(data, 'agent', 'container', 'ingress');
  for (;;) {
    const [slot] = await client.slots.list({ available: true }).all();
    if (!slot) {
      await sleep(lookEveryMs);
      continue;
    }
    return {
      ...{ client, slot, directory, socketPath },
      rootCertificate: () => readFile(join(ingress, 'storage/pki/authorities/local/root.crt')),
      async close() {
        await stopChild(child);
        for (const pid of processIds()) {
          if (processProgram(pid) === 'caddy' && processWorkingDirectory(pid)?.startsWith(ingress)) process.kill(pid);
        }
        await removeDockerDaemon(engineDirectory, 'machine');
        await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      },
    };
  }
}

async function importNginx(socketPath: string, file: string): Promise<void> {
  await buildContainerImage('nginx', file);
  const docker = new Docker({ socketPath });
  const stream = await docker.importImage(file, { repo: 'nginx', tag: 'latest', changes: [...importChanges.nginx] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
  await rm(file);
}

/** A start of nginx with these ports. */
export const nginxRequest = (slot: Slot, ports: NewPort[]): NewInstance => ({
  ...{ kind: 'container', image: 'nginx:latest', slot: slot.id, ports },
  ...(slot.prices[0] ? { slotPrice: slot.prices[0].id } : {}),
});

/** Waits until a container runs. */
export async function untilRunning(client: Berth, id: string): Promise<Instance> {
  for (;;) {
    const instance = await client.instances.get(id);
    if (instance.status === 'active') return instance;
    if (instance.status === 'failed') throw new Error(`${id} failed: ${instance.statusReason}`);
    await sleep(lookEveryMs);
  }
}

/** Ends a container, and waits until its slot is free again. */
export async function removeContainer(client: Berth, id: string, slot: Slot): Promise<void> {
  await client.instances.delete(id);
  while ((await client.slots.get(slot.id)).status !== 'available') await sleep(lookEveryMs);
}
