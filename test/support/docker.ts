// A real Docker Engine for a test file: its own daemon, with the images that tests run imported into it.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { buildContainerImage, type ContainerImage, importChanges } from '../../src/builder/container.ts';
import { type DockerDaemon, removeDockerDaemon, startDockerDaemon } from '../../src/host/docker-daemon.ts';
import { until } from './berth.ts';
import { builtOnce } from './images.ts';

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
  // Side by side with other tests' Engines, and on a machine that may have a real one: none of them is disturbed.
  const reach = 'machine';
  const start = () => startDockerDaemon(directory, undefined, reach);
  let daemon: DockerDaemon = await start();
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
      daemon = await start();
    },
    close: () => removeDockerDaemon(directory, reach),
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
  await finished(docker, await docker.importImage(file, { repo, tag, changes: [...importChanges[image]] }));
}

/** What a shell command in a container that runs says on its standard output. */
export async function outputIn(docker: Docker, container: Docker.Container, command: string): Promise<string> {
  const exec = await container.exec({ Cmd: ['/bin/sh', '-c', command], AttachStdout: true });
  const stdout = new PassThrough();
  const stream = await exec.start({});
  docker.modem.demuxStream(stream, stdout, new PassThrough().resume());
  stream.once('end', () => stdout.end());
  return text(stdout);
}

const containerTar = (image: ContainerImage) => builtOnce(image, 'tar', (path) => buildContainerImage(image, path));

/** The end of what the Engine was told to do. @throws Error with what it says went wrong */
export function finished(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
