// A real container, from the call of Hiveon's documentation to its page over TCP and HTTPS, its shell over SSH, and nothing
// left of it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  call,
  letSlots,
  type Machine,
  read,
  seedBody,
  startBody,
  started,
  stopped,
  untilStatus,
} from '../api/hiveon/support.ts';
import { driftOf, openStore } from '../api/support.ts';
import { until } from '../support/berth.ts';
import { type ContainerBerth, leftovers, machinesOf, startContainerBerth, untilServed } from './container.ts';

const run = promisify(execFile);

let ground: ContainerBerth;
let machines: Machine[];
let sshDirectory: string;
let publicKey: string;

before(async () => {
  ground = await startContainerBerth('127.52.1.0/24');
  machines = await letSlots(ground.berth, 2);
  sshDirectory = await mkdtemp(join(tmpdir(), 'berth-ssh-'));
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(sshDirectory, 'id')]);
  publicKey = (await readFile(join(sshDirectory, 'id.pub'), 'utf8')).trim();
});
after(async () => {
  await ground.close();
  await rm(sshDirectory, { recursive: true, force: true });
});

const ssh = (host: string, ...command: string[]) =>
  run('ssh', [
    ...['-i', join(sshDirectory, 'id'), '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no'],
    ...['-o', `UserKnownHostsFile=${join(sshDirectory, 'known')}`, '-o', 'BatchMode=yes', `root@${host}`, ...command],
  ]);

test('the machine that a fresh Berth lets can be rented as the documentation shows, and serves both its ports', async () => {
  const { berth } = ground;
  const [machine] = await machinesOf(berth);
  assert.ok(machine);
  const id = await started(berth, await seedBody(machine));
  const { ports } = await untilStatus(berth, id, 'STATUS_RUNNING');
  const [tcp, https] = ports;
  const page = await fetch(`http://${tcp?.public_host}:${tcp?.public_port}/`);
  assert.equal(await page.text(), 'Hello, World!\n', 'the startup script has written the page');
  await untilServed(berth, https?.url ?? '', 'Hello, World!');
  const over = await stopped(berth, id);
  assert.equal(over.fail_reason, null);
  assert.deepEqual(await leftovers(ground), []);
});

test('a key logs in to an image without an SSH server, on the address that the deployment tells of', async () => {
  const { berth } = ground;
  const body = startBody(machines[0] as Machine, { ports: [80], environment_variables: { WHO: 'a customer' } });
  const id = await started(berth, { ...body, ssh_pub_keys: [publicKey] });
  const { ssh: place } = await untilStatus(berth, id, 'STATUS_RUNNING');
  assert.equal(place?.port, 22);
  const told = await ssh(place?.host ?? '', 'echo $WHO; id -u; echo not well >&2');
  assert.deepEqual([told.stdout, told.stderr.includes('not well')], ['a customer\n0\n', true]);
  const failed = await ssh(place?.host ?? '', 'exit 7').catch((error: { code: number }) => error);
  assert.equal('code' in failed && failed.code, 7);
  await ground.berth.restart();
  await until('the shell is there again after the agent was away', async () => {
    return (await ssh(place?.host ?? '', 'cat /proc/1/comm').catch(() => null))?.stdout === 'nginx\n';
  });
  await stopped(berth, id);
  assert.deepEqual(await leftovers(ground), []);
});

/** Puts an image on the Engine whose program fails at once. */
async function makeFailingImage(): Promise<void> {
  const { docker } = ground.engine;
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['/bin/sh', '-c', 'echo no good >&2; exit 3'],
  });
  await container.commit({ repo: 'failing', tag: 'latest' });
  await container.remove();
}

test('a container that ends well by itself is over, and its machine free', async () => {
  const { berth } = ground;
  const id = await started(berth, startBody(machines[0] as Machine, { image: 'busybox' }));
  const { fail_reason } = await untilStatus(berth, id, 'STATUS_STOPPED');
  assert.equal(fail_reason, null);
  await until('nothing is left', async () => (await leftovers(ground)).length === 0);
});

test('what fails to start says why, costs nothing and leaves nothing', async () => {
  const { berth } = ground;
  await makeFailingImage();
  const cases: [container: Record<string, unknown>, code: string, words: string][] = [
    [{ image: 'nothing/like-it:1' }, 'IMAGE_PULL_TIMEOUT', 'nothing/like-it:1'],
    [{ image: 'failing' }, 'CONTAINER_EXITED', 'exit code 3; the last that it said: no good'],
    [{ startup_script: 'echo no good >&2; exit 3' }, 'STARTUP_SCRIPT_FAILED', 'no good'],
  ];
  for (const [container, code, words] of cases) {
    const id = await started(berth, startBody(machines[1] as Machine, container));
    await until(`${code}`, async () => (await read(berth, id)).status === 'STATUS_FAILED', 120_000);
    const { fail_reason, metadata } = await read(berth, id);
    assert.equal(metadata.fail_reason_code, code, fail_reason?.message);
    assert.ok(fail_reason?.message.includes(words), fail_reason?.message);
    await until('nothing is left', async () => (await leftovers(ground)).length === 0);
    await until('the machine is free again', async () => {
      const machine = await call<Machine>(berth, 'GET', `/machines/${machines[1]?.machine_id}`);
      return machine.body.status === 'available';
    });
  }
  const store = await openStore(berth);
  const charges = await store
    .selectFrom('charge')
    .innerJoin('instance', 'id', 'instance_id')
    .where('status', '=', 'failed')
    // What has run was worth its seconds.
    .where('activated_at', 'is', null)
    .selectAll()
    .execute();
  assert.deepEqual(charges, []);
  await until('everything agrees', async () => (await driftOf(store)).length === 0);
  await store.destroy();
});

test('stopped twice, and while nothing of it is there yet', async () => {
  const { berth } = ground;
  const id = await started(berth, startBody(machines[0] as Machine, {}));
  await stopped(berth, id);
  assert.equal((await call(berth, 'POST', `/machines/deployments/${id}/stop`)).status, 200);
  await until('nothing is left', async () => (await leftovers(ground)).length === 0);
});
