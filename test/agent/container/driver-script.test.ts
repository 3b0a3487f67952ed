import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DockerDriver } from '../../../src/agent/container/docker.ts';
import { shellOf } from '../../../src/agent/container/script.ts';
import { DriverFailure, type Progress } from '../../../src/agent/driver.ts';
import { until } from '../../support/berth.ts';
import {
  bringUp,
  inside,
  makeBareImage,
  makeImage,
  spec,
  startWorld,
  takeDown,
  tracesOf,
  untilPower,
  type World,
  waits,
} from './support.ts';

const failureOf = (run: Promise<unknown>) =>
  run.then(
    () => null,
    (error: unknown) => error as DriverFailure,
  );
const scriptSteps = (told: Progress[]) => told.filter(({ kind }) => kind === 'container.script');

describe('a startup script', () => {
  let world: World;
  let driver: DockerDriver;
  before(async () => {
    world = await startWorld();
    driver = await world.driver({ scriptWaitMs: 2_000 });
    await makeImage(world.engine, 'waits', waits);
    await makeImage(world.engine, 'ends-soon', 'sleep 0.5; exit 4');
    await makeImage(world.engine, 'finishes-soon', 'sleep 0.5; exit 0');
    await makeBareImage(world.engine, 'bare', ['/busybox', 'sleep', '1000']);
  });
  after(() => world.close());

  test('runs beside the own program, once for each start, and its end is told', async () => {
    const startupScript = 'echo here; echo there >&2; echo run >> /runs; cat /proc/1/cmdline | tr "\\0" " "';
    const one = spec({ startupScript });
    const steps = scriptSteps(await bringUp(driver, one));
    assert.equal(steps.length, 1);
    assert.equal(steps[0]?.data?.exitCode, 0);
    const output = String(steps[0]?.data?.output);
    for (const words of ['here\n', 'there\n', '/bin/sh -c trap']) assert.ok(output.includes(words), output);

    await bringUp(driver, one);
    assert.equal((await inside(driver, one.instanceId, 'cat /runs')).stdout, 'run\n');
    await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).kill();
    await untilPower(driver, one.instanceId, 'dead');
    await bringUp(driver, one);
    assert.equal((await inside(driver, one.instanceId, 'cat /runs')).stdout, 'run\nrun\n');
    await takeDown(driver, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('that fails is a failure for good, also when it is asked about again', async () => {
    const one = spec({ startupScript: 'echo "can not\u0007 go on"; exit 9' });
    for (let time = 0; time < 2; time += 1) {
      const failure = await failureOf(bringUp(driver, one));
      assert.ok(failure instanceof DriverFailure, String(failure));
      assert.equal(failure.code, 'STARTUP_SCRIPT_FAILED');
      assert.equal(failure.permanent, true);
      assert.match(failure.message, /^The startup script failed with exit code 9/);
      if (time === 0) assert.match(failure.message, /the last that it said: can not go on\.$/);
    }
    await takeDown(driver, one.instanceId);
  });

  test('that takes longer goes on, and its end is told when it comes', async () => {
    const told: Progress[] = [];
    const one = spec({ startupScript: 'sleep 4; echo late; exit 5' });
    await driver.run(one, (step) => void told.push(step), new AbortController().signal);
    assert.match(scriptSteps(told)[0]?.message ?? '', /still runs after 2 s and goes on/);
    await until('its end is told', async () => scriptSteps(told).length === 2, 20_000);
    assert.deepEqual(scriptSteps(told)[1]?.data, { exitCode: 5, output: 'late\n' });
    await bringUp(driver, one);
    assert.equal((await driver.inspect(one.instanceId))?.power, 'running');
    await takeDown(driver, one.instanceId);
  });

  test('that never ends does not hold up the end of its container', async () => {
    const one = spec({ startupScript: 'while true; do sleep 1; done' });
    const abort = new AbortController();
    const starting = failureOf(driver.run(one, () => {}, abort.signal));
    await until('it runs', async () => (await driver.inspect(one.instanceId))?.power === 'running');
    abort.abort();
    assert.ok(await starting);
    await takeDown(driver, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('keeps the end of what it says, whatever it says', async () => {
    const one = spec({ startupScript: 'yes 0123456789 | head -c 3000000; head -c 64 /dev/zero; echo; echo the end' });
    const [step] = scriptSteps(await bringUp(driver, one));
    const output = String(step?.data?.output);
    assert.ok(output.endsWith('\nthe end\n') && output.length > 3_000 && output.length <= 4_096, output.slice(-80));
    assert.ok(!output.includes('\0'));
    await takeDown(driver, one.instanceId);
  });

  test('of 64 KiB is run whole', async () => {
    const filler = `# ${'x'.repeat(100)}\n`.repeat(636);
    const one = spec({ startupScript: `${filler}echo last` });
    const [step] = scriptSteps(await bringUp(driver, one));
    assert.equal(step?.data?.output, 'last\n');
    await takeDown(driver, one.instanceId);
  });

  test('needs a shell in the image', async () => {
    const one = spec({ image: 'bare', startupScript: 'true' });
    const failure = await failureOf(bringUp(driver, one));
    assert.equal(failure?.code, 'STARTUP_SCRIPT_FAILED');
    assert.equal(failure?.message, "The startup script can't run: the image has no /bin/sh.");
    await takeDown(driver, one.instanceId);
  });

  test('whose container ends under it is not to blame', async () => {
    const [bad, good] = [
      spec({ image: 'ends-soon', startupScript: 'sleep 10' }),
      spec({ image: 'finishes-soon', startupScript: 'sleep 10' }),
    ];
    const failure = await failureOf(bringUp(driver, bad));
    assert.equal(failure?.code, 'CONTAINER_EXITED');
    assert.equal(failure?.permanent, false);
    assert.match(failure?.message ?? '', /it ended with exit code 4/);
    await bringUp(driver, good);
    assert.equal((await driver.inspect(good.instanceId))?.power, 'off');
    for (const { instanceId } of [bad, good]) await takeDown(driver, instanceId);
  });

  test('is run by the shell that it asks for, or by /bin/sh', () => {
    assert.equal(shellOf('echo'), '/bin/sh');
    assert.equal(shellOf('#!/bin/bash\necho'), '/bin/bash');
    assert.equal(shellOf('#! /usr/bin/env bash\necho'), 'bash');
    assert.equal(shellOf('#!/usr/bin/python3\nprint()'), '/bin/sh');
  });

  test('that was going on when the agent died is neither run again nor lost', async () => {
    const first = await world.driver({ scriptWaitMs: 60_000 });
    const abort = new AbortController();
    const one = spec({ startupScript: 'echo run >> /runs; sleep 3; exit 6' });
    const starting = failureOf(first.run(one, () => {}, abort.signal));
    await until('it runs', async () => (await runsOf(driver, one.instanceId)) === 'run\n');
    abort.abort();
    await starting;
    await first.close();

    const second = await world.driver({ scriptWaitMs: 60_000 });
    const failure = await failureOf(bringUp(second, one));
    assert.equal(failure?.message, 'The startup script failed with exit code 6.');
    assert.equal(await runsOf(second, one.instanceId), 'run\n');
    await takeDown(second, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });
});

async function runsOf(driver: DockerDriver, instanceId: string): Promise<string | null> {
  return inside(driver, instanceId, 'cat /runs').then(
    ({ stdout }) => stdout,
    () => null,
  );
}
