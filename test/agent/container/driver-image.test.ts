import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { DockerDriver } from '../../../src/agent/container/docker.ts';
import { Memories } from '../../../src/agent/container/memory.ts';
import { DriverAway, type DriverFailure, type Progress } from '../../../src/agent/driver.ts';
import { until } from '../../support/berth.ts';
import { pushImage, startRegistry, type TestRegistry } from '../../support/registry.ts';
import {
  bringUp,
  imageNames,
  inside,
  makeImage,
  spec,
  startWorld,
  takeDown,
  tracesOf,
  type World,
  waits,
} from './support.ts';

const failureOf = (run: Promise<unknown>) =>
  run.then(
    () => null,
    (error: unknown) => error as DriverFailure,
  );
const login = { login: 'shop', password: 'correct horse' };

describe('the image of a container', () => {
  let world: World;
  let open: TestRegistry;
  let closed: TestRegistry;
  /** A registry that answers nothing. */
  let silent: Server;
  let silentHost: string;
  let driver: DockerDriver;
  before(async () => {
    world = await startWorld();
    [open, closed] = [await startRegistry(), await startRegistry(login)];
    silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    silentHost = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    driver = await driverWith(login.password);
    await makeImage(world.engine, 'waits', waits);
    const { docker } = world.engine;
    await pushImage(docker, 'waits', `${open.host}/team/waits:1`);
    await pushImage(docker, 'waits', `${closed.host}/shop/secret:1`, login);
    await pushImage(docker, 'waits', `${closed.host}/shop/secret:2`, login);
  });
  after(async () => {
    silent?.closeAllConnections();
    silent?.close();
    await world?.close();
    await open?.close();
    await closed?.close();
  });

  const driverWith = (password: string, more = {}) =>
    world.driver({
      allowHosts: [open.host, closed.host, silentHost, '127.0.0.1:1'],
      registryAuth: async () => ({ server: closed.host, login: login.login, password }),
      ...more,
    });

  async function failsWithoutTrace(by: DockerDriver, one: ReturnType<typeof spec>): Promise<DriverFailure> {
    const names = await imageNames(world.engine);
    const failure = await failureOf(bringUp(by, one));
    assert.ok(failure, 'it should have failed');
    await takeDown(by, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
    assert.deepEqual(await imageNames(world.engine), names);
    return failure;
  }

  test('is pulled, told about, shared, and goes with the last container made of it', async () => {
    const image = `${open.host}/team/waits:1`;
    const [one, two] = [spec({ image }), spec({ image })];
    const told = await bringUp(driver, one);
    assert.deepEqual(
      told.map(({ kind }) => kind).filter((kind) => kind !== 'image.download'),
      ['image.pull', 'image.ready', 'container.start'],
    );
    assert.deepEqual(
      (await bringUp(driver, two)).map(({ kind }) => kind),
      ['container.start'],
    );
    await takeDown(driver, one.instanceId);
    assert.ok((await imageNames(world.engine)).includes(image));
    await takeDown(driver, two.instanceId);
    assert.deepEqual(
      (await imageNames(world.engine)).filter((name) => name.startsWith(open.host)),
      [],
    );
  });

  test('that the operator has put there is used and stays', async () => {
    const one = spec();
    assert.deepEqual(
      (await bringUp(driver, one)).map(({ kind }) => kind),
      ['container.start'],
    );
    await takeDown(driver, one.instanceId);
    assert.ok((await imageNames(world.engine)).includes('waits:latest'));
  });

  test('pulled by two at once is pulled once', async () => {
    const image = `${open.host}/team/waits:1`;
    const both = [spec({ image }), spec({ image })];
    const told = await Promise.all(both.map((one) => bringUp(driver, one)));
    assert.equal(told.flat().filter(({ kind }) => kind === 'image.pull').length, 1);
    await Promise.all(both.map(({ instanceId }) => takeDown(driver, instanceId)));
    assert.ok(!(await imageNames(world.engine)).includes(image));
  });

  test('that does not exist is not found, for good', async () => {
    for (const image of [`${open.host}/team/none:1`, `${open.host}/team/waits:none`, `${closed.host}/shop/secret:1`]) {
      const failure = await failsWithoutTrace(driver, spec({ image }));
      assert.deepEqual([failure.code, failure.permanent], ['IMAGE_NOT_FOUND', true], failure.message);
      assert.ok(failure.message.includes(image), failure.message);
    }
  });

  test('behind a login that is refused is not tried elsewhere', async () => {
    const wrong = await driverWith('wrong');
    for (const image of [`${closed.host}/shop/secret:1`, 'shop/secret:1']) {
      const failure = await failsWithoutTrace(wrong, spec({ image, hasRegistryAuth: true }));
      assert.deepEqual([failure.code, failure.permanent], ['REGISTRY_AUTH_FAILED', true], failure.message);
      assert.ok(!failure.message.includes('wrong'));
    }
  });

  test('whose registry can not be reached may be tried again', async () => {
    const failure = await failsWithoutTrace(driver, spec({ image: '127.0.0.1:1/team/waits:1' }));
    assert.deepEqual([failure.code, failure.permanent], ['IMAGE_PULL_TIMEOUT', false], failure.message);
  });

  test('that takes too long to come is given up', async () => {
    const hasty = await driverWith('', { pullDeadlineMs: 1_000 });
    const failure = await failsWithoutTrace(hasty, spec({ image: `${silentHost}/team/waits:1` }));
    assert.deepEqual([failure.code, failure.permanent], ['IMAGE_PULL_TIMEOUT', true]);
    assert.match(failure.message, /was not pulled within 1 s/);
  });

  test('that is being pulled does not hold up the end of its container', async () => {
    const one = spec({ image: `${silentHost}/team/waits:1` });
    const abort = new AbortController();
    const told: Progress[] = [];
    const starting = failureOf(driver.run(one, (step) => void told.push(step), abort.signal));
    await until('it is pulled', async () => told.some(({ kind }) => kind === 'image.pull'));
    abort.abort();
    assert.ok(await starting);
    await takeDown(driver, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('of a registry at a private address is refused unless the operator allows it', async () => {
    const strict = await driverWith('', { allowHosts: [] });
    for (const host of [open.host, 'localhost:5000', '169.254.169.254', '10.0.0.1:5000']) {
      const failure = await failsWithoutTrace(strict, spec({ image: `${host}/team/waits:1` }));
      assert.deepEqual([failure.code, failure.permanent], ['IMAGE_NOT_FOUND', true]);
      assert.match(failure.message, /is not a public address; ask the operator to allow/);
    }
  });

  test("behind a login is its container's alone, and goes with it", async () => {
    const [one, other] = [
      spec({ image: `${closed.host}/shop/secret:1`, hasRegistryAuth: true }),
      spec({ image: 'shop/secret:2', hasRegistryAuth: true }),
    ];
    const before = await imageNames(world.engine);
    await Promise.all([one, other].map((each) => bringUp(driver, each)));
    const bare = one.instanceId.slice(2);
    const fresh = (await imageNames(world.engine)).filter((name) => !before.includes(name)).sort();
    assert.deepEqual(fresh, [one, other].map(({ instanceId }) => `berth-private/${instanceId.slice(2)}:image`).sort());

    const digest = (await world.engine.docker.getImage('waits').inspect()).Id;
    const ways = [
      `${closed.host}/shop/secret:1`,
      `berth-private/${bare}:image`,
      `docker.io/berth-private/${bare}:image`,
      `index.docker.io/berth-private/${bare}:image`,
      digest,
    ];
    for (const image of ways) {
      const failure = await failureOf(bringUp(driver, spec({ image })));
      assert.equal(failure?.code, 'IMAGE_NOT_FOUND', `${image}: ${failure?.message}`);
    }
    for (const { instanceId } of [one, other]) {
      assert.equal((await inside(driver, instanceId, 'echo well')).stdout, 'well\n');
      await takeDown(driver, instanceId);
      assert.deepEqual(await tracesOf(world, instanceId), []);
    }
    assert.deepEqual(await imageNames(world.engine), before);
  });

  test('behind a login leaves no name to others when the agent dies after the pull', async () => {
    const name = `${closed.host}/shop/secret:1`;
    const repository = name.replace(/:1$/, '');
    const one = spec({ image: name, hasRegistryAuth: true });
    const { docker } = world.engine;
    // What an agent has done that died between the pull and what follows it.
    const died = await driverWith(login.password);
    const memories = new Memories(world.directory);
    await memories.open();
    await memories.note(one.instanceId, { privatePull: { repository, kept: {} } });
    await died.close();
    await docker.getImage('waits').tag({ repo: repository, tag: '1' });

    const next = await driverWith(login.password);
    const failure = await failureOf(bringUp(next, spec({ image: name })));
    assert.equal(failure?.code, 'IMAGE_NOT_FOUND');
    assert.ok(!(await imageNames(world.engine)).includes(name));
    await takeDown(next, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('waits for a login that can not be had just now', async () => {
    const lonely = await driverWith('', {
      directory: join(world.directory, 'lonely'),
      registryAuth: async () => {
        throw new Error('the server is away');
      },
    });
    const one = spec({ image: `${closed.host}/shop/secret:1`, hasRegistryAuth: true });
    assert.ok((await failureOf(bringUp(lonely, one))) instanceof DriverAway);
    await takeDown(lonely, one.instanceId);
  });

  test('named without a registry is looked for where the login is for, then as what it says', async () => {
    const one = spec({ image: 'waits', hasRegistryAuth: true });
    await bringUp(driver, one);
    const { Config } = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    assert.equal(Config.Image, 'docker.io/library/waits:latest');
    await takeDown(driver, one.instanceId);
    assert.ok((await imageNames(world.engine)).includes('waits:latest'));
  });
});
