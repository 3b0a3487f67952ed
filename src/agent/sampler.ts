// Measures what the host and its instances use, every ten seconds, and tells the server. What is told are rates between two looks, so
// that neither a restart of the agent nor one of an instance looks like a leap: what has begun anew is told of from the second look on.
// What can't be told now is left out for good. A chart has a hole then, and nothing is the worse for it.

import { setTimeout as sleep } from 'node:timers/promises';
import { reportItemsMax } from '../api/agent/contract/report.ts';
import { type HostSample, type InstanceSample, sampleAgeMsMax } from '../api/agent/contract/sample.ts';
import { sampleEveryMs } from '../model/sample.ts';
import type { Clock, Entropy } from '../model/world.ts';
import { type ServerClient, ServerRefused } from './client.ts';
import type { Counters } from './driver.ts';
import type { HostCounters } from './host-usage.ts';

/** A server from before it knew of samples is asked again after this time: it may be a newer one by then. */
const unknownPauseMs = 10 * 60_000;
/**
 * Hosts do not all measure at one moment, and none does so where a step begins: what arrives a little early or late is in its step
 * all the same.
 */
const phaseMsMin = 1_000;
const phaseMsMax = sampleEveryMs - phaseMsMin;

/** What it is made of. */
export interface SamplerParts {
  client: ServerClient;
  usage(): Promise<Counters[]>;
  hostUsage: (() => Promise<HostCounters>) | null;
  clock: Clock;
  entropy: Entropy;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Ends it. */
  signal: AbortSignal;
}

/** What was counted at a moment of `performance.now()`. */
interface Look {
  atMs: number;
  host: HostCounters | null;
  instances: ReadonlyMap<string, Counters>;
}

/** Measures and tells. */
export class Sampler {
  readonly #parts: SamplerParts;
  readonly #phaseMs: number;
  #before: Look | null = null;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
    const [byte = 0] = parts.entropy.bytes(1);
    this.#phaseMs = Math.round(phaseMsMin + (byte / 255) * (phaseMsMax - phaseMsMin));
  }

  /** Goes on until the signal comes. */
  async run(): Promise<void> {
    const { logger, signal } = this.#parts;
    await this.#look().catch(() => {}); // what is told first needs something to go by
    while (!signal.aborted) {
      await sleep(untilPhase(this.#parts.clock.now(), this.#phaseMs), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#tell(await this.#look());
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ServerRefused && error.status === 404)) {
          // A server that is away is told of by those who can't do without it.
          if (error instanceof ServerRefused) logger.warn({ err: error }, 'the server does not take samples');
          continue;
        }
        logger.info({}, 'the server does not know of samples yet');
        await sleep(unknownPauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Looks, and keeps what it sees for the next time. @returns what there is to tell */
  async #look(): Promise<Told> {
    const { usage, hostUsage } = this.#parts;
    const [instances, host] = await Promise.all([usage(), hostUsage?.() ?? null]);
    const look = {
      ...{ atMs: performance.now(), host },
      instances: new Map(instances.map((counters) => [counters.instanceId, counters])),
    };
    const told = toldOf(look, this.#before);
    this.#before = look;
    return told;
  }

  async #tell({ atMs, host, instances }: Told): Promise<void> {
    const { client, signal } = this.#parts;
    for (let at = 0; at === 0 || at < instances.length; at += reportItemsMax) {
      const ageMs = Math.round(performance.now() - atMs);
      if (ageMs > sampleAgeMsMax) return;
      const some = instances.slice(at, at + reportItemsMax);
      await client.sendSamples({ ageMs, instances: some, ...(at === 0 ? { host } : {}) }, signal);
    }
  }
}

/** What a look has found out. */
interface Told {
  atMs: number;
  host: HostSample;
  instances: InstanceSample[];
}

/** How long it is until the next time that is `phaseMs` behind the beginning of a step. */
export function untilPhase(now: Date, phaseMs: number): number {
  const aheadMs = phaseMs - (now.getTime() % sampleEveryMs);
  // A timer may run out a moment early, and must not be taken for the one before the next.
  return aheadMs < phaseMsMin ? aheadMs + sampleEveryMs : aheadMs;
}

/** What was used between two looks. */
export function toldOf(now: Look, before: Look | null): Told {
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1_000;
  const instances = [...now.instances.values()].map((counters): InstanceSample => {
    const last = before?.instances.get(counters.instanceId);
    const { instanceId, memoryBytes } = counters;
    const rate = ratesBetween(counters, last?.run === counters.run ? last : undefined, seconds);
    return {
      ...{ instanceId, cpu: rate('cpuSeconds'), memoryBytes },
      ...{ diskReadBytesPerSecond: rate('diskReadBytes'), diskWriteBytesPerSecond: rate('diskWriteBytes') },
      ...{ diskReadsPerSecond: rate('diskReads'), diskWritesPerSecond: rate('diskWrites') },
      networkReceiveBytesPerSecond: rate('networkReceiveBytes'),
      networkSendBytesPerSecond: rate('networkSendBytes'),
    };
  });
  const rate = ratesBetween(now.host, before?.host ?? undefined, seconds);
  const host = {
    ...{ cpu: rate('cpuSeconds'), memoryBytes: now.host?.memoryBytes ?? null, diskBytes: now.host?.diskBytes ?? null },
    networkReceiveBytesPerSecond: rate('networkReceiveBytes'),
    networkSendBytesPerSecond: rate('networkSendBytes'),
    instances: now.instances.size,
  };
  return { atMs: now.atMs, host, instances };
}

/** How much a counter has grown each second; null where one of the two is not known, or something has begun to count anew. */
function ratesBetween<Counted extends object>(
  now: Counted | null,
  before: Counted | undefined,
  seconds: number,
): (name: keyof Counted) => number | null {
  return (name) => {
    const [count, last] = [now?.[name], before?.[name]];
    if (typeof count !== 'number' || typeof last !== 'number' || seconds <= 0 || count < last) return null;
    return Math.round(((count - last) / seconds) * 10_000) / 10_000;
  };
}
