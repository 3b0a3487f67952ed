// Thousands of requests over every operation of Berth's own API: its example with things that are there, most of them bent in one
// place. No server error, no answer that is not documented, nothing unforeseen in the log. A failing run repeats from its seed
// (BERTH_GENERATED_SEED).

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { junk, maybeBent, type Sent, sendOver, spoiled } from '../requests.ts';
import { driftOf } from '../support.ts';
import { faultsOf, type Operation, operations } from './document.ts';
import { exampleIn, startWorld } from './world.ts';

const seed = Number(process.env.BERTH_GENERATED_SEED ?? 20_261_122);
const requestsPerOperation = 40;
const atOnce = 8;
/** Not a measure of speed: an answer that takes this long is none. */
const answerMsMax = 60_000;

const world = await startWorld();
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
after(async () => {
  agent.destroy();
  await world.close();
});

/** What does not end, and what ends the session that asks. */
const left = new Set(['streamEvents', 'deleteCurrentSession', 'deleteSession', 'updateUser', 'deleteUser']);
const walked = operations.filter(({ id }) => !left.has(id));

const text = fc.oneof(
  fc.constantFrom('', 'x', '0', '-1', '1.5', '%00', 'ins_x', '0x1', '../..', 'a'.repeat(300), '99999999999999999999'),
  fc.string({ unit: 'binary', maxLength: 40 }).map((given) => given.toWellFormed()),
);
const sometimes = <Value>(right: Value, other: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: other });

/** Requests of an operation: as its example is, but for what is bent. */
function sentOf({ method, path }: Operation, { params, query, body }: Operation['example']): fc.Arbitrary<Sent> {
  const places = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, sometimes(value, text)]));
  const parts = Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, sometimes(String(value), text)]),
  );
  const search = fc.record(parts, { requiredKeys: [] });
  const stray = fc.option(fc.constantFrom('x=1', 'limit=0', 'dryRun=maybe', 'cursor=%00', 'a[b]=c', '%'), {
    freq: 8,
    nil: '',
  });
  const sentBody =
    body === undefined
      ? fc.constantFrom<string | undefined>(undefined, undefined, undefined, '{}')
      : fc.oneof(
          { weight: 12, arbitrary: maybeBent(fc.constant(body)).map((value) => JSON.stringify(value)) },
          { weight: 1, arbitrary: spoiled(fc.constant(body)) },
          { weight: 1, arbitrary: junk.map((value) => JSON.stringify(value)) },
        );
  const headers = fc
    .record(
      {
        'idempotency-key': fc.constantFrom('a', 'b', 'c d', 'x'.repeat(300)),
        'if-match': fc.constantFrom('*', '"x"', ''),
        'if-none-match': fc.constantFrom('*', 'W/"x"'),
        accept: fc.constantFrom('text/csv', 'text/html', '*/*'),
      },
      { requiredKeys: [] },
    )
    .map((given) => (Object.keys(given).length > 2 ? {} : given));
  return fc.record({ at: fc.record(places), search, stray, headers, body: sentBody }).map((one) => {
    const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(one.at[name] ?? 'x'));
    const given = new URLSearchParams(one.search as Record<string, string>).toString();
    const asked = [given, one.stray].filter(Boolean).join('&');
    return {
      ...{ method, path: `${filled}${asked ? `?${asked}` : ''}`, body: one.body },
      headers: {
        ...(one.headers as Record<string, string>),
        ...(one.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    };
  });
}

/** What is wrong with an answer; null where nothing is. */
function faultOf(
  operation: Operation,
  { status, type = '', text: body }: Awaited<ReturnType<typeof sendOver>>,
): string | null {
  if (status === 500) return 'a server error';
  // Whatever a bent path leads to has an answer of its own.
  if (!operation.statuses.includes(status) && ![304, 404, 405].includes(status))
    return 'a status that is not documented';
  if (status === 204 || status === 304 || type.startsWith('text/csv')) return null;
  if (status >= 400 && !type.startsWith('application/problem+json'))
    return body.startsWith('{"error"') ? null : `served as ${type}`;
  return faultsOf(operation, status, JSON.parse(body));
}

test(`generated requests over every operation are answered as documented (seed ${seed})`, async (t) => {
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  const queue: { operation: Operation; sent: Sent }[] = [];
  for (const [index, operation] of walked.entries()) {
    const requests = sentOf(operation, await exampleIn(world, operation));
    for (const sent of fc.sample(requests, { seed: seed + index, numRuns: requestsPerOperation }))
      queue.push({ operation, sent });
  }
  const token = { authorization: `Bearer ${world.operator}` };
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { operation, sent } = next;
      const authorization = operation.isPublic ? {} : token;
      const answer = await sendOver(
        agent,
        world.berth.url,
        { ...sent, headers: { ...sent.headers, ...authorization } },
        answerMsMax,
      );
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = faultOf(operation, answer);
      if (fault)
        faults.push(
          `${operation.id} ${sent.method} ${sent.path.slice(0, 200)} ${sent.body?.slice(0, 300)}: ${answer.status} ${fault}: ${answer.text.slice(0, 300)}`,
        );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  t.diagnostic(
    [...statuses]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  );
  assert.deepEqual(faults.slice(0, 20), []);
  assert.ok((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) > walked.length, 'many were right');
});

test('afterwards nothing unforeseen is in the log, and everything agrees', async () => {
  assert.doesNotMatch(world.berth.log(), /request failed unexpectedly/);
  // Orphans are among what is made for the requests.
  const drift = (await driftOf(world.database)).filter(({ kind }) => kind !== 'orphan');
  assert.deepEqual(drift, []);
});
