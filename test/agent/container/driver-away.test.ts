import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bridgeOf } from '../../../src/agent/container/names.ts';
import { DriverAway, type Progress } from '../../../src/agent/driver.ts';
import { processIds } from '../../../src/host/process.ts';
import { until } from '../../support/berth.ts';
import {
  bringUp,
  inside,
  makeImage,
  saidBy,
  spec,
  startWorld,
  takeDown,
  tracesOf,
  untilPower,
  type World,
  waits,
} from './support.ts';

/** The processes that name a container of the Engine's: in their control groups, or as its shim. */
const namesOf = (containerId: string): number[] =>
  processIds().filter((pid) =>
    ['cgroup', 'cmdline'].some((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(containerId);
      } catch {
        return false;
      }
    }),
  );

describe('a container whose agent or Engine goes away', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
    await makeImage(world.engine, 'waits', waits);
    await makeImage(world.engine, 'obeys', 'while [ ! -e /end ]; do sleep 0.1; done; exit $(cat /end)');
  });
  after(() => world.close());

  test('runs on without the Engine, and every call says that it is away', async () => {
    const driver = await world.driver();
    const one = spec();
    await bringUp(driver, one);
    const { State } = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    const changed: string[] = [];
    driver.onChange((instanceId) => void changed.push(instanceId));
    await world.engine.kill();
    for (const call of [
      () => driver.observe(),
      () => driver.inspect(one.instanceId),
      () => driver.strays(new Set()),
      () => bringUp(driver, one),
      () => bringUp(driver, spec()),
      () => takeDown(driver, one.instanceId),
      () => inside(driver, one.instanceId, 'true'),
      () => saidBy(driver, one.instanceId),
    ]) {
      await assert.rejects(call(), DriverAway, String(call));
    }
    assert.equal(await driver.info(), null);
    assert.doesNotThrow(() => process.kill(State.Pid, 0));

    await world.engine.restart();
    await until('the agent is told to look again', async () => changed.includes(one.instanceId), 20_000);
    const found = await driver.inspect(one.instanceId);
    assert.equal(found?.power, 'running');
    await bringUp(driver, one);
    const now = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    assert.equal(now.State.Pid, State.Pid);
    await takeDown(driver, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('and that ends meanwhile is not said to have failed by itself', async () => {
    const driver = await world.driver();
    const one = spec({ image: 'obeys' });
    await bringUp(driver, one);
    const { State } = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    await world.engine.kill();
    process.kill(State.Pid, 'SIGKILL');
    await world.engine.restart();
    await untilPower(driver, one.instanceId, 'dead');
    assert.equal((await driver.inspect(one.instanceId))?.unwitnessed, true);
    await bringUp(driver, one);
    assert.equal((await driver.inspect(one.instanceId))?.power, 'running');
    await takeDown(driver, one.instanceId);
  });

  test('that is ended through the Engine is not said to have failed by itself', async () => {
    const driver = await world.driver();
    const one = spec({ image: 'obeys' });
    await bringUp(driver, one);
    await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).kill();
    await untilPower(driver, one.instanceId, 'dead');
    assert.equal((await driver.inspect(one.instanceId))?.unwitnessed, true);
    await takeDown(driver, one.instanceId);
  });

  test('is found by the next agent as it is, and its end while no agent was there is known', async () => {
    const first = await world.driver();
    const [stays, fails, finishes] = [spec(), spec({ image: 'obeys' }), spec({ image: 'obeys' })];
    for (const one of [stays, fails, finishes]) await bringUp(first, one);
    const address = await first.addressOf(stays.instanceId);
    await inside(first, fails.instanceId, 'echo 7 > /end.new; (sleep 1; mv /end.new /end) &');
    await inside(first, finishes.instanceId, 'echo 0 > /end.new; (sleep 1; mv /end.new /end) &');
    await first.close();
    const { docker } = world.engine;
    for (const { instanceId } of [fails, finishes]) {
      await until('it has ended', async () => {
        return !(await docker.getContainer(`berth-${instanceId.slice(2)}`).inspect()).State.Running;
      });
    }

    const second = await world.driver();
    const found = new Map((await second.observe()).map((one) => [one.instanceId, one]));
    assert.equal(found.get(stays.instanceId)?.power, 'running');
    assert.equal(found.get(finishes.instanceId)?.power, 'off');
    assert.deepEqual(found.get(fails.instanceId), {
      instanceId: fails.instanceId,
      power: 'dead',
      reason: 'it ended with exit code 7',
    });
    assert.equal(await second.addressOf(stays.instanceId), address);
    for (const { instanceId } of [stays, fails, finishes]) await takeDown(second, instanceId);
  });

  test('comes up though an Engine that was killed holds on to the bridge of a network that it has forgotten', async () => {
    const driver = await world.driver();
    const one = spec();
    const forgotten = await world.engine.docker.createNetwork({
      Name: 'forgotten',
      Options: { 'com.docker.network.bridge.name': bridgeOf(one.instanceId) },
    });
    await bringUp(driver, one);
    assert.equal((await driver.inspect(one.instanceId))?.power, 'running');
    await takeDown(driver, one.instanceId);
    await forgotten.remove();
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('comes up though the Engine was killed while it started it, at whatever step, and leaves nothing', async () => {
    const driver = await world.driver();
    for (const afterMs of [20, 60, 100, 140, 180, 240]) {
      const one = spec();
      const ids = new Set<string>();
      const container = world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`);
      await new Promise<void>((isStarting) => {
        const tell = ({ kind }: Progress) => kind === 'container.start' && isStarting();
        driver.run(one, tell, new AbortController().signal).catch(() => {});
      });
      ids.add((await container.inspect()).Id);
      await sleep(afterMs);
      await world.engine.kill();
      await world.engine.restart();
      await until(`it runs (${afterMs} ms)`, async () => {
        await bringUp(driver, one).catch(() => {});
        const made = await container.inspect().catch(() => null);
        if (made) ids.add(made.Id);
        return (await driver.inspect(one.instanceId))?.power === 'running';
      });
      await takeDown(driver, one.instanceId);
      await until('no process is left', async () => [...ids].every((id) => namesOf(id).length === 0));
      assert.deepEqual(await tracesOf(world, one.instanceId), []);
    }
  });

  test('is completed by the next agent from wherever the last one died', async () => {
    const { docker } = world.engine;
    const driver = await world.driver();
    for (const stage of ['network', 'container', 'image'] as const) {
      const one = spec();
      const name = `berth-${one.instanceId.slice(2)}`;
      // Brought up once, then set back to what an agent leaves that dies at this stage.
      await bringUp(driver, one);
      const container = docker.getContainer(name);
      if (stage === 'container') await container.stop({ t: 0 });
      else await container.remove({ force: true });
      if (stage === 'image') await docker.getNetwork(name).remove();
      const next = await world.driver();
      await bringUp(next, one);
      assert.equal((await next.inspect(one.instanceId))?.power, 'running', stage);
      await takeDown(next, one.instanceId);
      assert.deepEqual(await tracesOf(world, one.instanceId), []);
    }
  });
});
