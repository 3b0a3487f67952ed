// An Engine of one's own, for real: beside another one, killed and started again, and gone without a trace.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { answersAt, startDockerDaemon } from '../../src/host/docker-daemon.ts';
import { processIds } from '../../src/host/process.ts';
import { until } from '../support/berth.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { pullImage, pushImage, startRegistry, type TestRegistry } from '../support/registry.ts';

const run = promisify(execFile);

/** Interfaces of this run alone: what another one left would be taken over, and stay. */
const bridgeOf = (word: string) => `bd${process.pid}-${word}`;

let one: TestEngine;
let other: TestEngine;
let filterBefore: string;

before(async () => {
  filterBefore = await packetFilter();
  one = await startTestEngine();
  other = await startTestEngine();
});
after(async () => {
  for (const engine of [one, other]) await engine?.close();
});

/** The rules of the chains that all Engines of a machine share, without what counts packets and tells the time. */
async function packetFilter(): Promise<string> {
  const { stdout } = await run('iptables-save');
  return stdout.replace(/^#.*\n|\[\d+:\d+\]/gm, '');
}

/** A container in a network of its own that says a word on a published port. */
async function serve(docker: Docker, word: string, block: number, publicAddress: string): Promise<Docker.Container> {
  await docker.createNetwork({
    Name: word,
    Driver: 'bridge',
    IPAM: { Driver: 'default', Config: [{ Subnet: `10.214.0.${block}/29`, Gateway: `10.214.0.${block + 1}` }] },
    Options: { 'com.docker.network.bridge.name': bridgeOf(word) },
  });
  const container = await docker.createContainer({
    Image: 'busybox:latest',
    name: `a-${word}`,
    Cmd: ['sh', '-c', `mkdir /web; echo ${word} >/web/index.html; exec httpd -f -h /web -p 80`],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { NetworkMode: word, PortBindings: { '80/tcp': [{ HostIp: publicAddress, HostPort: '80' }] } },
  });
  await container.start();
  return container;
}

const says = (address: string) =>
  fetch(`http://${address}/`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => (await answer.text()).trim(),
    () => null,
  );
const untilItSays = (address: string, word: string) =>
  until(`${address} says ${word}`, async () => (await says(address)) === word, 20_000);

/** The directory that an Engine lives in. */
const directoryOf = ({ socketPath }: TestEngine) => socketPath.replace(/\/docker\.sock$/, '');

/** Every process that has an argument below a directory. */
async function processesOf(directory: string): Promise<string[]> {
  const lines = await Promise.all(processIds().map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(`${directory}/`)).map((line) => line.replaceAll('\0', ' '));
}

test('two Engines serve side by side, and the packet filter is as it was before them', async () => {
  await serve(one.docker, 'one', 0, '127.71.0.1');
  await serve(other.docker, 'other', 8, '127.71.0.2');
  await untilItSays('127.71.0.1', 'one');
  await untilItSays('127.71.0.2', 'other');
  assert.equal((await one.docker.listContainers()).length, 1, 'neither sees what is the other’s');
  assert.equal(await packetFilter(), filterBefore);
});

test('a container lives through the death of its daemon, which finds it again', async () => {
  const pidOf = async () => (await one.docker.getContainer('a-one').inspect()).State.Pid;
  const before = await pidOf();
  await one.kill();
  assert.equal(await answersAt(one.socketPath), false);
  await one.restart();
  assert.equal(await pidOf(), before);
  await untilItSays('127.71.0.1', 'one');
});

test('a daemon that is there already is used', async () => {
  const [again, atOnce] = await Promise.all([startDockerDaemon(directoryOf(one)), startDockerDaemon(directoryOf(one))]);
  assert.deepEqual([again.pid, atOnce.pid], [one.pid(), one.pid()]);
});

test('what can’t start says why and leaves no process', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-dk-'));
  try {
    await writeFile(join(directory, 'data'), 'a file where a directory has to be');
    await assert.rejects(startDockerDaemon(directory, undefined, 'machine'), /^Error: dockerd has ended: .*data/);
    await rm(join(directory, 'data'));
    const stopped = AbortSignal.abort(new Error('no longer wanted'));
    await assert.rejects(startDockerDaemon(directory, stopped, 'machine'), /no longer wanted/);
    assert.deepEqual(await processesOf(directory), []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('an Engine that was killed while a container ran is removed with all that was its own', async () => {
  const directory = directoryOf(other);
  await other.kill();
  assert.ok((await processesOf(directory)).length > 0, 'the container and what watches it run on');
  await other.close();
  assert.deepEqual(await processesOf(directory), []);
  assert.equal(await stat(directory).catch(() => null), null);
  assert.ok(!(await readFile('/proc/mounts', 'utf8')).includes(directory));
  assert.equal(await stat(`/sys/class/net/${bridgeOf('other')}`).catch(() => null), null);
  assert.equal(await says('127.71.0.2'), null);
  assert.equal(await says('127.71.0.1'), 'one', 'the other one is not disturbed');
});

test('images go to a registry and come from it, with the right login alone', async () => {
  const login = { login: 'tester', password: 'correct horse' };
  const registries: TestRegistry[] = [await startRegistry(login), await startRegistry()];
  try {
    const [closed, open] = registries.map(({ host }) => `${host}/shop/web:1`) as [string, string];
    await pushImage(one.docker, 'busybox:latest', closed, login);
    await assert.rejects(one.docker.getImage(closed).inspect(), /no such image/i);
    await assert.rejects(pullImage(one.docker, closed), /no basic auth credentials/);
    await assert.rejects(pullImage(one.docker, closed, { ...login, password: 'wrong' }), /unauthorized/);
    await pullImage(one.docker, closed, login);
    assert.ok((await one.docker.getImage(closed).inspect()).RepoTags.includes(closed));
    await pushImage(one.docker, 'busybox:latest', open);
    await pullImage(one.docker, open);
    await assert.rejects(pullImage(one.docker, open.replace('web', 'nothing')), /manifest unknown/);
  } finally {
    for (const registry of registries) await registry.close();
  }
});
