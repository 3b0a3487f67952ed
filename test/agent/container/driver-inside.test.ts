import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DockerDriver } from '../../../src/agent/container/docker.ts';
import { DriverFailure } from '../../../src/agent/driver.ts';
import type { LogLine } from '../../../src/model/log.ts';
import { until } from '../../support/berth.ts';
import {
  bringUp,
  freshId,
  inside,
  makeImage,
  saidBy,
  spec,
  startWorld,
  takeDown,
  textOf,
  untilPower,
  type World,
  waits,
} from './support.ts';

describe('a command in a container', () => {
  let world: World;
  let driver: DockerDriver;
  const one = spec();
  before(async () => {
    world = await startWorld();
    driver = await world.driver();
    await makeImage(world.engine, 'waits', waits);
    await bringUp(driver, one);
  });
  after(() => world.close());

  test('has its input, both outputs, its variables and its exit code', async () => {
    const command = ['/bin/sh', '-c', 'cat; echo "$COLOUR" >&2; exit 42'];
    const run = await driver.exec(one.instanceId, { command, tty: null, environment: { COLOUR: 'red' } });
    run.stdin.end('to and fro\n');
    const [stdout, stderr] = await Promise.all([textOf(run.stdout), textOf(run.stderr)]);
    assert.deepEqual([stdout, stderr, await run.exitCode], ['to and fro\n', 'red\n', 42]);
  });

  test('has a terminal of the size that is asked for, and of another later', async () => {
    const tty = { columns: 100, rows: 30, term: 'vt220' };
    const command = ['/bin/sh', '-c', 'read a; stty size; echo $TERM; read b; stty size'];
    const run = await driver.exec(one.instanceId, { command, tty, environment: {} });
    let text = '';
    run.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    run.stdin.write('\n');
    await until('its size is told', async () => text.includes('vt220'), 10_000);
    assert.match(text, /30 100/);
    await run.resize(80, 24);
    run.stdin.write('\n');
    assert.equal(await run.exitCode, 0);
    assert.match(text, /24 80/);
  });

  test('passes on much without losing any, however slowly it is read', async () => {
    const command = ['/bin/sh', '-c', 'yes 0123456789abcde | head -c 33554432'];
    const run = await driver.exec(one.instanceId, { command, tty: null, environment: {} });
    run.stderr.resume();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.ok(run.stdout.readableLength < 1024 ** 2, `${run.stdout.readableLength} bytes wait to be read`);
    let bytes = 0;
    for await (const chunk of run.stdout) bytes += (chunk as Buffer).length;
    assert.equal(bytes, 33_554_432);
    assert.equal(await run.exitCode, 0);
  });

  test('that is hung up on loses its streams, and the container runs on', async () => {
    const run = await driver.exec(one.instanceId, {
      command: ['/bin/sh', '-c', 'cat'],
      tty: null,
      environment: {},
    });
    run.end();
    assert.equal(typeof (await run.exitCode), 'number');
    assert.equal((await inside(driver, one.instanceId, 'echo well')).stdout, 'well\n');
  });

  test('needs a container that runs', async () => {
    await assert.rejects(inside(driver, freshId(), 'true'), DriverFailure);
  });
});

describe('what a container says', () => {
  let world: World;
  let driver: DockerDriver;
  before(async () => {
    world = await startWorld();
    driver = await world.driver();
    await makeImage(world.engine, 'speaks', 'echo first; echo oh >&2; echo; printf "no end"');
    await makeImage(world.engine, 'counts', 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done');
    const long = "head -c 40000 /dev/zero | tr '\\\\0' x; echo; echo short; printf 'a\\\\0b\\\\n'";
    await makeImage(world.engine, 'speaks-long', long.replaceAll('\\\\', '\\'));
  });
  after(() => world.close());

  test('is told in order, by stream, with times', async () => {
    const one = spec({ image: 'speaks' });
    await bringUp(driver, one);
    await untilPower(driver, one.instanceId, 'off');
    const lines = await saidBy(driver, one.instanceId);
    const texts = (stream: string) => lines.filter((line) => line.stream === stream).map(({ line }) => line);
    assert.deepEqual(texts('stdout'), ['first', '', 'no end']);
    assert.deepEqual(texts('stderr'), ['oh']);
    for (const { timestamp } of lines) assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, timestamp);
    await takeDown(driver, one.instanceId);
  });

  test('is cut where a line is too long, and made fit to be kept', async () => {
    const one = spec({ image: 'speaks-long' });
    await bringUp(driver, one);
    await untilPower(driver, one.instanceId, 'off');
    const lines = (await saidBy(driver, one.instanceId)).map(({ line }) => line);
    assert.deepEqual(lines, ['x'.repeat(16 * 1024), 'short', 'a\ufffdb']);
    await takeDown(driver, one.instanceId);
  });

  test('can be asked for by number, from a moment on, and followed until nobody listens or it ends', async () => {
    const one = spec({ image: 'counts' });
    await bringUp(driver, one);
    await until('it has said a few lines', async () => (await saidBy(driver, one.instanceId)).length > 5);
    const read = async (query: { tail: number; since: Date | null }) => {
      const lines: LogLine[] = [];
      const signal = new AbortController().signal;
      for await (const line of driver.logs(one.instanceId, { ...query, follow: false }, signal)) lines.push(line);
      return lines;
    };
    assert.equal((await read({ tail: 2, since: null })).length, 2);
    const [, , third] = await saidBy(driver, one.instanceId);
    const later = await read({ tail: 1_000, since: new Date(Date.parse(third?.timestamp ?? '') + 1) });
    assert.ok(later.length > 0 && later.every(({ line }) => Number(line) > 3), JSON.stringify(later));

    const leaving = new AbortController();
    const seen: string[] = [];
    for await (const { line } of driver.logs(one.instanceId, { tail: 1, since: null, follow: true }, leaving.signal)) {
      seen.push(line);
      if (seen.length === 4) leaving.abort();
    }
    assert.equal(new Set(seen).size, seen.length);

    const whole: string[] = [];
    const following = (async () => {
      const { signal } = new AbortController();
      for await (const { line } of driver.logs(one.instanceId, { tail: 1, since: null, follow: true }, signal)) {
        whole.push(line);
      }
    })();
    await until('a line is seen', async () => whole.length > 1);
    await takeDown(driver, one.instanceId, 0);
    await following;
  });

  test('of a container that is no more is not to be had', async () => {
    await assert.rejects(saidBy(driver, freshId()), DriverFailure);
  });
});
