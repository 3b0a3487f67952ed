// Samples on a real PostgreSQL and a clock that the test sets: what is kept of them, for how long, and what is told.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { ensureLocalHost } from '../../src/app/bootstrap.ts';
import type { Context } from '../../src/app/context.ts';
import { MarketView } from '../../src/app/market.ts';
import { acceptSamples, forgetSamples, makeAverages, readSeries } from '../../src/app/sample.ts';
import { readSettings } from '../../src/app/settings.ts';
import { lockedVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import { openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { placeDatabase } from '../support/template.ts';

const schema = join(import.meta.dirname, '../../schema');
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const undo: (() => Promise<unknown>)[] = [];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
let context: Context;
let hostId = '';
let now = new Date('2026-03-01T12:00:00Z');

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-sample-'));
  await chmod(directory, 0o755);
  undo.push(() => rm(directory, { recursive: true, force: true }));
  undo.push(await placeDatabase(join(directory, 'postgres')));
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: silent });
  undo.push(() => postgres.stop());
  const database = openDatabase(postgres.connectionString, () => {});
  undo.push(() => database.destroy());
  await migrate(database, schema);
  context = {
    ...{ database, clock: { now: () => now }, entropy: systemEntropy, logger: silent },
    settings: await readSettings('/nowhere/settings.json'),
    ...{ wakeups: new Wakeups(async () => {}), market: new MarketView(database), vault: lockedVault },
    ...{ allowedImageHosts: new Set(), allowedCallbackHosts: new Set(), publicUrl: 'http://127.0.0.1:1' },
  };
  hostId = await ensureLocalHost(context, 'local', '127.46.0.0/24');
});
after(async () => {
  for (const step of undo.reverse()) await step();
});

/** A host with samples of its own, every ten seconds. */
async function sampled(minutes: number, cpuAt: (step: number) => number | null): Promise<string> {
  const id = randomUUID();
  for (let step = 0; step < minutes * 6; step += 1) {
    const cpu = cpuAt(step);
    if (cpu !== null) await acceptSamples(context, id, { ageMs: 0, host: { cpu, memoryBytes: 1_000 }, instances: [] });
    now = new Date(now.getTime() + 10_000);
  }
  return id;
}

const seriesOf = async (id: string, from: Date, to: Date, step?: number) =>
  readSeries(context, { hostId: id }, { from, to, step });
const cpus = ({ points }: Awaited<ReturnType<typeof seriesOf>>) => points.map(({ cpu }) => cpu);
const rowsIn = async (slots: [number, number]) => {
  const { rows } = await sql<{ rows: number }>`
    select count(*)::int as rows from sample where slot between ${slots[0]} and ${slots[1]}`.execute(context.database);
  return rows[0]?.rows;
};

test('points are averages, and what nobody measured is a hole', async () => {
  now = new Date('2026-03-01T12:00:00Z');
  const began = now;
  const id = await sampled(3, (step) => (step >= 6 && step < 12 ? null : step));
  const fine = await seriesOf(id, began, now);
  assert.deepEqual([fine.step, fine.from, fine.points.length], [10, began, 18]);
  assert.deepEqual(cpus(fine), [0, 1, 2, 3, 4, 5, ...Array(6).fill(null), 12, 13, 14, 15, 16, 17]);
  assert.deepEqual(fine.latest?.cpu, 17);
  assert.deepEqual(cpus(await seriesOf(id, began, now, 60)), [2.5, null, 14.5]);
  // Half of the step of a minute is a hole; what is known of the other counts.
  assert.deepEqual(cpus(await seriesOf(id, began, now, 300)), [8.5]);
  const { points } = await seriesOf(id, began, now, 30);
  assert.deepEqual(
    points.map(({ at }) => at.getTime() - began.getTime()),
    [0, 30_000, 60_000, 90_000, 120_000, 150_000],
  );
  assert.deepEqual([points[2]?.memoryBytes, points[2]?.instances], [null, null]);
});

test('averages of five minutes and of an hour say the same as what they are made of', async () => {
  now = new Date('2026-03-02T12:00:00Z');
  const began = now;
  const id = await sampled(64, (step) => (step % 30 < 15 ? step % 7 : null));
  const before = await seriesOf(id, began, now, 300);
  const inHours = await seriesOf(id, began, now, 3_600);
  await makeAverages(context);
  await makeAverages(context);
  // What lies before is kept as averages alone: it is away, and the answer is the same.
  await sql`truncate sample_000, sample_001, sample_002, sample_003`.execute(context.database);
  now = new Date(now.getTime() + 3 * hourMs);
  const after = await seriesOf(id, began, new Date(now.getTime() - 3 * hourMs), 300);
  const near = (one: (number | null)[], other: (number | null)[]) => {
    assert.equal(one.length, other.length);
    for (const [index, value] of one.entries()) {
      assert.ok(Math.abs((value ?? -1) - (other[index] ?? -1)) < 1e-5, `${index}: ${value} and ${other[index]}`);
    }
  };
  near(cpus(after).slice(0, 12), cpus(before).slice(0, 12));
  assert.equal(before.points[3]?.memoryBytes, 1_000);
  assert.equal(after.points[3]?.memoryBytes, 1_000);
  // The hour that has ended is one row of its own.
  const { rows } = await sql<{ cpu: number; samples: number }>`
    select cpu, samples from sample where slot >= 200 and subject = ${id}::uuid`.execute(context.database);
  assert.equal(rows[0]?.samples, 180);
  near([rows[0]?.cpu ?? null], cpus(inHours).slice(0, 1));
});

test('the beginning of a span is read from averages and its end from samples, without a leap between them', async () => {
  now = new Date('2026-03-03T12:00:00Z');
  const began = now;
  const id = await sampled(30, () => 1);
  await makeAverages(context);
  const more = now;
  await sampled(2, () => 0);
  await acceptSamples(context, id, { ageMs: 0, host: { cpu: 1 }, instances: [] });
  now = new Date(now.getTime() + 10_000);
  // As if it were asked for more than two hours.
  const series = await seriesOf(id, new Date(began.getTime() - 4 * hourMs), now);
  assert.equal(series.step, 300);
  const known = series.points.filter(({ cpu }) => cpu !== null);
  assert.deepEqual(
    known.map(({ at, cpu }) => [at.getTime() - began.getTime(), cpu]),
    [0, 5, 10, 15, 20, 25, 30].map((minute) => [minute * minuteMs, 1]),
  );
  assert.equal(more.getTime() - began.getTime(), 30 * minuteMs);
});

test('averages are made once however many servers make them, and up to where steps have ended', async () => {
  now = new Date('2026-03-04T12:00:00Z');
  await makeAverages(context);
  const id = await sampled(11, () => 2);
  await Promise.all([makeAverages(context), makeAverages(context), makeAverages(context)]);
  const { rows } = await sql<{ at: Date; samples: number }>`
    select at, samples from sample where slot between 100 and 199 and subject = ${id}::uuid order by at`.execute(
    context.database,
  );
  assert.deepEqual(
    rows.map(({ at, samples }) => [at.toISOString(), samples]),
    [
      ['2026-03-04T12:00:00.000Z', 30],
      ['2026-03-04T12:05:00.000Z', 30],
    ],
  );
});

test('what has had its time is forgotten, and nothing else is', async () => {
  await sql`truncate sample`.execute(context.database);
  now = new Date('2026-03-05T00:00:05Z');
  const id = randomUUID();
  const tellOne = () => acceptSamples(context, id, { ageMs: 0, host: { cpu: 1 }, instances: [] });
  let most = 0;
  // Two days, a sample every half hour, and what a purge leaves of them.
  for (let step = 0; step < 2 * 48; step += 1) {
    await tellOne();
    await makeAverages(context);
    await forgetSamples(context);
    now = new Date(now.getTime() + 30 * minuteMs);
    most = Math.max(most, (await rowsIn([0, 99])) ?? 0);
  }
  assert.ok(most <= 6 && most >= 4, `${most} samples`);
  assert.ok(((await rowsIn([100, 199])) ?? 0) >= 2 * 48 - 2);
  // Thirty days on, the averages of five minutes are gone and those of hours are there.
  for (let day = 0; day < 30; day += 1) {
    now = new Date(now.getTime() + dayMs + hourMs);
    await forgetSamples(context);
  }
  assert.equal(await rowsIn([100, 199]), 0);
  const hours = (await rowsIn([200, 299])) ?? 0;
  assert.ok(hours >= 2 * 24 - 1, `${hours} hours`);
  const series = await seriesOf(id, new Date(now.getTime() - 38 * dayMs), now);
  assert.equal(series.step, 7_200);
  assert.ok(series.points.filter(({ cpu }) => cpu === 1).length >= 2 * 12 - 1);
  for (let day = 0; day < 100; day += 1) {
    now = new Date(now.getTime() + dayMs + hourMs);
    await forgetSamples(context);
  }
  assert.equal(await rowsIn([0, 299]), 0);
});

test('of instances that are not its own a host says nothing', async () => {
  const instanceId = `0x${'5'.repeat(40)}`;
  await acceptSamples(context, hostId, { ageMs: 0, instances: [{ instanceId, cpu: 1 }] });
  const { points, latest } = await readSeries(
    context,
    { instanceId },
    { from: new Date(now.getTime() - minuteMs), to: new Date(now.getTime() + minuteMs), step: undefined },
  );
  assert.equal(latest, null);
  assert.ok(points.every(({ cpu }) => cpu === null));
});
