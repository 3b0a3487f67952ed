// A host whose containers say what a test makes them say: the agent, its streams and its calls are the real ones, and only
// what would be Docker's output is the test's. It talks to a server of the test's choice.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../../src/agent/agent.ts';
import { ServerClient } from '../../../src/agent/client.ts';
import type { ContainerDriver, ContainerSpec, LogQuery } from '../../../src/agent/container/driver.ts';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { Records } from '../../../src/agent/record.ts';
import { defaultPatience } from '../../../src/agent/worker.ts';
import type { Inventory } from '../../../src/api/agent/contract/inventory.ts';
import type { AgentEvent, Report } from '../../../src/api/agent/contract/report.ts';
import { ensureLocalHost } from '../../../src/app/bootstrap.ts';
import { makeEnrolmentToken } from '../../../src/app/host.ts';
import { addSlot } from '../../../src/app/slot-terms.ts';
import type { RunningServer } from '../../../src/compose/server.ts';
import { systemClock, systemEntropy } from '../../../src/compose/system.ts';
import { type LogLine, newestLines } from '../../../src/model/log.ts';
import { type Behaviour, SimulatedDriver } from '../../../src/sim/driver.ts';
import { fields } from '../../slot/support.ts';
import { calm } from '../../support/berth.ts';

const inventory: Inventory = {
  ...{ cores: 64, memoryMib: 64 * 1024, diskGib: 1_000, storageType: 'NVMe', cpuModel: 'x', hypervisor: 'x' },
  ...{ acceleration: 'none', accelerationReason: 'x', agentVersion: 'x' },
  containerEngine: { name: 'x', version: 'x', storageDriver: 'x', diskQuota: true },
};
const quiet = { info() {}, warn() {}, error() {} };

/** What a container says. */
export class Voice {
  readonly said: LogLine[] = [];
  readonly #heard = new EventTarget();
  /** How many listen at present. */
  listeners = 0;
  hasEnded = false;

  /** Says a line, at the present moment or another. */
  say(line: string, stream: LogLine['stream'] = 'stdout', timestamp = new Date().toISOString()): void {
    this.said.push({ timestamp, stream, line });
    this.#heard.dispatchEvent(new Event('news'));
  }

  /** Says nothing more. */
  end(): void {
    this.hasEnded = true;
    this.#heard.dispatchEvent(new Event('news'));
  }

  /** As an engine tells it. */
  async *listen({ tail, since, follow }: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    this.listeners += 1;
    try {
      let at = this.said.length;
      yield* newestLines(this.said, tail, since);
      while (follow && !signal.aborted) {
        for (; at < this.said.length; at += 1) yield this.said[at] as LogLine;
        if (this.hasEnded) return;
        await new Promise<void>((resolve) => {
          this.#heard.addEventListener('news', () => resolve(), { once: true });
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } finally {
      this.listeners -= 1;
    }
  }
}

/** Runs containers that have voices. */
class TalkingDriver extends SimulatedDriver<ContainerSpec> implements ContainerDriver {
  readonly voices = new Map<string, Voice>();

  voiceOf(instanceId: string): Voice {
    const voice = this.voices.get(instanceId) ?? new Voice();
    this.voices.set(instanceId, voice);
    return voice;
  }

  async *logs(instanceId: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    if (!(await this.inspect(instanceId))) throw new DriverFailure('container.gone', 'There is none.', false);
    yield* this.voiceOf(instanceId).listen(query, signal);
  }

  async exec(): Promise<never> {
    throw new DriverFailure('container.not-running', 'It only talks.', false);
  }
}

/** A host that a test has enrolled. */
export interface EnrolledHost {
  id: string;
  name: string;
  credential: string;
  client: ServerClient;
  /** Lets a slot of it. @returns the slot's id */
  letSlot(): Promise<string>;
}

/** Enrols a host that tells of itself when a slot is let, and does nothing else. */
export async function enrolHost(server: RunningServer, name: string, pool: string): Promise<EnrolledHost> {
  const { context } = server;
  const hostId = await ensureLocalHost(context, name, pool);
  const client = new ServerClient([server.url]);
  const { credential } = await client.enrol(await makeEnrolmentToken(context, hostId), inventory);
  client.setCredential(credential);
  let slots = 0;
  return {
    ...{ id: hostId, name, credential, client },
    async letSlot() {
      slots += 1;
      // One that has not been heard of for a while is let to nobody.
      await client.report(reportOf(), AbortSignal.timeout(60_000));
      const size = { vcpus: 1, memoryGib: 1, diskGib: 1, gpus: [], prices: { hour: '0.01' } };
      return addSlot(context, { host: name, name: `slot-${slots}`, ...size }, fields);
    },
  };
}

/** A host whose agent works. */
export interface TalkingHost extends EnrolledHost {
  voiceOf(instanceId: string): Voice;
  close(): Promise<void>;
}

/** Starts a host whose containers talk. */
export async function startTalkingHost(
  server: RunningServer,
  name: string,
  pool: string,
  behaviour: Partial<Behaviour> = {},
): Promise<TalkingHost> {
  const host = await enrolHost(server, name, pool);
  const directory = await mkdtemp(join(tmpdir(), 'berth-talking-'));
  const vm = new SimulatedDriver(join(directory, 'world'), calm, systemEntropy);
  const container = new TalkingDriver(join(directory, 'containers'), { ...calm, ...behaviour }, systemEntropy);
  await vm.open();
  await container.open();
  const agent = new Agent({
    ...{ client: host.client, drivers: { vm, container }, records: new Records(join(directory, 'records')) },
    ...{ inventory: async () => inventory, hostUsage: null, clock: systemClock, entropy: systemEntropy, logger: quiet },
    patience: { ...defaultPatience, graceMs: 100 },
  });
  await agent.start();
  return {
    ...host,
    voiceOf: (instanceId) => container.voiceOf(instanceId),
    async close() {
      await agent.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A report of such a host, with events. */
export const reportOf = (...events: AgentEvent[]): Report => {
  return { inventory, complete: false, instances: [], events, strays: [] };
};
