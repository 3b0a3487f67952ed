import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { DockerDriver } from '../../../src/agent/container/docker.ts';
import { until } from '../../support/berth.ts';
import { bringUp, inside, makeImage, spec, startWorld, takeDown, untilPower, type World, waits } from './support.ts';

/** How quickly a neighbour has to answer while another container does its worst. */
const neighbourMsMax = 5_000;

describe('the limits of a container', () => {
  let world: World;
  let driver: DockerDriver;
  const neighbour = spec();
  before(async () => {
    world = await startWorld();
    driver = await world.driver();
    await makeImage(world.engine, 'waits', waits);
    await makeImage(world.engine, 'eats-memory', 'x=x; while true; do x=$x$x; done');
    await makeImage(world.engine, 'forks', 'f() { sleep 30 & f; }; f; wait');
    await makeImage(world.engine, 'fills', 'sleep 1; dd if=/dev/zero of=/filler bs=1M count=4000; sleep 1000');
    const hides = 'sleep 1; exec 3>/filler; rm /filler; dd if=/dev/zero bs=1M count=4000 >&3; sleep 1000';
    await makeImage(world.engine, 'fills-hidden', hides);
    const manyFiles = 'mkdir /d; i=0; while true; do i=$((i+1)); mkdir /d/$i; cd /d/$i; seq 1 5000 | xargs touch; done';
    await makeImage(world.engine, 'fills-with-files', manyFiles);
    await bringUp(driver, neighbour);
  });
  after(() => world.close());

  async function neighbourIsWell(): Promise<void> {
    const beganMs = performance.now();
    assert.equal((await inside(driver, neighbour.instanceId, 'echo well > /sign; cat /sign')).stdout, 'well\n');
    const tookMs = performance.now() - beganMs;
    assert.ok(tookMs < neighbourMsMax, `the neighbour took ${tookMs} ms`);
  }

  test('stand in the kernel, and so does what it is not allowed', async () => {
    const one = spec({ vcpus: 1, memoryMib: 128 });
    await bringUp(driver, one);
    const container = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    const { HostConfig } = container;
    assert.equal(HostConfig.Privileged, false);
    assert.deepEqual(HostConfig.Binds ?? [], []);
    assert.deepEqual(container.Mounts, []);
    const status = await readFile(`/proc/${container.State.Pid}/status`, 'utf8');
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    const capabilities = BigInt(`0x${/^CapBnd:\s+(\w+)$/m.exec(status)?.[1]}`);
    for (const [name, bit] of Object.entries({ NET_ADMIN: 12, NET_RAW: 13, SYS_ADMIN: 21, MKNOD: 27 })) {
      assert.equal((capabilities >> BigInt(bit)) & 1n, 0n, name);
    }
    assert.equal(await cgroupValue(container.State.Pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), '134217728');
    assert.equal(await cgroupValue(container.State.Pid, 'pids', 'pids.max', 'pids.max'), '1024');
    const cpu = await cgroupValue(container.State.Pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max');
    assert.equal(cpu.split(' ')[0], '100000');
    assert.match((await inside(driver, one.instanceId, 'df -k /dev/shm')).stdout, /\b65536\b/);
    assert.notEqual((await inside(driver, one.instanceId, 'mount -t tmpfs none /tmp')).exitCode, 0);
    await takeDown(driver, one.instanceId);
  });

  test('are what its counters stay below, and these grow with what it does', async () => {
    const [{ instanceId }, counted] = [
      neighbour,
      async () => (await driver.usage()).find((one) => one.instanceId === neighbour.instanceId),
    ];
    // An agent looks at all that is there every few seconds; that is how the driver knows what runs.
    await driver.observe();
    const before = await counted();
    const began = performance.now();
    await inside(driver, instanceId, 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done');
    const now = await counted();
    const tookSeconds = (performance.now() - began) / 1_000;
    assert.ok(before && now && before.run === now.run, JSON.stringify({ before, now }));
    const cpuSeconds = (now.cpuSeconds ?? 0) - (before.cpuSeconds ?? 0);
    assert.ok(cpuSeconds > 0.05 && cpuSeconds <= tookSeconds + 0.5, `${cpuSeconds} s of ${tookSeconds} s`);
    assert.ok((now.memoryBytes ?? 0) > 10_000 && (now.memoryBytes ?? 0) <= neighbour.memoryMib * 1024 * 1024);
    assert.equal(typeof now.networkReceiveBytes, 'number');
  });

  test('end what wants too much memory, with that reason, and its neighbour is well', async () => {
    const one = spec({ image: 'eats-memory', memoryMib: 32 });
    await bringUp(driver, one);
    await untilPower(driver, one.instanceId, 'dead');
    await neighbourIsWell();
    assert.equal((await driver.inspect(one.instanceId))?.reason, 'it ran out of its 32 MiB of memory');
    await takeDown(driver, one.instanceId);
  });

  test('hold what forks without end, and its neighbour is well', async () => {
    const one = spec({ image: 'forks', memoryMib: 512 });
    await bringUp(driver, one);
    const { State } = await world.engine.docker.getContainer(`berth-${one.instanceId.slice(2)}`).inspect();
    await until(
      'it has all the processes that it may have, or is over',
      async () => {
        const count = await cgroupValue(State.Pid, 'pids', 'pids.current', 'pids.current').catch(() => '1024');
        assert.ok(Number(count) <= 1024, `it has ${count} processes`);
        return Number(count) >= 1000;
      },
      60_000,
    );
    await neighbourIsWell();
    await takeDown(driver, one.instanceId);
    await neighbourIsWell();
  });

  for (const [image, what] of [
    ['fills', 'in a file'],
    ['fills-hidden', 'in a file that no directory shows'],
    ['fills-with-files', 'in files without content'],
  ] as const) {
    test(`end what writes more than its disk ${what}, for good, and its neighbour is well`, async () => {
      // A thousand files a second are what there is time for.
      const diskGib = image === 'fills-with-files' ? 0.25 : 1;
      const one = spec({ image, memoryMib: 256, diskGib });
      await bringUp(driver, one);
      await until('it is dead', async () => (await driver.inspect(one.instanceId))?.power === 'dead', 60_000);
      await neighbourIsWell();
      const found = await driver.inspect(one.instanceId);
      assert.equal(found?.failureCode, 'NO_SPACE');
      assert.equal(found?.reason, `it has filled its disk of ${diskGib} GiB`);
      await assert.rejects(bringUp(driver, one), { code: 'NO_SPACE', permanent: true });
      await takeDown(driver, one.instanceId);
    });
  }

  test('leave a container alone that keeps within its disk', async () => {
    const one = spec({ memoryMib: 256 });
    await bringUp(driver, one);
    await inside(
      driver,
      one.instanceId,
      'dd if=/dev/zero of=/within bs=1M count=700; dd if=/dev/zero of=/dev/shm/x bs=1M count=100',
    );
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.equal((await driver.inspect(one.instanceId))?.power, 'running');
    await takeDown(driver, one.instanceId);
  });
});

/** A value of a process's control group, on either version of them. */
async function cgroupValue(pid: number, controller: string, old: string, unified: string): Promise<string> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
  const own = lines.map((line) => line.split(':')).find(([, names = '']) => names.split(',').includes(controller));
  const path = own
    ? `/sys/fs/cgroup/${controller}${own[2]}/${old}`
    : `/sys/fs/cgroup${lines[0]?.split(':')[2]}/${unified}`;
  return (await readFile(path, 'utf8')).trim();
}
