// What the tests of logs share: two servers on one database, a host whose containers say what a test makes them say, one that says
// nothing by itself, and customers who read and follow.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pino } from 'pino';
import { readSettings } from '../../../src/app/settings.ts';
import { parseListenAddress } from '../../../src/compose/listen.ts';
import { ensureSecretKey } from '../../../src/compose/secret-key.ts';
import { startServer } from '../../../src/compose/server.ts';
import { systemEntropy } from '../../../src/compose/system.ts';
import type { LogLine } from '../../../src/model/log.ts';
import { findPlace } from '../../../src/store/embedded/place.ts';
import { startTestBerth, until } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { call, type Machine, startBody, started, untilStatus } from './support.ts';
import { type EnrolledHost, enrolHost, startTalkingHost } from './talking-host.ts';

/** Less than a stream lives that nobody closes. */
export const letGoMsMax = 30_000;

interface Logs {
  lines: LogLine[];
  next_page_token: string;
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

/** What the tests are given. */
export type LogWorld = Awaited<ReturnType<typeof startLogWorld>>;

/** Starts it; the caller closes it. The customer's calls go to `berth`, and the hosts talk to `second`. */
export async function startLogWorld() {
  const berth = await startTestBerth();
  const database = await openStore(berth);
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  const second = await startServer(
    {
      ...{ connectionString, listen: parseListenAddress('127.0.0.1:0'), settings: await readSettings('') },
      ...{ imageDirectory: join(berth.directory, 'images-of-second'), allowedImageHosts: [], allowedCallbackHosts: [] },
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
      logger: pino({ level: 'silent' }),
    },
    async () => {},
  );
  const host = await startTalkingHost(second, 'talking', '127.47.0.0/24');
  /** A host that never asks for anything; what a test does not say for it is not said. */
  const mute = await enrolHost(second, 'mute', '127.47.1.0/24');

  const logs = (deployment: string, query = '') =>
    call<Logs>(berth, 'GET', `/machines/deployments/${deployment}/logs${query}`);
  const openStreams = async () => (await database.selectFrom('stream').selectAll().execute()).length;

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

  return {
    ...{ berth, database, second, host, mute, logs, openStreams, begun },
    /** Starts a container that talks, and waits until it runs. */
    async talker() {
      const { deployment, instanceId } = await begun(host);
      await untilStatus(berth, deployment, 'STATUS_RUNNING');
      return { deployment, instanceId, voice: host.voiceOf(instanceId) };
    },
    /** The lines of an answer that must be a good one, without their times. */
    async saidIn(deployment: string, query = ''): Promise<string[]> {
      const answer = await logs(deployment, query);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body.lines.map(({ line }) => line);
    },
    follow: (deployment: string, query = '', url = berth.url) =>
      follow(`${url}/vendors/v1/machines/deployments/${deployment}/logs?follow=true${query}`, berth.apiKey),
    untilNoStreams: () => until('no stream is open', async () => (await openStreams()) === 0, letGoMsMax),
    async close() {
      await host.close();
      await second.close();
      await database.destroy();
      await berth.close();
    },
  };
}

async function follow(url: string, apiKey: string): Promise<Following> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    headers: { 'x-api-key': apiKey },
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
