// `GET /vendors/v1/machines/deployments/{id}/logs`, over two servers on one database: the customer is connected to one of
// them, and the host's agent to the other.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Assignments } from '../../../src/api/agent/contract/order.ts';
import type { Stream } from '../../../src/api/agent/contract/stream.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { parseListenAddress } from '../../../src/compose/listen.ts';
import { ensureSecretKey } from '../../../src/compose/secret-key.ts';
import { type RunningServer, startServer } from '../../../src/compose/server.ts';
import { systemEntropy } from '../../../src/compose/system.ts';
import { type LogLine, logLineLengthMax } from '../../../src/model/log.ts';
import type { Database } from '../../../src/store/database.ts';
import { findPlace } from '../../../src/store/embedded/place.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { assertRefused, call, type Machine, startBody, started, stopped, untilStatus } from './support.ts';
import {
  type EnrolledHost,
  enrolHost,
  reportOf,
  startTalkingHost,
  type TalkingHost,
  type Voice,
} from './talking-host.ts';

let berth: TestBerth;
let database: Database;
let second: RunningServer;
let host: TalkingHost;
/** A host that never asks for anything; what a test does not say for it is not said. */
let mute: EnrolledHost;

before(async () => {
  berth = await startTestBerth();
  database = await openStore(berth);
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  second = await startServer(
    {
      ...{ connectionString, listen: parseListenAddress('127.0.0.1:0'), settings: await readSettings('') },
      ...{ imageDirectory: join(berth.directory, 'images-of-second'), allowedImageHosts: [], allowedCallbackHosts: [] },
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
      logger: pino({ level: 'silent' }),
    },
    async () => {},
  );
  host = await startTalkingHost(second, 'talking', '127.47.0.0/24');
  mute = await enrolHost(second, 'mute', '127.47.1.0/24');
});
after(async () => {
  await host.close();
  await second.close();
  await database.destroy();
  await berth.close();
});

interface Talker {
  deployment: string;
  instanceId: string;
  voice: Voice;
}

/** Starts a container on a host's own slot. */
async function begun(on: EnrolledHost): Promise<{ deployment: string; instanceId: string }> {
  const machine = (await call<Machine>(berth, 'GET', `/machines/${await on.letSlot()}`)).body;
  const deployment = await started(berth, startBody(machine));
  const { id: instanceId } = await database
    .selectFrom('instance')
    .where('deployment_id', '=', deployment)
    .select('id')
    .executeTakeFirstOrThrow();
  return { deployment, instanceId };
}

/** Starts a container that talks, and waits until it runs. */
async function talker(on: TalkingHost = host): Promise<Talker> {
  const { deployment, instanceId } = await begun(on);
  await untilStatus(berth, deployment, 'STATUS_RUNNING');
  return { deployment, instanceId, voice: on.voiceOf(instanceId) };
}

interface Logs {
  lines: LogLine[];
  next_page_token: string;
}

const logs = (deployment: string, query = '') =>
  call<Logs>(berth, 'GET', `/machines/deployments/${deployment}/logs${query}`);

/** The lines of an answer that must be a good one, without their times. */
async function saidIn(deployment: string, query = ''): Promise<string[]> {
  const answer = await logs(deployment, query);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.lines.map(({ line }) => line);
}

interface Message {
  result?: LogLine;
  error?: { code: number; message: string };
}

/** A followed log. */
interface Following {
  response: Response;
  /** The next message, after whatever keeps the connection alive; undefined at the end. */
  next(): Promise<Message | undefined>;
  /** All messages to the end. */
  rest(): Promise<Message[]>;
  leave(): void;
}

async function follow(deployment: string, query = '', url = berth.url): Promise<Following> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/vendors/v1/machines/deployments/${deployment}/logs?follow=true${query}`, {
    headers: { 'x-api-key': berth.apiKey },
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(180_000)]),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<Message | undefined> => {
    for (;;) {
      const end = text.indexOf('\n');
      if (end >= 0) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        // As a reader does who knows nothing of white space: each line has to be one value.
        return JSON.parse(line) as Message;
      }
      const step = await reader?.read();
      if (step?.value === undefined) {
        assert.equal(text, '', 'nothing is left over after the last line');
        return undefined;
      }
      text += step.value;
    }
  };
  return {
    response,
    next,
    async rest() {
      const messages: Message[] = [];
      for (let message = await next(); message; message = await next()) messages.push(message);
      return messages;
    },
    leave: () => leaving.abort(),
  };
}

const openStreams = async () => (await database.selectFrom('stream').selectAll().execute()).length;
/** Less than a stream lives that nobody closes. */
const letGoMsMax = 30_000;
const untilNoStreams = () => until('no stream is open', async () => (await openStreams()) === 0, letGoMsMax);

test('what a container has said is told, newest lines last, as many as asked for, from when on is asked for', async () => {
  const { deployment, voice } = await talker();
  assert.deepEqual((await logs(deployment)).body, { lines: [], next_page_token: '' });
  for (let number = 0; number < 150; number += 1) {
    const time = `2026-01-01T00:${String(Math.floor(number / 60)).padStart(2, '0')}:${String(number % 60).padStart(2, '0')}.000000001Z`;
    voice.say(`line ${number}`, number % 2 ? 'stderr' : 'stdout', time);
  }
  const all = Array.from({ length: 150 }, (_, number) => `line ${number}`);
  assert.deepEqual(await saidIn(deployment), all.slice(-100), '100 lines unless told otherwise');
  assert.deepEqual(await saidIn(deployment, '?tail=10000'), all);
  assert.deepEqual(await saidIn(deployment, '?tail=0'), []);
  assert.deepEqual(await saidIn(deployment, '?since=2026-01-01T00:02:00Z'), all.slice(120));
  assert.deepEqual(
    await saidIn(deployment, `?since=${Date.parse('2026-01-01T00:02:00Z') / 1000}&tail=3`),
    all.slice(-3),
  );
  assert.deepEqual(await saidIn(deployment, '?since=1h'), []);
  const [last] = (await logs(deployment, '?tail=1')).body.lines;
  assert.deepEqual(last, { timestamp: '2026-01-01T00:02:29.000000001Z', stream: 'stderr', line: 'line 149' });
  await untilNoStreams();
});

test('text that the database can’t hold is told with the odd characters replaced, and a long line is cut', async () => {
  const { deployment, voice } = await talker();
  voice.say('zero \u0000, half \ud800, whole 😀');
  voice.say('x'.repeat(logLineLengthMax + 1));
  assert.deepEqual(await saidIn(deployment), ['zero \ufffd, half \ufffd, whole 😀', 'x'.repeat(logLineLengthMax)]);
});

test('an answer in one piece holds the newest lines that have room in it', async () => {
  const { deployment, voice } = await talker();
  for (let number = 0; number < 500; number += 1) voice.say(String(number).padStart(logLineLengthMax, '.'));
  const lines = await saidIn(deployment, '?tail=10000');
  assert.ok(lines.length > 200 && lines.length < 300, `${lines.length} lines of 16 KiB`);
  assert.ok(lines.at(-1)?.endsWith('499') && lines[0]?.endsWith(String(500 - lines.length)));
});

test('a followed log tells each line as it is said, until the container has ended', async () => {
  const { deployment, voice } = await talker();
  voice.say('old');
  voice.say('before');
  const log = await follow(deployment, '&tail=1');
  assert.equal(log.response.status, 200);
  assert.equal(log.response.headers.get('content-type'), 'application/x-ndjson');
  assert.equal((await log.next())?.result?.line, 'before');
  const tookMs: number[] = [];
  for (let number = 0; number < 5; number += 1) {
    const saidAtMs = performance.now();
    voice.say(`line ${number}`, 'stderr');
    const message = await log.next();
    assert.equal(message?.result?.line, `line ${number}`);
    assert.equal(message.result.stream, 'stderr');
    tookMs.push(performance.now() - saidAtMs);
  }
  // A machine that is busy may hold up one or another.
  assert.ok(tookMs.filter((ms) => ms < 1_000).length >= 3, `they came at once: ${tookMs}`);
  voice.end();
  const rest = await log.rest();
  assert.deepEqual(
    rest.map(({ result }) => [result?.stream, result?.line]),
    [['system', 'The container has ended.']],
  );
  await untilNoStreams();
});

test('several follow one container, each at a server of its own', async () => {
  const { deployment, voice } = await talker();
  const both = await Promise.all([follow(deployment), follow(deployment, '', second.url)]);
  voice.say('to all');
  for (const log of both) assert.equal((await log.next())?.result?.line, 'to all');
  voice.end();
  for (const log of both) assert.equal((await log.rest()).length, 1);
});

test('a log that says nothing is answered at once and kept alive by what no reader of JSON minds', async () => {
  const { deployment, voice } = await talker();
  const log = await follow(deployment);
  assert.equal(log.response.status, 200, 'before a line was said');
  await sleep(16_000);
  voice.say('after a while');
  assert.equal((await log.next())?.result?.line, 'after a while');
  log.leave();
  await untilNoStreams();
});

test('a reader who leaves is let go of by his server at once, and by the host with its next sign', async () => {
  const { deployment, voice } = await talker();
  const log = await follow(deployment);
  await until('the host reads', async () => voice.listeners === 1);
  log.leave();
  await untilNoStreams();
  await until('the host has let go', async () => voice.listeners === 0, letGoMsMax);
});

test('a reader who is slow holds the host up, misses nothing, and fills nobody’s disk', async () => {
  const { deployment, voice } = await talker();
  const log = await follow(deployment, '&tail=0');
  const said = Array.from({ length: 3_000 }, (_, number) => String(number).padStart(8 * 1024, '.'));
  for (const line of said) voice.say(line);
  let unreadMax = 0;
  for (let look = 0; look < 70; look += 1) {
    await sleep(100);
    unreadMax = Math.max(unreadMax, (await database.selectFrom('stream_chunk').select('sequence').execute()).length);
  }
  assert.ok(unreadMax > 0 && unreadMax <= 8, `${unreadMax} chunks waited at once`);
  voice.end();
  const lines = (await log.rest()).map(({ result }) => result?.line);
  assert.deepEqual(lines, [...said, 'The container has ended.']);
});

test('a container that is not made yet has said nothing, and is followed from its first line on', async () => {
  const slow = await startTalkingHost(second, 'slow', '127.47.2.0/24', { bootMs: 3_000 });
  try {
    const { deployment, instanceId } = await begun(slow);
    assert.deepEqual(await saidIn(deployment), []);
    const voice = slow.voiceOf(instanceId);
    voice.say('hello');
    const log = await follow(deployment);
    assert.equal(log.response.status, 200);
    assert.equal((await log.next())?.result?.line, 'hello');
    log.leave();
  } finally {
    await slow.close();
  }
});

test('what a container said last is told after it has ended, and followed to its end at once', async () => {
  const { deployment, instanceId } = await talker();
  const lines = Array.from({ length: 5 }, (_, number) => {
    return { timestamp: `2026-01-01T00:00:0${number}.5Z`, stream: 'stdout', line: `last ${number}` };
  });
  const event = {
    ...{ id: randomUUID(), instanceId, at: new Date().toISOString(), kind: 'container.last_words', message: 'x' },
    data: { lines: [...lines, { odd: 1 }, null] },
  };
  const told = await callApi(second.url, host.credential, 'POST', '/agent/v1/reports', reportOf(event));
  assert.equal(told.status, 200);
  await stopped(berth, deployment);
  assert.deepEqual((await logs(deployment)).body.lines, lines);
  assert.deepEqual(await saidIn(deployment, '?tail=2'), ['last 3', 'last 4']);
  assert.deepEqual(await saidIn(deployment, '?tail=0'), []);
  assert.deepEqual(await saidIn(deployment, '?since=2026-01-01T00:00:04Z'), ['last 4']);
  const followed = await (await follow(deployment, '&tail=1')).rest();
  assert.deepEqual(
    followed.map(({ result }) => result?.line),
    ['last 4', 'The container has ended.'],
  );
  const silent = await talker();
  await stopped(berth, silent.deployment);
  assert.deepEqual((await logs(silent.deployment)).body, { lines: [], next_page_token: '' });
});

test('what was noted about a deployment is told as lines, too, and followed until it is over', async () => {
  const { deployment } = await talker();
  let noted: LogLine[] = [];
  // What is noted is told once no older transaction is under way.
  await until('it is noted that it runs', async () => {
    noted = (await logs(deployment, '?source=system')).body.lines;
    return noted.some(({ line }) => line === 'Runs.');
  });
  assert.ok(noted.length >= 2);
  assert.ok(noted.every(({ stream, timestamp }) => stream === 'system' && !Number.isNaN(Date.parse(timestamp))));
  assert.match(noted[0]?.line ?? '', /^Accepted and placed/);
  assert.deepEqual(await saidIn(deployment, '?source=system&tail=1'), [noted.at(-1)?.line]);
  const log = await follow(deployment, '&source=system&tail=0');
  await stopped(berth, deployment);
  const lines = (await log.rest()).map(({ result }) => result?.line ?? '');
  assert.match(lines.at(-2) ?? '', /^Is gone/);
  assert.equal(lines.at(-1), 'The container has ended.');
  assert.ok(!lines.some((line) => line.startsWith('Accepted')), 'nothing from before');
  await untilNoStreams();
});

test('a host that does not answer is told as such in time, with a status where none was sent yet', async () => {
  const { deployment } = await begun(mute);
  const beganAtMs = performance.now();
  const [atOnce, followed] = await Promise.all([logs(deployment), follow(deployment)]);
  assert.ok(performance.now() - beganAtMs < 40_000);
  assertRefused(atOnce, 503, 14, 'does not answer');
  assert.equal(followed.response.status, 503);
  await untilNoStreams();
});

test('a stream that a host breaks off in the middle ends in an error', async () => {
  const { deployment } = await begun(mute);
  const log = follow(deployment);
  const { id } = await offered(deployment);
  const lines = [{ timestamp: '2026-01-01T00:00:00Z', stream: 'stdout', line: 'only' }];
  assert.deepEqual((await send(mute, id, { sequence: 1, lines })).body, { wanted: true, accepted: true });
  const messages = await (await log).rest();
  assert.equal(messages[0]?.result?.line, 'only');
  assert.equal(messages[1]?.error?.code, 14);
  assert.match(messages[1]?.error?.message ?? '', /does not answer/);
  assert.deepEqual((await send(mute, id, { sequence: 2, lines })).body, { wanted: false, accepted: false });
});

const send = (as: EnrolledHost, id: string, batch: object) =>
  callApi(second.url, as.credential, 'POST', `/agent/v1/streams/${id}`, { lines: [], ...batch });

/** The stream that the mute host is told of when it asks as an agent does that has seen everything else. */
async function offered(deployment: string): Promise<Stream> {
  const poll = (query: string) =>
    callApi<Assignments>(second.url, mute.credential, 'GET', `/agent/v1/assignments${query}`);
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
  const { id } = await database
    .selectFrom('instance')
    .where('deployment_id', '=', deployment)
    .select('id')
    .executeTakeFirstOrThrow();
  return { instanceId: id };
}

test('a host is told of a stream again until it begins; a batch that comes twice is told once; nobody else’s is taken', async () => {
  const { deployment } = await begun(mute);
  const following = follow(deployment, '&tail=5&since=2026-01-01T00:00:00Z');
  const stream = await offered(deployment);
  const { id, tail, since, follow: isFollowed } = stream;
  assert.deepEqual({ tail, since, isFollowed }, { tail: 5, since: '2026-01-01T00:00:00.000Z', isFollowed: true });
  assert.equal((await offered(deployment)).id, id, 'told again, for the first answer may have been lost');
  const line = (text: string) => ({ timestamp: '2026-01-01T00:00:00Z', stream: 'stdout', line: text });
  const notWanted = { wanted: false, accepted: false };
  assert.deepEqual((await send(host, id, { sequence: 1, lines: [line('foreign')] })).body, notWanted);
  assert.deepEqual((await send(mute, randomUUID(), { sequence: 1 })).body, notWanted);
  assert.deepEqual((await send(mute, 'x', { sequence: 1 })).body, notWanted);
  for (let time = 0; time < 2; time += 1) {
    const answer = await send(mute, id, { sequence: 1, lines: [line('once')] });
    assert.deepEqual(answer.body, { wanted: true, accepted: true });
  }
  for (const batch of [
    { sequence: 0 },
    { sequence: 2, ending: 'x' },
    { sequence: 2, lines: [line('x'.repeat(logLineLengthMax + 1))] },
    { sequence: 2, lines: [{ ...line('x'), stream: 'system' }] },
  ]) {
    assert.equal((await send(mute, id, batch)).status, 400);
  }
  assert.equal((await send({ ...mute, credential: berth.apiKey }, id, { sequence: 2 })).status, 401);
  await send(mute, id, { sequence: 2, lines: [line('last')], ending: 'ended' });
  const lines = (await (await following).rest()).map(({ result }) => result?.line);
  assert.deepEqual(lines, ['once', 'last', 'The container has ended.']);
  assert.deepEqual((await send(mute, id, { sequence: 3 })).body, notWanted);
});

test('a host that can’t read what a container says is told as such', async () => {
  const { deployment } = await begun(mute);
  const answer = logs(deployment);
  await send(mute, (await offered(deployment)).id, { sequence: 1, ending: 'unavailable' });
  assertRefused(await answer, 503, 14, "can't read");
});

test('a stream whose server was killed expires: the host is told that nobody wants it', async () => {
  const { instanceId } = await begun(mute);
  const id = randomUUID();
  const { account_id } = await database
    .selectFrom('instance')
    .where('id', '=', instanceId)
    .select('account_id')
    .executeTakeFirstOrThrow();
  const query = JSON.stringify({ tail: 1, since: null, follow: true });
  const row = { id, account_id, host_id: mute.id, instance_id: instanceId, query, offered_at: null };
  await database
    .insertInto('stream')
    .values({ ...row, expires_at: new Date(Date.now() + 60_000) })
    .execute();
  assert.deepEqual((await send(mute, id, { sequence: 1 })).body, { wanted: true, accepted: true });
  await database
    .updateTable('stream')
    .set({ expires_at: new Date(Date.now() - 1) })
    .where('id', '=', id)
    .execute();
  assert.deepEqual((await send(mute, id, { sequence: 2 })).body, { wanted: false, accepted: false });
  await database.deleteFrom('stream').where('id', '=', id).execute();
});

test('an account reads 20 logs at once and no more, of whichever source', async () => {
  const { deployment } = await talker();
  const open = await Promise.all(
    Array.from({ length: 25 }, (_, number) => follow(deployment, number % 2 ? '&source=system' : '')),
  );
  const answers = open.map(({ response }) => response.status);
  assert.equal(answers.filter((status) => status === 200).length, 20, String(answers));
  assert.equal(answers.filter((status) => status === 429).length, 5);
  const refused = await logs(deployment);
  assertRefused(refused, 429, 8, '20 logs at once');
  assert.equal(refused.headers.get('retry-after'), '1');
  for (const log of open) log.leave();
  await untilNoStreams();
  assert.equal((await logs(deployment)).status, 200);
});

const wrong: [query: string, field: string][] = [
  ['tail=-1', 'tail'],
  ['tail=10001', 'tail'],
  ['tail=x', 'tail'],
  ['tail=1.5', 'tail'],
  ['since=yesterday', 'since'],
  ['since=10x', 'since'],
  ['since=2026-13-01T00:00:00Z', 'since'],
  ['since=2026-01-01', 'since'],
  ['since=-5', 'since'],
  ['follow=perhaps', 'follow'],
  ['source=stdout', 'source'],
];

test('what can’t be asked is refused with the field, also where a log is to be followed', async () => {
  const { deployment } = await begun(mute);
  for (const [query, field] of wrong) {
    for (const more of ['', '&follow=true']) {
      if (field === 'follow' && more) continue;
      const { details } = assertRefused(await logs(deployment, `?${query}${more}`), 400, 3, field);
      assert.equal(details[0]?.fieldViolations?.[0]?.field, field, query);
    }
  }
  assert.equal(await openStreams(), 0);
});

test('a log is its owner’s alone, and who asks is known before anything is sent', async () => {
  const { deployment, voice } = await talker();
  voice.say('secret');
  for (const query of ['', '?follow=true', '?source=system']) {
    assertRefused(await logs(randomUUID(), query), 404, 5, 'no deployment');
    const path = `/machines/deployments/${deployment}/logs${query}`;
    assertRefused(await call(berth, 'GET', path, undefined, 'berth_wrong'), 401, 16);
  }
  const stranger = await strangersKey();
  for (const query of ['', '?follow=true', '?source=system']) {
    const path = `/machines/deployments/${deployment}/logs${query}`;
    assertRefused(await call(berth, 'GET', path, undefined, stranger), 404, 5, 'no deployment');
  }
});

/** A key of another account. */
async function strangersKey(): Promise<string> {
  const [id, secret] = [randomUUID(), `berth_${randomUUID()}`];
  await database.insertInto('account').values({ id, name: 'stranger', created_at: new Date() }).execute();
  const row = { id: randomUUID(), account_id: id, name: 'test', created_at: new Date(), revoked_at: null };
  const secret_sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.from(secret)));
  await database
    .insertInto('api_key')
    .values({ ...row, secret_sha256 })
    .execute();
  return secret;
}
