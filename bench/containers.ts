// Real containers for the benchmarks: an engine of one's own with nginx in it, a whole `berth up` on it, and one machine.

import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { type Deployment, type DeploymentRequest, type Machine, VendorClient } from '../sdk/vendor.ts';
import { buildContainerImage, importChanges } from '../src/builder/container.ts';
import { removeDockerDaemon, startDockerDaemon } from '../src/host/docker-daemon.ts';
import { processIds, processProgram, processWorkingDirectory } from '../src/host/process.ts';
import { startChild, stopChild } from './stack.ts';

const lookEveryMs = 5;

/** A running Berth with a container engine. */
export interface ContainerGround {
  client: VendorClient;
  machine: Machine;
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
  const client = new VendorClient(JSON.parse(await readFile(join(data, 'credentials.json'), 'utf8')));
  const ingress = join(data, 'agent', 'container', 'ingress');
  for (;;) {
    const [machine] = await client.machines('machine_status:available').catch(() => []);
    if (!machine) {
      await sleep(lookEveryMs);
      continue;
    }
    return {
      ...{ client, machine, directory, socketPath },
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
export function nginxRequest(
  machine: Machine,
  ports: { host_port: number; protocol: 'PORT_PROTOCOL_TCP' | 'PORT_PROTOCOL_HTTPS' }[],
): DeploymentRequest {
  const [price] = machine.machine_prices;
  return {
    machine_id: machine.machine_id,
    machine_price_id: price?.id ?? '',
    container_config: { image: 'nginx:latest', ports },
  };
}

/** Waits until a deployment has a status. */
export async function untilDeployment(
  client: VendorClient,
  id: string,
  status: Deployment['status'],
): Promise<Deployment> {
  for (;;) {
    const deployment = await client.deployment(id);
    if (deployment.status === status) return deployment;
    if (deployment.status === 'STATUS_FAILED') throw new Error(`${id} failed: ${deployment.fail_reason?.message}`);
    await sleep(lookEveryMs);
  }
}
