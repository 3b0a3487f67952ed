// `GET /vendors/v1/machines/deployments/{id}/logs`: what is told to whom, at once and as it is said. How it gets from the host to the
// customer is in log-stream.test.ts.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type LogLine, logLineLengthMax } from '../../../src/model/log.ts';
import { callApi, until } from '../../support/berth.ts';
import { type LogWorld, startLogWorld } from './log-world.ts';
import { assertRefused, call, stopped } from './support.ts';
import { reportOf, startTalkingHost } from './talking-host.ts';

let world: LogWorld;

before(async () => {
  world = await startLogWorld();
});
after(() => world.close());

test('what a container has said is told, newest lines last, as many as asked for, from when on is asked for', async () => {
  const { deployment, voice } = await world.talker();
  assert.deepEqual((await world.logs(deployment)).body, { lines: [], next_page_token: '' });
  for (let number = 0; number < 150; number += 1) {
    const time = `2026-01-01T00:${String(Math.floor(number / 60)).padStart(2, '0')}:${String(number % 60).padStart(2, '0')}.000000001Z`;
    voice.say(`line ${number}`, number % 2 ? 'stderr' : 'stdout', time);
  }
  const all = Array.from({ length: 150 }, (_, number) => `line ${number}`);
  assert.deepEqual(await world.saidIn(deployment), all.slice(-100), '100 lines unless told otherwise');
  assert.deepEqual(await world.saidIn(deployment, '?tail=10000'), all);
  assert.deepEqual(await world.saidIn(deployment, '?tail=0'), []);
  assert.deepEqual(await world.saidIn(deployment, '?since=2026-01-01T00:02:00Z'), all.slice(120));
  assert.deepEqual(
    await world.saidIn(deployment, `?since=${Date.parse('2026-01-01T00:02:00Z') / 1000}&tail=3`),
    all.slice(-3),
  );
  assert.deepEqual(await world.saidIn(deployment, '?since=1h'), []);
  const [last] = (await world.logs(deployment, '?tail=1')).body.lines;
  assert.deepEqual(last, { timestamp: '2026-01-01T00:02:29.000000001Z', stream: 'stderr', line: 'line 149' });
  await world.untilNoStreams();
});

test('text that the database can’t hold is told with the odd characters replaced, and a long line is cut', async () => {
  const { deployment, voice } = await world.talker();
  voice.say('zero \u0000, half \ud800, whole 😀');
  voice.say('x'.repeat(logLineLengthMax + 1));
  assert.deepEqual(await world.saidIn(deployment), [
    'zero \ufffd, half \ufffd, whole 😀',
    'x'.repeat(logLineLengthMax),
  ]);
});

test('an answer in one piece holds the newest lines that have room in it', async () => {
  const { deployment, voice } = await world.talker();
  for (let number = 0; number < 500; number += 1) voice.say(String(number).padStart(logLineLengthMax, '.'));
  const lines = await world.saidIn(deployment, '?tail=10000');
  assert.ok(lines.length > 200 && lines.length < 300, `${lines.length} lines of 16 KiB`);
  assert.ok(lines.at(-1)?.endsWith('499') && lines[0]?.endsWith(String(500 - lines.length)));
});

test('a followed log tells each line as it is said, until the container has ended', async () => {
  const { deployment, voice } = await world.talker();
  voice.say('old');
  voice.say('before');
  const log = await world.follow(deployment, '&tail=1');
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
  await world.untilNoStreams();
});

test('several follow one container, each at a server of its own', async () => {
  const { deployment, voice } = await world.talker();
  const both = await Promise.all([world.follow(deployment), world.follow(deployment, '', world.second.url)]);
  voice.say('to all');
  for (const log of both) assert.equal((await log.next())?.result?.line, 'to all');
  voice.end();
  for (const log of both) assert.equal((await log.rest()).length, 1);
});

test('a container that is not made yet has said nothing, and is followed from its first line on', async () => {
  const slow = await startTalkingHost(world.second, 'slow', '127.47.2.0/24', { bootMs: 3_000 });
  try {
    const { deployment, instanceId } = await world.begun(slow);
    assert.deepEqual(await world.saidIn(deployment), []);
    const voice = slow.voiceOf(instanceId);
    voice.say('hello');
    const log = await world.follow(deployment);
    assert.equal(log.response.status, 200);
    assert.equal((await log.next())?.result?.line, 'hello');
    log.leave();
  } finally {
    await slow.close();
  }
});

test('what a container said last is told after it has ended, and followed to its end at once', async () => {
  const { deployment, instanceId } = await world.talker();
  const lines = Array.from({ length: 5 }, (_, number) => {
    return { timestamp: `2026-01-01T00:00:0${number}.5Z`, stream: 'stdout', line: `last ${number}` };
  });
  const event = {
    ...{ id: randomUUID(), instanceId, at: new Date().toISOString(), kind: 'container.last_words', message: 'x' },
    data: { lines: [...lines, { odd: 1 }, null] },
  };
  const told = await callApi(world.second.url, world.host.credential, 'POST', '/agent/v1/reports', reportOf(event));
  assert.equal(told.status, 200);
  await stopped(world.berth, deployment);
  assert.deepEqual((await world.logs(deployment)).body.lines, lines);
  assert.deepEqual(await world.saidIn(deployment, '?tail=2'), ['last 3', 'last 4']);
  assert.deepEqual(await world.saidIn(deployment, '?tail=0'), []);
  assert.deepEqual(await world.saidIn(deployment, '?since=2026-01-01T00:00:04Z'), ['last 4']);
  const followed = await (await world.follow(deployment, '&tail=1')).rest();
  assert.deepEqual(
    followed.map(({ result }) => result?.line),
    ['last 4', 'The container has ended.'],
  );
  const silent = await world.talker();
  await stopped(world.berth, silent.deployment);
  assert.deepEqual((await world.logs(silent.deployment)).body, { lines: [], next_page_token: '' });
});

test('what was noted about a deployment is told as lines, too, and followed until it is over', async () => {
  const { deployment } = await world.talker();
  let noted: LogLine[] = [];
  // What is noted is told once no older transaction is under way.
  await until('it is noted that it runs', async () => {
    noted = (await world.logs(deployment, '?source=system')).body.lines;
    return noted.some(({ line }) => line === 'Runs.');
  });
  assert.ok(noted.length >= 2);
  assert.ok(noted.every(({ stream, timestamp }) => stream === 'system' && !Number.isNaN(Date.parse(timestamp))));
  assert.match(noted[0]?.line ?? '', /^Accepted and placed/);
  assert.deepEqual(await world.saidIn(deployment, '?source=system&tail=1'), [noted.at(-1)?.line]);
  const log = await world.follow(deployment, '&source=system&tail=0');
  await stopped(world.berth, deployment);
  const lines = (await log.rest()).map(({ result }) => result?.line ?? '');
  assert.match(lines.at(-2) ?? '', /^Is gone/);
  assert.equal(lines.at(-1), 'The container has ended.');
  assert.ok(!lines.some((line) => line.startsWith('Accepted')), 'nothing from before');
  await world.untilNoStreams();
});

test('an account reads 20 logs at once and no more, of whichever source', async () => {
  const { deployment } = await world.talker();
  const open = await Promise.all(
    Array.from({ length: 25 }, (_, number) => world.follow(deployment, number % 2 ? '&source=system' : '')),
  );
  const answers = open.map(({ response }) => response.status);
  assert.equal(answers.filter((status) => status === 200).length, 20, String(answers));
  assert.equal(answers.filter((status) => status === 429).length, 5);
  const refused = await world.logs(deployment);
  assertRefused(refused, 429, 8, '20 logs at once');
  assert.equal(refused.headers.get('retry-after'), '1');
  for (const log of open) log.leave();
  await world.untilNoStreams();
  assert.equal((await world.logs(deployment)).status, 200);
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
  const { deployment } = await world.begun(world.mute);
  for (const [query, field] of wrong) {
    for (const more of ['', '&follow=true']) {
      if (field === 'follow' && more) continue;
      const { details } = assertRefused(await world.logs(deployment, `?${query}${more}`), 400, 3, field);
      assert.equal(details[0]?.fieldViolations?.[0]?.field, field, query);
    }
  }
  assert.equal(await world.openStreams(), 0);
});

test('a log is its owner’s alone, and who asks is known before anything is sent', async () => {
  const { deployment, voice } = await world.talker();
  voice.say('secret');
  for (const query of ['', '?follow=true', '?source=system']) {
    assertRefused(await world.logs(randomUUID(), query), 404, 5, 'no deployment');
    const path = `/machines/deployments/${deployment}/logs${query}`;
    assertRefused(await call(world.berth, 'GET', path, undefined, 'berth_wrong'), 401, 16);
  }
  const stranger = await strangersKey();
  for (const query of ['', '?follow=true', '?source=system']) {
    const path = `/machines/deployments/${deployment}/logs${query}`;
    assertRefused(await call(world.berth, 'GET', path, undefined, stranger), 404, 5, 'no deployment');
  }
});

/** A key of another account. */
async function strangersKey(): Promise<string> {
  const [id, secret] = [randomUUID(), `berth_${randomUUID()}`];
  await world.database.insertInto('account').values({ id, name: 'stranger', created_at: new Date() }).execute();
  const row = { id: randomUUID(), account_id: id, name: 'test', created_at: new Date(), revoked_at: null };
  const secret_sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.from(secret)));
  await world.database
    .insertInto('api_key')
    .values({ ...row, secret_sha256 })
    .execute();
  return secret;
}
