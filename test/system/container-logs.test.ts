// What a real container says, read through Hiveon's call while it runs, as it speaks, and after it is gone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type LogLine, logLineLengthMax } from '../../src/model/log.ts';
import { call, type Machine, startBody, started, stopped, untilStatus } from '../api/hiveon/support.ts';
import { until } from '../support/berth.ts';
import { type ContainerBerth, machinesOf, startContainerBerth } from './container.ts';

let ground: ContainerBerth;
let machine: Machine;

before(async () => {
  ground = await startContainerBerth('127.52.3.0/24');
  machine = (await machinesOf(ground.berth))[0] as Machine;
});
after(() => ground.close());

/** Speaks as the container itself does: at first, and then every now and then. */
const script = `
  for number in 1 2 3; do echo line $number > /proc/1/fd/1; done
  echo complaint > /proc/1/fd/2
  printf '%040000d\\n' 7 > /proc/1/fd/1
  (while sleep 0.2; do echo tick > /proc/1/fd/1; done) > /dev/null 2>&1 &
  echo the script is done`;

const logsOf = (id: string, query: string) =>
  call<{ lines: LogLine[] }>(ground.berth, 'GET', `/machines/deployments/${id}/logs?${query}`);
const linesOf = async (id: string, query: string) => (await logsOf(id, query)).body.lines;

test('a container’s output is read while it runs, followed to its end, and its last words after that', async () => {
  const { berth } = ground;
  const id = await started(berth, startBody(machine, { startup_script: script }));
  await untilStatus(berth, id, 'STATUS_RUNNING');
  await until('it ticks', async () => (await linesOf(id, 'tail=1'))[0]?.line === 'tick');
  const all = await linesOf(id, 'tail=10000');
  const said = (stream: string) => all.filter((one) => one.stream === stream).map(({ line }) => line);
  assert.deepEqual(
    said('stdout').filter((line) => line.startsWith('line')),
    ['line 1', 'line 2', 'line 3'],
  );
  assert.ok(said('stderr').includes('complaint'));
  assert.ok(said('stdout').includes('0'.repeat(logLineLengthMax)), 'a long line is cut');
  assert.match(all[0]?.timestamp ?? '', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z$/);
  const latest = all.at(-1)?.timestamp ?? '';
  const later = await linesOf(id, `since=${latest}`);
  assert.ok(later.length > 0 && later.every(({ line }) => line === 'tick'), 'only what was said from then on');
  const noted = (await linesOf(id, 'source=system')).map(({ line }) => line).join('\n');
  assert.match(noted, /Accepted and placed/);

  const response = await fetch(`${berth.url}/vendors/v1/machines/deployments/${id}/logs?follow=true&tail=0`, {
    headers: { 'x-api-key': berth.apiKey },
    signal: AbortSignal.timeout(300_000),
  });
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  })();
  await until('some ticks are heard', async () => text.split('tick').length > 5);
  await stopped(berth, id);
  await reading;
  const followed = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { result: LogLine }).result);
  assert.equal(followed.at(-1)?.line, 'The container has ended.');
  assert.ok(followed.some(({ line }) => line === 'tick'));

  const last = await linesOf(id, 'tail=10000');
  assert.ok(last.some(({ line }) => line === 'tick'));
  assert.ok(Date.parse(last.at(-1)?.timestamp ?? '') > Date.parse(latest));
});
