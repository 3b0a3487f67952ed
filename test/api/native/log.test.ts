// Logs over Berth's own API: a container's output and what was noted, at once and as it is said, to whom may know of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { toId } from '../../../src/api/native/id.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { parseListenAddress } from '../../../src/compose/listen.ts';
import { ensureSecretKey } from '../../../src/compose/secret-key.ts';
import { startServer } from '../../../src/compose/server.ts';
import { systemEntropy } from '../../../src/compose/system.ts';
import type { LogLine } from '../../../src/model/log.ts';
import { findPlace } from '../../../src/store/embedded/place.ts';
import { callApi, startTestBerth, until } from '../../support/berth.ts';
import { call as callHiveon, type Machine, startBody, started, stopped, untilStatus } from '../hiveon/support.ts';
import { startTalkingHost } from '../hiveon/talking-host.ts';
import { deployed, openStore } from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
const second = await startServer(
  {
    ...{ connectionString: (await findPlace(join(berth.directory, 'postgres'))).connectionString },
    ...{ listen: parseListenAddress('127.0.0.1:0'), settings: await readSettings('') },
    ...{ imageDirectory: join(berth.directory, 'images-of-second'), allowedImageHosts: [], allowedCallbackHosts: [] },
    secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
    logger: pino({ level: 'silent' }),
  },
  async () => {},
);
const host = await startTalkingHost(second, 'talking', '127.47.8.0/24');
after(async () => {
  await host.close();
  await second.close();
  await database.destroy();
  await berth.close();
});

interface Problem {
  code: string;
  parameter?: string;
}

const call = <Body = { items: LogLine[] }>(path: string, key: string | null = berth.apiKey) =>
  callApi<Body>(berth.url, key, 'GET', `/berth/v1${path}`);

async function talker() {
  const machine = (await callHiveon<Machine>(berth, 'GET', `/machines/${await host.letSlot()}`)).body;
  const deployment = await started(berth, startBody(machine));
  await untilStatus(berth, deployment, 'STATUS_RUNNING');
  const { id } = await database
    .selectFrom('instance')
    .where('deployment_id', '=', deployment)
    .select('id')
    .executeTakeFirstOrThrow();
  return { deployment, path: `/instances/${toId('instance', id)}/logs`, voice: host.voiceOf(id) };
}
const linesIn = async (path: string) => {
  const answer = await call(path);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.items.map(({ line }) => line);
};

async function* followed(path: string, left: AbortSignal): AsyncGenerator<LogLine & { error?: Problem }> {
  const response = await fetch(`${berth.url}/berth/v1${path}`, {
    headers: { authorization: `Bearer ${berth.apiKey}` },
    signal: left,
  });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

test('what a container has said is told, as much as is asked for', async () => {
  const { path, voice } = await talker();
  voice.say('old', 'stdout', '2026-01-01T00:00:00Z');
  voice.say('one');
  voice.say('two', 'stderr');
  assert.deepEqual(await linesIn(path), ['old', 'one', 'two']);
  assert.deepEqual(await linesIn(`${path}?tail=1`), ['two']);
  assert.deepEqual(await linesIn(`${path}?since=1h`), ['one', 'two']);
  assert.deepEqual((await call(`${path}?tail=1`)).body.items[0]?.stream, 'stderr');
  assert.ok((await linesIn(`${path}?source=system`)).includes('Runs.'));
});

test('what is said is told as it is said, until the container has ended; its last words outlive it', async () => {
  const { deployment, path, voice } = await talker();
  voice.say('before');
  const left = new AbortController();
  const lines = followed(`${path}?follow=true`, left.signal);
  assert.equal((await lines.next()).value?.line, 'before');
  voice.say('now');
  assert.equal((await lines.next()).value?.line, 'now');
  voice.end();
  await stopped(berth, deployment);
  const rest = await Array.fromAsync(lines);
  assert.deepEqual([rest.at(-1)?.stream, rest.at(-1)?.line], ['system', 'The container has ended.']);
  await until('it is over', async () => (await call(path.replace('/logs', ''))).status === 404);
  assert.equal((await call(path)).status, 200);
});

test('nobody listens to a container any more when its reader has gone', async () => {
  const { path, voice } = await talker();
  voice.say('hello');
  const left = new AbortController();
  const lines = followed(`${path}?follow=true`, left.signal);
  await lines.next();
  assert.equal(voice.listeners, 1);
  left.abort();
  await lines.next().catch(() => {});
  await until('nobody listens', async () => voice.listeners === 0);
});

test('of a VM what was noted is told, and its output is said to be elsewhere', async () => {
  const [id = ''] = await deployed(berth);
  const path = `/instances/${toId('instance', id)}/logs`;
  await until('it runs', async () => (await linesIn(path)).includes('Runs.'));
  const refused = await call<Problem>(`${path}?source=container`);
  assert.deepEqual([refused.status, refused.body.code, refused.body.parameter], [422, 'unsupported', 'source']);
  const left = new AbortController();
  const lines = followed(`${path}?follow=true&tail=1`, left.signal);
  await lines.next();
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: [id] })).status, 200);
  const rest = await Array.fromAsync(lines);
  assert.equal(rest.at(-1)?.line, 'The instance has ended.');
});

test('what is no log of the caller’s, and what is wrong, is refused', async () => {
  const { path } = await talker();
  for (const [query, status, code] of [
    ['?tail=-1', 400, 'malformed'],
    ['?tail=10001', 400, 'malformed'],
    ['?since=never', 422, 'invalid_value'],
    ['?source=kernel', 400, 'malformed'],
    ['?colour=red', 400, 'malformed'],
  ] as const) {
    const { status: got, body } = await call<Problem>(path + query);
    assert.deepEqual([got, body.code], [status, code], query);
  }
  assert.equal((await call(path, null)).status, 401);
  assert.equal((await call(`/instances/ins_${'0'.repeat(40)}/logs`)).status, 404);
  assert.equal((await call('/instances/x/logs')).status, 404);
  const accountId = randomUUID();
  const key = `berth_${randomUUID()}`;
  const { sha256 } = await import('../../../src/app/authenticate.ts');
  await database.insertInto('account').values({ id: accountId, name: 'other', created_at: new Date() }).execute();
  const row = { id: randomUUID(), account_id: accountId, name: 'k', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...row, secret_sha256: sha256(key) })
    .execute();
  assert.equal((await call(path, key)).status, 404);
  assert.equal((await call(`${path}?follow=true`, key)).status, 404);
});
