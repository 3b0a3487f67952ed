// What the tests of the Docker driver share: an Engine of their own, drivers on it as production makes them but for the wall and
// the doors, which have tests of their own, and looks at the Engine from outside.

import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DockerDriver, type DockerParts } from '../../../src/agent/container/docker.ts';
import type { ContainerSpec } from '../../../src/agent/container/driver.ts';
import { bridgeOf } from '../../../src/agent/container/names.ts';
import type { Progress } from '../../../src/agent/driver.ts';
import type { LogLine } from '../../../src/model/log.ts';
import { until } from '../../support/berth.ts';
import { finished, startTestEngine, type TestEngine } from '../../support/docker.ts';

/** An Engine, and drivers on it that share one directory as agents after each other do. */
export interface World {
  engine: TestEngine;
  directory: string;
  /** A fresh driver, open. */
  driver(parts?: Partial<DockerParts>): Promise<DockerDriver>;
  /** Removes everything. */
  close(): Promise<void>;
}

/** Starts an Engine that has busybox. */
export async function startWorld(): Promise<World> {
  const engine = await startTestEngine(['busybox']);
  const directory = await mkdtemp(join(tmpdir(), 'berth-cd-'));
  const drivers: DockerDriver[] = [];
  return {
    engine,
    directory,
    async driver(parts = {}) {
      const driver = new DockerDriver({
        socketPath: engine.socketPath,
        directory,
        owner: 'test',
        networkRange: { first: 0x0ad6_0000, count: 65_536, prefix: 16 },
        walls: { admit: async () => {} },
        doors: { open: async () => {}, close: async () => {} },
        allowHosts: [],
        registryAuth: async () => null,
        ...parts,
      });
      await driver.open();
      drivers.push(driver);
      return driver;
    },
    async close() {
      for (const driver of drivers) await driver.close();
      await engine.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An instance id that no other test has. */
export const freshId = () => `0x${randomBytes(20).toString('hex')}`;

/** A container of busybox, small, that waits. */
export function spec(more: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    instanceId: freshId(),
    hostname: 'box',
    vcpus: 1,
    memoryMib: 64,
    diskGib: 1,
    gpus: [],
    image: 'waits',
    hasRegistryAuth: false,
    ports: [],
    environment: {},
    startupScript: null,
    sshKeys: [],
    address: '127.44.200.1',
    ...more,
  };
}

/** Makes an image of busybox that runs a script when it starts. */
export async function makeImage(engine: TestEngine, name: string, script: string): Promise<void> {
  const container = await engine.docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
  await container.commit({ repo: name, tag: 'latest', changes: `CMD ${JSON.stringify(['/bin/sh', '-c', script])}` });
  await container.remove();
}

/** Makes an image of one static program and nothing else. */
export async function makeBareImage({ docker }: TestEngine, name: string, command: string[]): Promise<void> {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
  const tar = (await container.getArchive({ path: '/bin/busybox' })) as Readable;
  const changes = command.length > 0 ? [`CMD ${JSON.stringify(command)}`] : [];
  await finished(docker, await docker.importImage(tar, { repo: name, tag: 'latest', changes }));
  await container.remove();
}

/** What waits until it is told to end, and says so. */
export const waits = 'trap "echo ends; exit 0" TERM; echo waits; while true; do sleep 0.1; done';

/** Runs a container and returns what was told meanwhile. */
export async function bringUp(driver: DockerDriver, one: ContainerSpec): Promise<Progress[]> {
  const told: Progress[] = [];
  await driver.run(one, (step) => void told.push(step), new AbortController().signal);
  return told;
}

/** Erases a container and returns what was told meanwhile. */
export async function takeDown(driver: DockerDriver, instanceId: string, graceMs = 1_000): Promise<Progress[]> {
  const told: Progress[] = [];
  await driver.erase(instanceId, graceMs, (step) => void told.push(step));
  return told;
}

/** Runs a command in a container to its end. */
export async function inside(
  driver: DockerDriver,
  instanceId: string,
  command: string,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const run = await driver.exec(instanceId, { command: ['/bin/sh', '-c', command], tty: null, environment: {} });
  run.stdin.end();
  const [stdout, stderr, exitCode] = await Promise.all([textOf(run.stdout), textOf(run.stderr), run.exitCode]);
  return { exitCode, stdout, stderr };
}

/** All of a stream as text. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** What a container has said so far. */
export async function saidBy(driver: DockerDriver, instanceId: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const query = { tail: 1_000, since: null, follow: false };
  for await (const line of driver.logs(instanceId, query, new AbortController().signal)) lines.push(line);
  return lines;
}

/** Waits until a container is in a state. */
export async function untilPower(driver: DockerDriver, instanceId: string, power: string): Promise<void> {
  await until(`${instanceId} is ${power}`, async () => (await driver.inspect(instanceId))?.power === power, 60_000);
}

/** Everything that is on the machine of an instance: containers, networks, interfaces, image names, files. */
export async function tracesOf({ engine, directory }: World, instanceId: string): Promise<string[]> {
  const { docker } = engine;
  const bare = instanceId.slice(2);
  const containers = (await docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
  const networks = (await docker.listNetworks()).map(({ Name }) => Name);
  const images = await imageNames(engine);
  const files = await readdir(directory);
  return [
    ...[...containers, ...networks, ...images, ...files].filter((name) => name.includes(bare)),
    ...Object.keys(networkInterfaces()).filter((name) => name === bridgeOf(instanceId)),
  ];
}

/** Every name of every image. */
export async function imageNames({ docker }: TestEngine): Promise<string[]> {
  const images = await docker.listImages({ digests: true });
  return images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]).sort();
}
