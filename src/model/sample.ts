// Samples of what instances and hosts use: how often they are taken, which averages are made of them and how long each is kept, and
// which of these answers a question about a span of time.

/** How often a host measures. Below this what is charted moves no smoother, and costs more. */
export const sampleEveryMs = 10_000;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Long enough to see what has just happened. */
const rawKeptMs = 2 * hourMs;
/** A week, and the day to compare it with. */
const fiveMinutesKeptMs = 8 * dayMs;
/** A quarter of a year, as events are kept. */
const hoursKeptMs = 90 * dayMs;

/** One fineness of what is kept. */
export interface Tier {
  index: number;
  /** What one row is about. */
  stepMs: number;
  /** How long it is kept at least. */
  keptMs: number;
  /** How much time shares a table, and how many tables there are: those that are needed, and one that is emptied for what comes. */
  slotMs: number;
  slots: number;
}

/** From the finest to the coarsest; each is made of the one before it. */
export const tiers: readonly [raw: Tier, fiveMinutes: Tier, hours: Tier] = [
  { index: 0, stepMs: sampleEveryMs, keptMs: rawKeptMs, slotMs: hourMs, slots: 4 },
  { index: 1, stepMs: 5 * minuteMs, keptMs: fiveMinutesKeptMs, slotMs: dayMs, slots: 10 },
  { index: 2, stepMs: hourMs, keptMs: hoursKeptMs, slotMs: 10 * dayMs, slots: 11 },
];

/** How far the numbers of two tiers' slots are apart. */
const slotsApart = 100;

/** The slot that a moment of a tier is in. @param ahead counts slots from there on */
export function slotOf({ index, slotMs, slots }: Tier, at: Date, ahead = 0): number {
  return index * slotsApart + ((Math.floor(at.getTime() / slotMs) + ahead) % slots);
}

/** The slots of a tier, from the first up to before the last. */
export const slotsOf = ({ index, slots }: Tier) => ({
  first: index * slotsApart,
  end: index * slotsApart + slots,
});

/** The beginning of the step that a moment is in. Steps begin at whole multiples since 1970. */
export const stepStart = (at: Date, stepMs: number): Date => new Date(Math.floor(at.getTime() / stepMs) * stepMs);

/** Points of one answer: as many as a chart is wide. */
export const pointsMax = 720;

/** What lies between two points may be, in seconds. */
export const steps = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400] as const;

/** Who asks for the last two hours asks a moment later, or by a clock that is behind. */
const behindMsMax = 60_000;

/** Whether a tier still has what was at a moment. */
const keeps = ({ keptMs }: Tier, at: Date, now: Date) => at.getTime() >= now.getTime() - keptMs - behindMsMax;

/** How many points there are in a span. */
export function pointsIn(span: { from: Date; to: Date }, stepSeconds: number): number {
  const stepMs = stepSeconds * 1_000;
  return Math.ceil((span.to.getTime() - stepStart(span.from, stepMs).getTime()) / stepMs);
}

/**
 * The finest step that shows a whole span: with no more points than an answer may have, and none that is finer than what is kept
 * of its beginning. Undefined where the span is too long for any.
 */
export function finestStep(span: { from: Date; to: Date }, now: Date): number | undefined {
  const tier = tiers.find((one) => keeps(one, span.from, now)) ?? tiers[2];
  return steps.find((step) => step * 1_000 >= tier.stepMs && pointsIn(span, step) <= pointsMax);
}

/** A stretch of time, and the tier that tells of it. */
export interface Stretch {
  tier: Tier;
  from: Date;
  to: Date;
}

/**
 * What has to be read to answer for a span: its beginning from the finest tier that still has it and fits the step, and what that
 * tier is not made of yet from finer ones.
 * @param madeUntil up to where the second and the third tier are made
 */
export function stretchesOf(
  span: { from: Date; to: Date },
  stepSeconds: number,
  now: Date,
  madeUntil: readonly [fiveMinutes: Date, hours: Date],
): Stretch[] {
  const fitting = tiers.filter(({ stepMs }) => stepMs <= stepSeconds * 1_000);
  const begins = fitting.find((one) => keeps(one, span.from, now)) ?? fitting.at(-1);
  const [fiveMinutesEnd, hoursEnd] = madeUntil;
  const ends = [span.to, fiveMinutesEnd, hoursEnd];
  const stretches: Stretch[] = [];
  let from = span.from;
  for (let index = begins?.index ?? 0; index >= 0; index -= 1) {
    const [tier, end] = [tiers[index], ends[index]];
    if (!tier || !end) continue;
    const to = new Date(Math.min(end.getTime(), span.to.getTime()));
    if (from >= to) continue;
    stretches.push({ tier, from, to });
    from = to;
  }
  return stretches;
}
