// A real Docker Engine for a test file: its own daemon, with the images that tests run imported into it.

import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { buildContainerImage, type ContainerImage, importChanges } from '../../src/builder/container.ts';
import { type DockerDaemon, removeDockerDaemon, startDockerDaemon } from '../../src/host/docker-daemon.ts';
import { until } from './berth.ts';

/** A Docker Engine that a test started. */
export interface TestEngine {
  socketPath: string;
  docker: Docker;
  /** The daemon's process. */
  pid(): number;
  /** Kills the daemon as a power cut would; containers run on. */
  kill(): Promise<void>;
  /** Starts the daemon again. */
  restart(): Promise<void>;
  /** Removes every container and network, and then the daemon itself. */
  close(): Promise<void>;
}

/** Starts an Engine that has these images, each as `NAME:latest`. */
export async function startTestEngine(images: readonly ContainerImage[] = ['busybox']): Promise<TestEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-dk-'));
  let daemon: DockerDaemon = await startDockerDaemon(directory);
  const docker = new Docker({ socketPath: daemon.socketPath });
  const engine: TestEngine = {
    socketPath: daemon.socketPath,
    docker,
    pid: () => daemon.pid,
    async kill() {
      process.kill(daemon.pid, 'SIGKILL');
      await until('the daemon is dead', async () => !(await answers(docker)));
    },
    async restart() {
      daemon = await startDockerDaemon(directory);
    },
    async close() {
      daemon = await startDockerDaemon(directory);
      for (const { Id } of await docker.listContainers({ all: true })) {
        await docker.getContainer(Id).remove({ force: true, v: true });
      }
      for (const { Id, Driver } of await docker.listNetworks()) {
        if (Driver === 'bridge') await docker.getNetwork(Id).remove();
      }
      await removeDockerDaemon(daemon, directory);
    },
  };
  try {
    for (const image of images) await importImage(docker, image, `${image}:latest`);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

const answers = (docker: Docker) =>
  docker.ping().then(
    () => true,
    () => false,
  );

/** Imports an image that was built from Debian's packages. */
export async function importImage(docker: Docker, image: ContainerImage, reference: string): Promise<void> {
  const file = await containerTar(image);
  const [repo, tag] = reference.split(/:(?=[^/]*$)/);
  const stream = await docker.importImage(file, { repo, tag, changes: [...importChanges[image]] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}

/** The image's tar, built once a day on this machine. */
async function containerTar(image: ContainerImage): Promise<string> {
  const directory = join(tmpdir(), 'berth-test-images');
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${image}-${new Date().toISOString().slice(0, 10)}.tar`);
  if (await stat(path).catch(() => null)) return path;
  const own = `${path}.${process.pid}`;
  await buildContainerImage(image, own);
  await rename(own, path);
  await rm(own, { force: true });
  return path;
}
