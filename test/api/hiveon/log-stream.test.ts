// The streams that logs come by, over two servers on one database: the customer is connected to one of them, and the host's agent to
// the other. What is told is in log.test.ts.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignments } from '../../../src/api/agent/contract/order.ts';
import type { Stream } from '../../../src/api/agent/contract/stream.ts';
import { logLineLengthMax } from '../../../src/model/log.ts';
import { callApi, until } from '../../support/berth.ts';
import { type LogWorld, letGoMsMax, startLogWorld } from './log-world.ts';
import { assertRefused } from './support.ts';
import type { EnrolledHost } from './talking-host.ts';

let world: LogWorld;

before(async () => {
  world = await startLogWorld();
});
after(() => world.close());

test('a log that says nothing is answered at once and kept alive by what no reader of JSON minds', async () => {
  const { deployment, voice } = await world.talker();
  const log = await world.follow(deployment);
  assert.equal(log.response.status, 200, 'before a line was said');
  await sleep(16_000);
  voice.say('after a while');
  assert.equal((await log.next())?.result?.line, 'after a while');
  log.leave();
  await world.untilNoStreams();
});

test('a reader who leaves is let go of by his server at once, and by the host with its next sign', async () => {
  const { deployment, voice } = await world.talker();
  const log = await world.follow(deployment);
  await until('the host reads', async () => voice.listeners === 1);
  log.leave();
  await world.untilNoStreams();
  await until('the host has let go', async () => voice.listeners === 0, letGoMsMax);
});

test('a reader who is slow holds the host up, misses nothing, and fills nobody’s disk', async () => {
  const { deployment, voice } = await world.talker();
  const log = await world.follow(deployment, '&tail=0');
  const said = Array.from({ length: 3_000 }, (_, number) => String(number).padStart(8 * 1024, '.'));
  for (const line of said) voice.say(line);
  let unreadMax = 0;
  for (let look = 0; look < 70; look += 1) {
    await sleep(100);
    unreadMax = Math.max(
      unreadMax,
      (await world.database.selectFrom('stream_chunk').select('sequence').execute()).length,
    );
  }
  assert.ok(unreadMax > 0 && unreadMax <= 8, `${unreadMax} chunks waited at once`);
  voice.end();
  const lines = (await log.rest()).map(({ result }) => result?.line);
  assert.deepEqual(lines, [...said, 'The container has ended.']);
});

test('a host that does not answer is told as such in time, with a status where none was sent yet', async () => {
  const { deployment } = await world.begun(world.mute);
  const beganAtMs = performance.now();
  const [atOnce, followed] = await Promise.all([world.logs(deployment), world.follow(deployment)]);
  assert.ok(performance.now() - beganAtMs < 40_000);
  assertRefused(atOnce, 503, 14, 'does not answer');
  assert.equal(followed.response.status, 503);
  await world.untilNoStreams();
});

test('a stream that a host breaks off in the middle ends in an error', async () => {
  const { deployment } = await world.begun(world.mute);
  const log = world.follow(deployment);
  const { id } = await offered(deployment);
  const lines = [{ timestamp: '2026-01-01T00:00:00Z', stream: 'stdout', line: 'only' }];
  assert.deepEqual((await send(world.mute, id, { sequence: 1, lines })).body, { wanted: true, accepted: true });
  const messages = await (await log).rest();
  assert.equal(messages[0]?.result?.line, 'only');
  assert.equal(messages[1]?.error?.code, 14);
  assert.match(messages[1]?.error?.message ?? '', /does not answer/);
  assert.deepEqual((await send(world.mute, id, { sequence: 2, lines })).body, { wanted: false, accepted: false });
});

const send = (as: EnrolledHost, id: string, batch: object) =>
  callApi(world.second.url, as.credential, 'POST', `/agent/v1/streams/${id}`, { lines: [], ...batch });

/** The stream that the mute host is told of when it asks as an agent does that has seen everything else. */
async function offered(deployment: string): Promise<Stream> {
  const poll = (query: string) =>
    callApi<Assignments>(world.second.url, world.mute.credential, 'GET', `/agent/v1/assignments${query}`);
  const { revision } = (await poll('')).body;
  let found: Stream | undefined;
  await until('the host is told of the stream', async () => {
    const { instanceId } = await idOf(deployment);
    const { streams = [] } = (await poll(`?after=${revision}&wait=5`)).body;
    found = streams.find((stream) => stream.instanceId === instanceId);
    return found !== undefined;
  });
  return found as Stream;
}

async function idOf(deployment: string): Promise<{ instanceId: string }> {
  const { id } = await world.database
    .selectFrom('instance')
    .where('deployment_id', '=', deployment)
    .select('id')
    .executeTakeFirstOrThrow();
  return { instanceId: id };
}

test('a host is told of a stream again until it begins; a batch that comes twice is told once; nobody else’s is taken', async () => {
  const { deployment } = await world.begun(world.mute);
  const following = world.follow(deployment, '&tail=5&since=2026-01-01T00:00:00Z');
  const stream = await offered(deployment);
  const { id, tail, since, follow: isFollowed } = stream;
  assert.deepEqual({ tail, since, isFollowed }, { tail: 5, since: '2026-01-01T00:00:00.000Z', isFollowed: true });
  assert.equal((await offered(deployment)).id, id, 'told again, for the first answer may have been lost');
  const line = (text: string) => ({ timestamp: '2026-01-01T00:00:00Z', stream: 'stdout', line: text });
  const notWanted = { wanted: false, accepted: false };
  assert.deepEqual((await send(world.host, id, { sequence: 1, lines: [line('foreign')] })).body, notWanted);
  assert.deepEqual((await send(world.mute, randomUUID(), { sequence: 1 })).body, notWanted);
  assert.deepEqual((await send(world.mute, 'x', { sequence: 1 })).body, notWanted);
  for (let time = 0; time < 2; time += 1) {
    const answer = await send(world.mute, id, { sequence: 1, lines: [line('once')] });
    assert.deepEqual(answer.body, { wanted: true, accepted: true });
  }
  for (const batch of [
    { sequence: 0 },
    { sequence: 2, ending: 'x' },
    { sequence: 2, lines: [line('x'.repeat(logLineLengthMax + 1))] },
    { sequence: 2, lines: [{ ...line('x'), stream: 'system' }] },
  ]) {
    assert.equal((await send(world.mute, id, batch)).status, 400);
  }
  assert.equal((await send({ ...world.mute, credential: world.berth.apiKey }, id, { sequence: 2 })).status, 401);
  await send(world.mute, id, { sequence: 2, lines: [line('last')], ending: 'ended' });
  const lines = (await (await following).rest()).map(({ result }) => result?.line);
  assert.deepEqual(lines, ['once', 'last', 'The container has ended.']);
  assert.deepEqual((await send(world.mute, id, { sequence: 3 })).body, notWanted);
});

test('a host that can’t read what a container says is told as such', async () => {
  const { deployment } = await world.begun(world.mute);
  const answer = world.logs(deployment);
  await send(world.mute, (await offered(deployment)).id, { sequence: 1, ending: 'unavailable' });
  assertRefused(await answer, 503, 14, "can't read");
});

test('a stream whose server was killed expires: the host is told that nobody wants it', async () => {
  const { instanceId } = await world.begun(world.mute);
  const id = randomUUID();
  const { account_id } = await world.database
    .selectFrom('instance')
    .where('id', '=', instanceId)
    .select('account_id')
    .executeTakeFirstOrThrow();
  const query = JSON.stringify({ tail: 1, since: null, follow: true });
  const row = { id, account_id, host_id: world.mute.id, instance_id: instanceId, query, offered_at: null };
  await world.database
    .insertInto('stream')
    .values({ ...row, expires_at: new Date(Date.now() + 60_000) })
    .execute();
  assert.deepEqual((await send(world.mute, id, { sequence: 1 })).body, { wanted: true, accepted: true });
  await world.database
    .updateTable('stream')
    .set({ expires_at: new Date(Date.now() - 1) })
    .where('id', '=', id)
    .execute();
  assert.deepEqual((await send(world.mute, id, { sequence: 2 })).body, { wanted: false, accepted: false });
  await world.database.deleteFrom('stream').where('id', '=', id).execute();
});
