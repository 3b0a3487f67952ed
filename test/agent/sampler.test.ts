// What an agent makes of counters: rates between two looks, and nothing where there is nothing to compare with.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { ServerClient } from '../../src/agent/client.ts';
import type { Counters } from '../../src/agent/driver.ts';
import { Sampler, toldOf, untilPhase } from '../../src/agent/sampler.ts';
import type { Samples } from '../../src/api/agent/contract/sample.ts';
import { until } from '../support/berth.ts';

const instanceId = `0x${'7'.repeat(40)}`;
const counters = (more: Partial<Counters> = {}): Counters => ({
  ...{ instanceId, run: '1', cpuSeconds: 100, memoryBytes: 1_000_000 },
  ...{ diskReadBytes: 4_000, diskWriteBytes: 8_000, diskReads: 1, diskWrites: 2 },
  ...{ networkReceiveBytes: null, networkSendBytes: null, ...more },
});
const look = (atMs: number, ...instances: Counters[]) => ({
  ...{ atMs, host: null },
  instances: new Map(instances.map((one) => [one.instanceId, one])),
});
const told = (before: Counters | null, now: Counters, ms = 10_000) =>
  toldOf(look(ms, now), before && look(0, before)).instances[0];

test('what is told is how much a counter has grown each second', () => {
  const now = counters({ cpuSeconds: 115, diskReadBytes: 44_000, diskWrites: 7 });
  assert.deepEqual(told(counters(), now), {
    ...{ instanceId, cpu: 1.5, memoryBytes: 1_000_000 },
    ...{ diskReadBytesPerSecond: 4_000, diskWriteBytesPerSecond: 0, diskReadsPerSecond: 0, diskWritesPerSecond: 0.5 },
    ...{ networkReceiveBytesPerSecond: null, networkSendBytesPerSecond: null },
  });
  // Over the time that has really gone by.
  assert.equal(told(counters(), now, 20_000)?.cpu, 0.75);
});

test('at the first look, after a restart, and where a counter went back, no rate is told', () => {
  assert.equal(told(null, counters())?.cpu, null);
  assert.equal(told(null, counters())?.memoryBytes, 1_000_000);
  assert.equal(told(counters(), counters({ run: '2', cpuSeconds: 500 }))?.cpu, null);
  const wrapped = told(counters(), counters({ diskReadBytes: 3_999, cpuSeconds: 101 }));
  assert.deepEqual([wrapped?.diskReadBytesPerSecond, wrapped?.cpu], [null, 0.1]);
  assert.equal(told(counters(), counters({ cpuSeconds: 200 }), 0)?.cpu, null);
  assert.equal(
    told(counters({ networkSendBytes: null }), counters({ networkSendBytes: 5 }))?.networkSendBytesPerSecond,
    null,
  );
});

test('a host is told of as its instances are, and how many there are', () => {
  const host = { cpuSeconds: 10, memoryBytes: 5, diskBytes: 6, networkReceiveBytes: 100, networkSendBytes: null };
  const before = { ...look(0), host };
  const now = { ...look(10_000, counters()), host: { ...host, cpuSeconds: 30, networkReceiveBytes: 1_100 } };
  assert.deepEqual(toldOf(now, before).host, {
    ...{ cpu: 2, memoryBytes: 5, diskBytes: 6, instances: 1 },
    ...{ networkReceiveBytesPerSecond: 100, networkSendBytesPerSecond: null },
  });
});

test('each step has one look, wherever the clock stands and however early a timer runs out', () => {
  for (const [now, phaseMs, waitMs] of [
    [0, 5_000, 5_000],
    [4_999, 5_000, 10_001],
    [5_000, 5_000, 10_000],
    [5_001, 5_000, 9_999],
    [9_999, 1_000, 1_001],
    [12_000, 9_000, 7_000],
  ] as const)
    assert.equal(untilPhase(new Date(now), phaseMs), waitMs, `${now} ${phaseMs}`);
});

test('a server that knows no samples is left in peace, and one that is away costs no more than a hole', async (t) => {
  const sent: Samples[] = [];
  let status = 500;
  const server = createServer(async (request, response) => {
    sent.push((await json(request)) as Samples);
    response.statusCode = status;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stopping = new AbortController();
  const said: string[] = [];
  // A clock that stands still a second before the next look.
  const clock = { now: () => new Date(3_900) };
  const sampler = new Sampler({
    client: new ServerClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
    usage: async () => [counters()],
    ...{ hostUsage: null, clock, entropy: { bytes: () => new Uint8Array([127]) } },
    logger: {
      info: (_fields, message) => void said.push(message),
      warn: (_fields, message) => void said.push(message),
    },
    signal: stopping.signal,
  });
  const running = sampler.run();
  t.after(async () => {
    stopping.abort();
    await running;
    server.closeAllConnections();
    server.close();
  });
  await until('it has gone on after an error', async () => sent.length >= 1);
  status = 404;
  await until('it has been told that there is no such thing', async () => said.some((word) => /not know/.test(word)));
  const count = sent.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(sent.length, count);
  assert.ok(sent.every(({ ageMs, instances }) => ageMs >= 0 && ageMs < 30_000 && instances.length === 1));
});
