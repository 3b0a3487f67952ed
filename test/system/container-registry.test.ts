// Images of private registries, through the whole of Berth: the login of Hiveon's own example on a real registry, a wrong one,
// and nobody else's use of what was pulled.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  letSlots,
  type Machine,
  read,
  seedBody,
  startBody,
  started,
  stopped,
  untilStatus,
} from '../api/hiveon/support.ts';
import { openStore } from '../api/support.ts';
import { until } from '../support/berth.ts';
import { pushImage, startRegistry, type TestRegistry } from '../support/registry.ts';
import { type ContainerBerth, leftovers, startContainerBerth, untilServed } from './container.ts';

const login = { login: 'username', password: 'password123' };
let registry: TestRegistry;
let ground: ContainerBerth;
let machines: Machine[];

before(async () => {
  registry = await startRegistry(login);
  ground = await startContainerBerth('127.52.2.0/24', { allowImageHosts: [registry.host] });
  machines = await letSlots(ground.berth, 2);
  const { docker } = ground.engine;
  await pushImage(docker, 'nginx:latest', `${registry.host}/nginx:latest`, login);
  // From here on the registry alone has it.
  await docker.getImage('nginx:latest').remove();
});
after(async () => {
  await ground.close();
  await registry.close();
});

const loginAt = (server: string, password = login.password) => ({ server, login: login.login, password });
const machine = (index: number) => machines[index] as Machine;

test('the documentation’s body with its login pulls from the registry that it names', async () => {
  const { berth } = ground;
  const seed = (await seedBody(machine(0))) as { container_config: Record<string, unknown> };
  const container = { ...seed.container_config, docker_auth: loginAt(registry.host) };
  const id = await started(berth, { ...seed, container_config: container });
  const { ports } = await untilStatus(berth, id, 'STATUS_RUNNING');
  const page = await fetch(`http://${ports[0]?.public_host}/`);
  assert.equal(await page.text(), 'Hello, World!\n');
  await untilServed(berth, ports[1]?.url ?? '', 'Hello, World!');

  // Next to it, somebody without the login gets nothing of it, by whichever name.
  const names = [`${registry.host}/nginx:latest`, `berth-private/${'0'.repeat(40)}:image`];
  for (const image of names) {
    const other = await started(berth, startBody(machine(1), { image }));
    await until('it has failed', async () => (await read(berth, other)).status === 'STATUS_FAILED');
    assert.match((await read(berth, other)).metadata.fail_reason_code ?? '', /^(IMAGE_NOT_FOUND|IMAGE_PULL_TIMEOUT)$/);
    await untilFree(machine(1));
  }
  await stopped(berth, id);
  await until('nothing is left', async () => (await leftovers(ground)).length === 0);
});

test('a wrong password is told as such, costs nothing, leaves nothing, and stands in no log and no table', async () => {
  const { berth } = ground;
  const container = { image: `${registry.host}/nginx:latest`, docker_auth: loginAt(registry.host, 'not-the-password') };
  const id = await started(berth, startBody(machine(0), container));
  await until('it has failed', async () => (await read(berth, id)).status === 'STATUS_FAILED');
  const { fail_reason, metadata } = await read(berth, id);
  assert.deepEqual([metadata.fail_reason_code, fail_reason?.code], ['REGISTRY_AUTH_FAILED', 7]);
  await until('nothing is left', async () => (await leftovers(ground)).length === 0);
  const store = await openStore(berth);
  const rows = await store.selectFrom('container').select('registry_auth').execute();
  const events = await store.selectFrom('event').select(['message', 'data']).execute();
  await store.destroy();
  assert.ok(rows.every(({ registry_auth: auth }) => auth === null));
  for (const secret of ['not-the-password', login.password]) {
    assert.ok(!JSON.stringify(events).includes(secret));
    assert.ok(!berth.log().includes(secret));
  }
});

async function untilFree({ machine_id }: Machine): Promise<void> {
  await until('the machine is free', async () => {
    const { body } = await ground.berth.call<Machine>('GET', `/vendors/v1/machines/${machine_id}`);
    return body.status === 'available';
  });
}
