// What instances and hosts use: taken from hosts as they measure it, averaged, and shown.

import { BerthError } from '../model/errors.ts';
import type { Span } from '../model/moment.ts';
import {
  finestStep,
  pointsIn,
  pointsMax,
  sampleEveryMs,
  stepStart,
  steps,
  stretchesOf,
  type Tier,
  tiers,
} from '../model/sample.ts';
import { inTransaction } from '../store/database.ts';
import {
  emptyNextSlot,
  findFirst,
  findLatest,
  insertSamples,
  makeStep,
  noteMadeUntil,
  readAverages,
  readMadeUntil,
  type Subject,
  takeTier,
  type Usage,
  type UsageAt,
} from '../store/sample.ts';
import type { Context } from './context.ts';

export type { Usage, UsageAt } from '../store/sample.ts';

const unknown: Usage = {
  ...{ cpu: null, memoryBytes: null, diskBytes: null, diskReadBytesPerSecond: null, diskWriteBytesPerSecond: null },
  ...{ diskReadsPerSecond: null, diskWritesPerSecond: null },
  ...{ networkReceiveBytesPerSecond: null, networkSendBytesPerSecond: null, instances: null },
};

/** What a host has measured; what is left out it does not know. */
export interface HostSamples {
  /** How long ago it was, in milliseconds: hosts' clocks are not to be trusted. */
  ageMs: number;
  host?: Partial<Usage>;
  instances: readonly ({ instanceId: string } & Partial<Usage>)[];
}

/** Takes what the host with this id has measured, of itself and of instances that are its own. */
export async function acceptSamples({ database, clock }: Context, hostId: string, given: HostSamples): Promise<void> {
  const at = stepStart(new Date(clock.now().getTime() - given.ageMs), sampleEveryMs);
  const host = given.host ? { ...unknown, ...given.host } : null;
  const instances = given.instances.map((one) => ({ ...unknown, ...one }));
  await insertSamples(database, tiers[0], at, hostId, host, instances);
}

/** Which averages are wanted. */
export interface SeriesRequest {
  from: Date;
  to: Date;
  /** In seconds; the finest that fits where left out. */
  step: number | undefined;
}

/** What something used over a span. */
export interface Series {
  /** In seconds. */
  step: number;
  /** When the first step begins. */
  from: Date;
  /** One for each step; all of it null where nothing is known of that. */
  points: UsageAt[];
  /** The newest sample of the last hours. */
  latest: UsageAt | null;
}

/**
 * What an instance or a host used over a span of time.
 * @throws BerthError `invalid_value` for a span that is none or too long for its step
 */
export async function readSeries(
  { database, clock }: Context,
  subject: Subject,
  asked: SeriesRequest,
): Promise<Series> {
  const now = clock.now();
  const step = stepFor(asked, now);
  const stepMs = step * 1_000;
  const span = { from: stepStart(asked.from, stepMs), to: asked.to };
  const stretches = stretchesOf(span, step, now, await readMadeUntil(database));
  const found = await readAverages(database, subject, stretches, stepMs);
  const since = new Date(now.getTime() - tiers[0].keptMs);
  return {
    ...{ step, from: span.from, points: withHoles(found, span, stepMs) },
    latest: (await findLatest(database, subject, tiers[0], since)) ?? null,
  };
}

function stepFor({ from, to, step }: SeriesRequest, now: Date): number {
  const span = { from, to };
  if (from >= to) {
    const message = `from is ${from.toISOString()}, which is not before to, ${to.toISOString()}.`;
    throw new BerthError('invalid_value', message, 'from');
  }
  const finest = finestStep(span, now);
  if (step === undefined) {
    if (finest !== undefined) return finest;
    const days = (pointsMax * (steps.at(-1) ?? 0)) / 86_400;
    throw new BerthError('invalid_value', `from and to may be up to ${days} days apart.`, 'from');
  }
  const points = pointsIn(span, step);
  if (points <= pointsMax) return step;
  const better = finest === undefined ? 'ask for less time' : `the finest step for this span is ${finest}`;
  const message = `step is ${step}, which makes ${points} points; an answer has up to ${pointsMax}, and ${better}.`;
  throw new BerthError('invalid_value', message, 'step');
}

/** One point for each step; a hole stays one. */
function withHoles(found: readonly UsageAt[], { from, to }: Span, stepMs: number): UsageAt[] {
  const known = new Map(found.map((point) => [point.at.getTime(), point]));
  const points: UsageAt[] = [];
  for (let ms = from.getTime(); ms < to.getTime(); ms += stepMs) {
    points.push(known.get(ms) ?? { at: new Date(ms), ...unknown });
  }
  return points;
}

/** What a host sends takes this long at most; a step that ended earlier than that will get no more samples. */
const lateMsMax = 30_000;

/** Makes the averages of all steps that have ended. Safe to run anywhere and at the same time. */
export async function makeAverages(context: Context): Promise<void> {
  const [raw, fiveMinutes, hours] = tiers;
  const ended = new Date(context.clock.now().getTime() - lateMsMax);
  await makeTier(context, fiveMinutes, raw, ended);
  const [madeUntil] = await readMadeUntil(context.database);
  await makeTier(context, hours, fiveMinutes, madeUntil);
}

async function makeTier({ database, clock }: Context, tier: Tier, finer: Tier, ended: Date): Promise<void> {
  const end = stepStart(ended, tier.stepMs);
  // What the finer tier keeps no more can't be made of it.
  const kept = stepStart(new Date(clock.now().getTime() - finer.keptMs), tier.stepMs);
  const makeNext = async () =>
    inTransaction(database, async (tx) => {
      const madeUntil = await takeTier(tx, tier);
      if (madeUntil === undefined || madeUntil >= end) return false;
      const from = new Date(Math.max(madeUntil.getTime(), kept.getTime()));
      // Of many steps that nothing is known of none is looked at.
      const isLast = end.getTime() - from.getTime() === tier.stepMs;
      const first = isLast ? from : await findFirst(tx, finer, { from, to: end });
      if (first) await makeStep(tx, tier, finer, stepStart(first, tier.stepMs));
      else await noteMadeUntil(tx, tier, end);
      return true;
    });
  while (await makeNext());
}

/** Makes room for what comes next: what is in there has had its time. */
export async function forgetSamples({ database, clock }: Context): Promise<void> {
  for (const tier of tiers) await emptyNextSlot(database, tier, clock.now());
}
