import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { DockerDriver } from '../../../src/agent/container/docker.ts';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { lastWordsKind } from '../../../src/model/log.ts';
import { until } from '../../support/berth.ts';
import {
  bringUp,
  inside,
  makeBareImage,
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

/** One that nothing else on a machine is likely to have. */
const port = 18_087;

describe('a container on the Docker Engine', () => {
  let world: World;
  let driver: DockerDriver;
  before(async () => {
    world = await startWorld();
    driver = await world.driver();
    await makeImage(world.engine, 'waits', waits);
    await makeImage(world.engine, 'finishes', 'echo done; exit 0');
    await makeImage(world.engine, 'crashes', 'echo "no such thing" >&2; exit 3');
    await makeImage(world.engine, 'answers', `echo hello > /index.html; exec httpd -f -p ${port} -h /`);
    await makeBareImage(world.engine, 'idle', []);
  });
  after(() => world.close());

  test('runs, is found, is not touched again, and is erased without a trace', async () => {
    const one = spec({ environment: { COLOUR: 'red', EMPTY: '', 'a.b': 'x=y' } });
    await bringUp(driver, one);
    const found = await driver.inspect(one.instanceId);
    assert.equal(found?.power, 'running');
    assert.ok((found?.runningMs ?? -1) >= 0);
    const { stdout } = await inside(
      driver,
      one.instanceId,
      'hostname; tr "\\0" "\\n" < /proc/1/environ; tr "\\0" " " < /proc/1/cmdline',
    );
    assert.match(stdout, /^box\n/);
    assert.match(stdout, /^COLOUR=red$/m);
    assert.match(stdout, /^EMPTY=$/m);
    assert.match(stdout, /^a\.b=x=y$/m);
    assert.match(stdout, /\/bin\/sh -c trap/);
    const before = await startOf(world, one.instanceId);
    await bringUp(driver, one);
    assert.deepEqual(await startOf(world, one.instanceId), before);
    assert.deepEqual(
      (await driver.observe()).map(({ instanceId }) => instanceId),
      [one.instanceId],
    );

    const told = await takeDown(driver, one.instanceId);
    const lines = told.find(({ kind }) => kind === lastWordsKind)?.data?.lines as { line: string }[];
    assert.deepEqual(
      lines.map(({ line }) => line),
      ['waits', 'ends'],
    );
    assert.equal(await driver.inspect(one.instanceId), undefined);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
    assert.deepEqual(await takeDown(driver, one.instanceId), []);
  });

  test('that ends with 0 is off; one that ends otherwise is dead and says why', async () => {
    const [good, bad] = [spec({ image: 'finishes' }), spec({ image: 'crashes' })];
    await bringUp(driver, good);
    await bringUp(driver, bad);
    await untilPower(driver, good.instanceId, 'off');
    await untilPower(driver, bad.instanceId, 'dead');
    const found = await driver.inspect(bad.instanceId);
    assert.equal(found?.reason, 'it ended with exit code 3; the last that it said: no such thing');
    assert.equal(found?.unwitnessed, undefined);
    assert.equal(found?.failureCode, undefined);
    for (const { instanceId } of [good, bad]) {
      await takeDown(driver, instanceId);
      assert.deepEqual(await tracesOf(world, instanceId), []);
    }
  });

  test('starts again after a crash with the same disk, address and network', async () => {
    const one = spec();
    await bringUp(driver, one);
    const address = await driver.addressOf(one.instanceId);
    await inside(driver, one.instanceId, 'echo kept > /kept; kill -9 1 || true');
    await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).kill();
    await untilPower(driver, one.instanceId, 'dead');
    await bringUp(driver, one);
    assert.equal((await inside(driver, one.instanceId, 'cat /kept')).stdout, 'kept\n');
    assert.equal(await driver.addressOf(one.instanceId), address);
    const { stdout } = await inside(driver, one.instanceId, 'ip -4 addr show eth0');
    assert.ok(stdout.includes(`inet ${address}/29`), stdout);
    await takeDown(driver, one.instanceId);
  });

  test('tells each listener when it ends', async () => {
    const changed = new Set<string>();
    driver.onChange((instanceId) => void changed.add(instanceId));
    const one = spec({ image: 'finishes' });
    await bringUp(driver, one);
    await until('the end is told', async () => changed.has(one.instanceId), 10_000);
    await takeDown(driver, one.instanceId);
  });

  test('answers on its own address at its TCP ports, and two containers may have the same port', async () => {
    const ports = [{ hostPort: port, protocol: 'tcp' as const }];
    const [one, two] = [
      spec({ image: 'answers', ports, address: '127.44.200.1' }),
      spec({ image: 'answers', ports, address: '127.44.200.2' }),
    ];
    for (const each of [one, two]) await bringUp(driver, each);
    for (const { address } of [one, two]) {
      await until(`${address} answers`, async () => (await page(`http://${address}:${port}/`)) === 'hello\n', 10_000);
    }
    for (const { instanceId } of [one, two]) await takeDown(driver, instanceId);
    assert.equal(await page(`http://127.44.200.1:${port}/`), null);
  });

  test('whose port is taken is told so, and starts when it is free', async () => {
    const one = spec({ image: 'answers', ports: [{ hostPort: port, protocol: 'tcp' }] });
    const other = createServer().listen(port, one.address);
    await once(other, 'listening');
    await assert.rejects(bringUp(driver, one), {
      code: 'PORT_CONFLICT',
      message: `Port ${port} of 127.44.200.1 is taken on the machine by another program.`,
      permanent: false,
    });
    assert.notEqual((await driver.inspect(one.instanceId))?.power, 'running');
    other.close();
    await once(other, 'close');
    await bringUp(driver, one);
    await until('it answers', async () => (await page(`http://${one.address}:${port}/`)) === 'hello\n', 10_000);
    await takeDown(driver, one.instanceId);
    assert.deepEqual(await tracesOf(world, one.instanceId), []);
  });

  test('whose address another container has, by whatever mistake, leaves that one alone', async () => {
    const ports = [{ hostPort: port, protocol: 'tcp' as const }];
    const [one, two] = [spec({ image: 'answers', ports }), spec({ image: 'answers', ports })];
    await bringUp(driver, one);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(bringUp(driver, two), { code: 'PORT_CONFLICT' });
    }
    await until('the first answers', async () => (await page(`http://${one.address}:${port}/`)) === 'hello\n', 10_000);
    for (const { instanceId } of [one, two]) await takeDown(driver, instanceId);
  });

  test('that the Engine will not make or start fails for good with its words', async () => {
    const cases = [
      [spec({ gpus: ['GPU-0'] }), /could not select device driver/],
      [spec({ image: 'idle' }), /no command specified/i],
      [spec({ memoryMib: 1 }), /memory limit/i],
    ] as const;
    for (const [one, words] of cases) {
      const failure = await bringUp(driver, one).then(
        () => null,
        (error: unknown) => error,
      );
      assert.ok(failure instanceof DriverFailure, String(failure));
      assert.equal(failure.code, 'CONTAINER_CREATE_FAILED');
      assert.equal(failure.permanent, true);
      assert.match(failure.message, words);
      await takeDown(driver, one.instanceId);
      assert.deepEqual(await tracesOf(world, one.instanceId), []);
    }
  });

  test('of another agent on the same Engine is neither seen nor touched', async () => {
    const other = await world.driver({ owner: 'other', directory: join(world.directory, 'other') });
    const one = spec();
    await bringUp(driver, one);
    assert.deepEqual(await other.observe(), []);
    assert.equal(await other.inspect(one.instanceId), undefined);
    assert.deepEqual(await other.strays(new Set()), []);
    await takeDown(other, one.instanceId);
    assert.equal((await driver.inspect(one.instanceId))?.power, 'running');
    const bare = one.instanceId;
    assert.deepEqual(await driver.strays(new Set()), [`container ${bare}`, `network ${bare}`]);
    assert.deepEqual(await driver.strays(new Set([bare])), []);
    await takeDown(driver, one.instanceId);
  });

  test('comes back after its network was removed while it did not run', async () => {
    const one = spec({ image: 'crashes' });
    await bringUp(driver, one);
    await untilPower(driver, one.instanceId, 'dead');
    await world.engine.docker.getNetwork(`berth-${one.instanceId.slice(2)}`).remove();
    await bringUp(driver, one);
    await untilPower(driver, one.instanceId, 'dead');
    assert.ok((await saidBy(driver, one.instanceId)).length > 0);
    await takeDown(driver, one.instanceId);
  });
});

async function startOf({ engine }: World, instanceId: string): Promise<unknown> {
  const { Id, State } = await engine.docker.getContainer(`berth-${instanceId.slice(2)}`).inspect();
  return { Id, startedAt: State.StartedAt, pid: State.Pid };
}

async function page(url: string): Promise<string | null> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.text(),
    () => null,
  );
}
