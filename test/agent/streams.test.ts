// How a host sends what customers read of its containers, against a server that is slow, away, or has lost interest.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerRefused } from '../../src/agent/client.ts';
import type { LogQuery } from '../../src/agent/container/driver.ts';
import { DriverAway, DriverFailure } from '../../src/agent/driver.ts';
import { Streams } from '../../src/agent/streams.ts';
import {
  type Stream,
  type StreamAnswer,
  type StreamBatch,
  streamBatchBytesMax,
  streamsMax,
} from '../../src/api/agent/contract/stream.ts';
import { type LogLine, logLineLengthMax } from '../../src/model/log.ts';
import { until } from '../support/berth.ts';

const quiet = { warn() {} };
const taken: StreamAnswer = { wanted: true, accepted: true };
const instanceId = `0x${'a'.repeat(40)}`;
const started: Streams[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((streams) => streams.stop()));
});

const stream = (id: string, fields: Partial<Stream> = {}): Stream => {
  return { id, instanceId, tail: 100, since: null, follow: true, ...fields };
};
const lineOf = (line: string): LogLine => ({ timestamp: '2026-01-01T00:00:00.000000001Z', stream: 'stdout', line });

/** What a container says now, and then nothing more until nobody listens. */
async function* speaks(lines: Iterable<string>, signal: AbortSignal): AsyncGenerator<LogLine> {
  for (const line of lines) yield lineOf(line);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

/** Streams over a driver, and what arrives at a server that answers so. */
function streamsOf(
  logs: (id: string, query: LogQuery, signal: AbortSignal) => AsyncIterable<LogLine>,
  answer: (batch: StreamBatch, attempt: number) => StreamAnswer | Promise<StreamAnswer> = () => taken,
): { streams: Streams; sent: StreamBatch[] } {
  const sent: StreamBatch[] = [];
  const client = {
    async sendBatch(_id: string, batch: StreamBatch) {
      sent.push(batch);
      return answer(batch, sent.length);
    },
  };
  const streams = new Streams({ client, logs, logger: quiet });
  started.push(streams);
  return { streams, sent };
}

const linesIn = (batches: readonly StreamBatch[]) => batches.flatMap(({ lines }) => lines.map(({ line }) => line));
const isOver = (batches: readonly StreamBatch[]) => batches.at(-1)?.ending !== undefined;

test('what a container has said arrives whole, in order, numbered from 1, and its end is told', async () => {
  const said = Array.from({ length: 10_000 }, (_, number) => `line ${number}`);
  const asked: [string, LogQuery][] = [];
  const { streams, sent } = streamsOf(
    async function* (id, query) {
      asked.push([id, query]);
      for (const line of said) yield lineOf(line);
    },
    () => sleep(2, taken),
  );
  streams.offer([stream('s', { tail: 7, since: '2026-01-01T00:00:00.000Z', follow: false })]);
  await until('the end is told', async () => isOver(sent));
  assert.deepEqual(asked, [[instanceId, { tail: 7, since: new Date('2026-01-01T00:00:00Z'), follow: false }]]);
  assert.deepEqual(linesIn(sent), said);
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    sent.map((_, index) => index + 1),
  );
  assert.equal(sent.at(-1)?.ending, 'ended');
  assert.ok(sent.length < 20, `lines travel together: ${sent.length} batches`);
});

test('the driver is read no faster than the server takes it, and no batch is larger than one may be', async () => {
  let read = 0;
  const gate = Promise.withResolvers<void>();
  const { streams, sent } = streamsOf(
    async function* () {
      for (; read < 400; read += 1) yield lineOf('\u0001'.repeat(logLineLengthMax + 5));
    },
    async () => {
      await gate.promise;
      return taken;
    },
  );
  streams.offer([stream('s')]);
  await until('a batch is on its way', async () => sent.length > 0);
  await sleep(200);
  assert.ok(read < 10, `${read} lines were read while the server took none`);
  gate.resolve();
  await until('the end is told', async () => isOver(sent));
  assert.equal(linesIn(sent).length, 400);
  assert.ok(linesIn(sent).every((line) => line.length === logLineLengthMax));
  const largest = Math.max(...sent.map((batch) => Buffer.byteLength(JSON.stringify(batch))));
  assert.ok(largest < 2 * streamBatchBytesMax, `${largest} bytes`);
});

test('a container that says nothing is told of all the same, at once and then every 5 s', async () => {
  const { streams, sent } = streamsOf((_id, _query, signal) => speaks([], signal));
  streams.offer([stream('s')]);
  await until('the first sign', async () => sent.length === 1, 1_000);
  await sleep(1_000);
  assert.deepEqual(sent, [{ sequence: 1, lines: [] }]);
  await until('the second sign', async () => sent.length === 2, 5_000);
});

test('a batch whose answer was lost, or that found no room, is sent again under its number', async () => {
  const answers: (() => StreamAnswer)[] = [
    () => {
      throw new TypeError('fetch failed');
    },
    () => {
      throw new ServerRefused(503, 'starting');
    },
    () => ({ wanted: true, accepted: false }),
  ];
  const { streams, sent } = streamsOf(
    async function* () {
      yield lineOf('once');
    },
    (_batch, attempt) => answers[attempt - 1]?.() ?? taken,
  );
  streams.offer([stream('s', { follow: false })]);
  await until('the end is told', async () => sent.length >= 4 && isOver(sent));
  const first = sent.slice(0, 4);
  assert.deepEqual(first, Array(4).fill(first[0]));
  assert.deepEqual(linesIn(sent.slice(3)), ['once']);
});

test('a stream that is not wanted, or refused, is let go of, with its hold on the driver', async () => {
  for (const answer of [
    () => ({ wanted: false, accepted: false }),
    () => {
      throw new ServerRefused(400, 'no');
    },
  ]) {
    let left = false;
    const { streams, sent } = streamsOf(async function* (_id, _query, signal) {
      try {
        yield* speaks(['a'], signal);
      } finally {
        left = true;
      }
    }, answer);
    streams.offer([stream('s')]);
    await until('the driver is let go of', async () => left, 2_000);
    await sleep(100);
    assert.equal(sent.length, 1);
  }
});

test('why a container can’t be read is told: it is not there, or what runs it does not answer', async () => {
  for (const [error, ending] of [
    [new DriverFailure('container.gone', 'x', false), 'gone'],
    [new DriverAway('x'), 'unavailable'],
    [new Error('x'), 'unavailable'],
  ] as const) {
    const { streams, sent } = streamsOf(async function* () {
      yield lineOf('before');
      throw error;
    });
    streams.offer([stream('s')]);
    await until('the end is told', async () => isOver(sent));
    assert.deepEqual([linesIn(sent), sent.at(-1)?.ending], [['before'], ending]);
  }
});

test('a stream that is told of twice is sent once, and a host sends so many at once and no more', async () => {
  const { streams, sent } = streamsOf((_id, _query, signal) => speaks(['a'], signal));
  streams.offer([stream('s'), stream('s')]);
  streams.offer([stream('s')]);
  await until('it is sent', async () => sent.length === 1);
  await sleep(100);
  assert.equal(sent.length, 1);
  streams.offer(Array.from({ length: streamsMax + 5 }, (_, number) => stream(`s${number}`)));
  await until('the others are sent', async () => sent.length === streamsMax);
  await sleep(100);
  assert.equal(sent.length, streamsMax);
});

test('an agent that stops ends all of its streams, also one whose batch the server keeps waiting', async () => {
  const never = new Promise<StreamAnswer>(() => {});
  const client = {
    sendBatch: (_id: string, _batch: StreamBatch, signal: AbortSignal) =>
      Promise.race([
        never,
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      ]),
  };
  let open = 0;
  const logs = async function* (_id: string, _query: LogQuery, signal: AbortSignal) {
    open += 1;
    try {
      yield* speaks(['a'], signal);
    } finally {
      open -= 1;
    }
  };
  const streams = new Streams({ client, logs, logger: quiet });
  streams.offer([stream('a'), stream('b')]);
  await until('both are read', async () => open === 2);
  await streams.stop();
  assert.equal(open, 0);
  streams.offer([stream('c')]);
  await sleep(50);
  assert.equal(open, 0, 'none begins after that');
});
