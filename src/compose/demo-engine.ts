// The container engine of a demo: the machine's own where one answers, else one of the demo's own, which goes with it. A second
// engine beside the machine's own would take its packet filter's rules away.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { defaultSocket } from '../agent/container/engine.ts';
import { buildContainerImage, importChanges } from '../builder/container.ts';
import { answersAt, type DockerDaemon, removeDockerDaemon, startDockerDaemon } from '../host/docker-daemon.ts';
import { processIds } from '../host/process.ts';

const image = 'nginx';
const reference = 'nginx:latest';

/** An engine that has what the demo runs. */
export class DemoEngine {
  readonly socketPath: string;
  readonly #docker: Docker;
  readonly #directory: string;
  /** Null where the engine is the machine's. */
  readonly #daemon: DockerDaemon | null;
  #imported = false;

  private constructor(socketPath: string, directory: string, daemon: DockerDaemon | null) {
    this.socketPath = socketPath;
    this.#docker = new Docker({ socketPath });
    this.#directory = directory;
    this.#daemon = daemon;
  }

  /** Finds the machine's engine, or starts one below a directory. */
  static async open(directory: string, signal: AbortSignal): Promise<DemoEngine> {
    if (await answersAt(defaultSocket)) return new DemoEngine(defaultSocket, directory, null);
    const daemon = await startDockerDaemon(directory, signal);
    return new DemoEngine(daemon.socketPath, directory, daemon);
  }

  /** Makes sure of an nginx, built from Debian's packages where none is there: no registry need be in reach. */
  async ensureImage(signal: AbortSignal): Promise<void> {
    const isThere = await this.#docker
      .getImage(reference)
      .inspect()
      .then(
        () => true,
        () => false,
      );
    if (isThere) return;
    await mkdir(this.#directory, { recursive: true });
    const file = join(this.#directory, `${image}.tar`);
    try {
      await buildContainerImage(image, file, signal);
      const stream = await this.#docker.importImage(file, {
        repo: image,
        tag: 'latest',
        changes: [...importChanges[image]],
      });
      await new Promise<void>((resolve, reject) => {
        this.#docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
      });
      this.#imported = true;
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Takes away what the demo has brought. Its containers have been removed. */
  async close(): Promise<void> {
    if (this.#daemon) await removeDockerDaemon(this.#directory);
    else if (this.#imported) await this.#docker.getImage(reference).remove();
  }

  /** The processes in the containers of an engine of the demo's own; they know of no directory of the demo's. */
  containerProcesses(): number[] {
    if (!this.#daemon) return [];
    const ids = namesIn(join(this.#directory, 'data', 'containers'));
    return processIds().filter((pid) => {
      const groups = cgroupsOf(pid);
      return ids.some((id) => groups.includes(id));
    });
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // the engine has not come so far
  }
}

function cgroupsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}
