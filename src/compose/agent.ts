// One agent: the driver that this machine can offer, the agent's memory, and its line to the server.

import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Agent } from '../agent/agent.ts';
import { ServerClient, ServerRefused } from '../agent/client.ts';
import { StoragePools } from '../agent/disk/pools.ts';
import type { DriverPair } from '../agent/drivers.ts';
import { storageTypeOf } from '../agent/hardware/disks.ts';
import { hardwareReader } from '../agent/hardware/read.ts';
import { countHost, type HostCounters } from '../agent/host-usage.ts';
import type { ImageLimits } from '../agent/image/limits.ts';
import { ImageStore } from '../agent/image/store.ts';
import { bytesHeldBelow, type FixedInventory, readInventory, readPools } from '../agent/inventory.ts';
import { Records } from '../agent/record.ts';
import { detectAcceleration } from '../agent/vm/acceleration.ts';
import { QemuDriver } from '../agent/vm/qemu.ts';
import { defaultPatience, type Patience } from '../agent/worker.ts';
import type { Enrolled, HostHardware, Inventory } from '../api/agent/contract/inventory.ts';
import { version } from '../api/document.ts';
import { writeDurably } from '../host/durable-file.ts';
import { ensureSystemUser } from '../host/system-user.ts';
import type { NetworkMode } from '../model/network.ts';
import { endpointOf } from '../model/public-address.ts';
import type { PoolOption } from '../model/storage-pool.ts';
import { SeededEntropy } from '../sim/chance.ts';
import { SimulatedContainerDriver } from '../sim/container.ts';
import { type Behaviour, SimulatedDriver } from '../sim/driver.ts';
import { openContainers } from './containers.ts';
import { systemClock, systemEntropy } from './system.ts';

const vmUser = 'berth-vm';
const enrolRetryMs = 500;
/** Images that nothing uses are also let go of while nobody downloads any. */
const evictEveryMs = 10 * 60 * 1000;

/** What an agent is started with. */
export interface AgentOptions {
  /** One server, or several equal ones to fall back on. */
  serverUrls: readonly string[];
  /** The agent's own folder. */
  directory: string;
  /** Gives a one-time token when the agent has no credential, or an old one. */
  token(): Promise<string>;
  allowedImageHosts: readonly string[];
  storageType: Inventory['storageType'] | undefined;
  logger: Logger;
  /** Where disks may lie beside the agent's own folder. */
  storagePools?: readonly PoolOption[];
  /** Runs no hypervisor but a simulation that behaves like this; its faults come from the seed where there is one. */
  simulated?: {
    behaviour: Behaviour;
    capacity: Pick<Inventory, 'cores' | 'memoryMib' | 'diskGib'>;
    seed?: number;
    hardware?: HostHardware;
    storagePools?: Inventory['storagePools'];
  };
  patience?: Partial<Patience>;
  imageLimits?: Partial<ImageLimits>;
  /** Where a container engine listens; its usual place when left out. */
  engineSocket?: string;
  /** How HTTPS ports are reached; on this machine alone when left out. */
  ingress?: { domain: string; address: string; email: string | null };
  /** How VMs are connected: each by itself when left out. */
  network?: NetworkOption;
}

/** How VMs are connected, and whether those in networks with addresses that are not public go out under the host's. */
export interface NetworkOption {
  mode: NetworkMode;
  translates: boolean;
}

/** A running agent. */
export interface RunningAgent {
  hostId: string;
  close(): Promise<void>;
}

interface Machine {
  drivers: DriverPair;
  close(): Promise<void>;
  inventory(): Promise<Inventory>;
  /** What it has used so far; null for one that is a simulation. */
  usage: (() => Promise<HostCounters>) | null;
}

/** Starts an agent and resolves when it has looked at what runs here and is known to the server. */
export async function startAgent(options: AgentOptions, signal: AbortSignal): Promise<RunningAgent> {
  const { directory, logger } = options;
  await mkdir(directory, { recursive: true });
  const client = new ServerClient(options.serverUrls);
  const machine = options.simulated
    ? await simulatedMachine(options, options.simulated)
    : await realMachine(options, client);
  const { hostId } = await enrolled(options, client, machine, signal);
  const agent = new Agent({
    client,
    drivers: machine.drivers,
    records: new Records(join(directory, 'records')),
    inventory: () => machine.inventory(),
    hostUsage: machine.usage,
    clock: systemClock,
    entropy: systemEntropy,
    patience: { ...defaultPatience, ...options.patience },
    logger,
  });
  await agent.start();
  return {
    hostId,
    async close() {
      await agent.stop();
      await machine.close();
    },
  };
}

const credentialFile = (directory: string) => join(directory, 'credential.json');

async function readCredential(directory: string): Promise<Enrolled | undefined> {
  const text = await readFile(credentialFile(directory), 'utf8').catch(() => null);
  return text === null ? undefined : (JSON.parse(text) as Enrolled);
}

/** The id of the host that the agent with this directory was enrolled as; undefined where it never was. */
export async function readHostId(directory: string): Promise<string | undefined> {
  return (await readCredential(directory))?.hostId;
}

/** Uses the credential that is there, if the server still knows it, and enrols otherwise. Waits for the server. */
async function enrolled(
  options: AgentOptions,
  client: ServerClient,
  machine: Machine,
  signal: AbortSignal,
): Promise<Enrolled> {
  const file = credentialFile(options.directory);
  const known = await readCredential(options.directory);
  if (known) {
    client.setCredential(known.credential);
    try {
      await client.poll(undefined, signal);
      return known;
    } catch (error) {
      // An agent whose server is away goes on with what it has; one that is refused must enrol.
      if (!(error instanceof ServerRefused && error.status === 401)) return known;
      options.logger.warn({}, 'the server does not know this host any more; enrolling again');
    }
  }
  for (;;) {
    try {
      const fresh = await client.enrol(await options.token(), await machine.inventory());
      await writeDurably(file, JSON.stringify(fresh));
      client.setCredential(fresh.credential);
      return fresh;
    } catch (error) {
      if (error instanceof ServerRefused && error.status < 500) throw error;
      options.logger.warn({ err: error }, 'enrolling failed; it is tried again');
      await sleep(enrolRetryMs, undefined, { signal });
    }
  }
}

async function realMachine(options: AgentOptions, client: ServerClient): Promise<Machine> {
  const { directory, logger, allowedImageHosts } = options;
  const user = process.getuid?.() === 0 ? await ensureSystemUser(vmUser) : null;
  const { acceleration, reason } = await detectAcceleration();
  logger.info({ acceleration, reason }, 'acceleration');
  const images = new ImageStore({
    directory: join(directory, 'images'),
    allowHosts: [...allowedImageHosts, ...options.serverUrls.map((url) => endpointOf(new URL(url)))],
    limits: options.imageLimits ?? {},
    clock: systemClock,
    logger,
    inUse: () => driver.basesInUse(),
    ...(user ? { unprivileged: user } : {}),
  });
  const poolOptions = options.storagePools ?? [];
  const pools = new StoragePools(directory, poolOptions);
  const driver: QemuDriver = new QemuDriver({
    askSecrets: (instanceId) => client.imagingSecrets(instanceId),
    directory,
    pools,
    images,
    acceleration,
    user,
    logger,
    clock: systemClock,
    ...(options.network?.mode === 'bridge' ? { networks: { translates: options.network.translates } } : {}),
  });
  await images.open();
  // What keeps this host from connecting VMs so is told now, rather than by the first VM.
  if (options.network?.mode === 'bridge') await driver.confinement();
  const evicting = setInterval(() => {
    images.evict().catch((error: unknown) => logger.warn({ err: error }, 'images could not be evicted'));
  }, evictEveryMs).unref();
  const containers = await openContainers(options, client);
  const fixed: FixedInventory = {
    acceleration,
    accelerationReason: reason,
    hypervisor: 'qemu',
    agentVersion: version,
    storageType: options.storageType ?? (await storageTypeOf(await realpath(directory))),
  };
  const hardware = hardwareReader();
  return {
    drivers: { vm: driver, container: containers.driver },
    usage: () => countHost(directory),
    async close() {
      clearInterval(evicting);
      await containers.close();
    },
    inventory: async () => ({
      ...(await readInventory(
        directory,
        fixed,
        (await bytesHeldBelow(join(directory, 'vm'))) + (await bytesHeldBelow(join(directory, 'disk'))),
        await hardware(),
        await readPools(poolOptions, pools),
      )),
      ...(await containers.inventory()),
      network: options.network?.mode ?? 'user',
    }),
  };
}

async function simulatedMachine(
  options: AgentOptions,
  simulated: NonNullable<AgentOptions['simulated']>,
): Promise<Machine> {
  const chance = simulated.seed === undefined ? systemEntropy : new SeededEntropy(simulated.seed);
  const vm = new SimulatedDriver(join(options.directory, 'world'), simulated.behaviour, chance);
  const container = new SimulatedContainerDriver(join(options.directory, 'containers'), simulated.behaviour, chance);
  await vm.open();
  await container.open();
  const inventory: Inventory = {
    ...simulated.capacity,
    storageType: options.storageType ?? 'NVMe',
    acceleration: 'none',
    accelerationReason: 'This host is a simulation; nothing runs on it.',
    cpuModel: 'simulated',
    hypervisor: 'simulated',
    agentVersion: version,
    containerEngine: { name: 'simulated', version, storageDriver: 'none', diskQuota: true },
    ingress: { domain: 'localhost', port: 443 },
    network: options.network?.mode ?? 'user',
    ...(simulated.hardware ? { hardware: simulated.hardware } : {}),
    ...(simulated.storagePools ? { storagePools: simulated.storagePools } : {}),
  };
  return { drivers: { vm, container }, async close() {}, inventory: async () => inventory, usage: null };
}
