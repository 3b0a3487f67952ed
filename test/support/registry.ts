// A real registry for a test: Debian's docker-registry on a loopback address, which an Engine speaks plain HTTP to, open to
// everybody or only with a login.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { until } from './berth.ts';
import { finished } from './docker.ts';

const run = promisify(execFile);
const startBoundMs = 30_000;
/** Debian's own registry, where its package has started it, has port 5000 on all addresses. */
const firstPort = 5500;
let started = 0;

/** Who may use a registry. */
export interface RegistryLogin {
  login: string;
  password: string;
}

/** A registry that a test started. */
export interface TestRegistry {
  /** `ADDRESS:PORT`, with which references of its images begin. */
  host: string;
  /** Ends it and removes what it holds. */
  close(): Promise<void>;
}

/** Starts an empty registry. @param login without it nobody may use the registry; left out: everybody may */
export async function startRegistry(login?: RegistryLogin): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-registry-'));
  // An address of this process's own: no other test's registry can be at its ports.
  const host = `127.70.${(process.pid >> 8) & 255}.${process.pid & 255}:${firstPort + started++}`;
  const configFile = join(directory, 'config.yml');
  const passwordFile = join(directory, 'htpasswd');
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(directory, 'storage') }, delete: { enabled: true } },
    http: { addr: host },
    ...(login ? { auth: { htpasswd: { realm: 'test', path: passwordFile } } } : {}),
  };
  await writeFile(configFile, JSON.stringify(configuration));
  if (login) {
    // The registry takes bcrypt only.
    const { stdout } = await run('htpasswd', ['-nbB', login.login, login.password]);
    await writeFile(passwordFile, stdout);
  }
  const logFile = join(directory, 'log');
  const log = await open(logFile, 'w');
  const child = spawn('docker-registry', ['serve', configFile], { stdio: ['ignore', log.fd, log.fd] });
  const ended = once(child, 'close');
  const failed = ended.then(async () => {
    throw new Error(`docker-registry has ended: ${await readFile(logFile, 'utf8')}`);
  });
  failed.catch(() => {}); // It ends some day in any case.
  await log.close();
  const registry: TestRegistry = {
    host,
    async close() {
      child.kill('SIGTERM');
      await ended.catch(() => {});
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    const isUp = async () => {
      const answer = await fetch(`http://${host}/v2/`).catch(() => null);
      return answer?.status === (login ? 401 : 200);
    };
    await Promise.race([until(`a registry answers at ${host}`, isUp, startBoundMs), failed]);
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

/**
 * Puts an image of an Engine into a registry, and takes the name that it has there from the Engine again.
 * @param reference such as `${registry.host}/shop/web:1`
 */
export async function pushImage(docker: Docker, image: string, reference: string, login?: RegistryLogin) {
  const colon = reference.lastIndexOf(':');
  await docker.getImage(image).tag({ repo: reference.slice(0, colon), tag: reference.slice(colon + 1) });
  const named = docker.getImage(reference);
  try {
    await finished(docker, await named.push({ authconfig: authOf(login) }));
  } finally {
    await named.remove();
  }
}

/** Pulls an image as anybody with a Docker client does. */
export async function pullImage(docker: Docker, reference: string, login?: RegistryLogin): Promise<void> {
  await finished(docker, await docker.pull(reference, { authconfig: authOf(login) }));
}

/** What the Engine wants to have even where there is no login. */
const authOf = (login?: RegistryLogin) => ({
  username: login?.login ?? '',
  password: login?.password ?? '',
  serveraddress: '',
});
