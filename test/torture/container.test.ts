// Pulls the plug of agent, server, Docker daemon and ingress while real containers come up, run and go. After each round what
// should run runs once, on the address and under the name that it had, and everything of what should not is gone.
// BERTH_TORTURE_SEED repeats the choices.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newUuid } from '../../src/model/id.ts';
import { SeededEntropy } from '../../src/sim/chance.ts';
import { inTransaction } from '../../src/store/database.ts';
import { insertSlot, insertSlotPrice } from '../../src/store/slot-terms.ts';
import type { Deployment } from '../api/hiveon/support.ts';
import { driftOf } from '../api/support.ts';
import { callApi, until } from '../support/berth.ts';
import { startTestEngine } from '../support/docker.ts';
import { endIngress, getOverTls } from '../system/container.ts';
import { World } from './world.ts';

const rounds = 5;
const slots = 3;
const pullWithinMs = 2_500;
const settleMsMax = 90_000;
const seed = Number(process.env.BERTH_TORTURE_SEED ?? Date.now() % 2 ** 32);
const parts = ['agent', 'server', 'docker', 'ingress'] as const;

test(`containers run on through ${rounds} rounds of pulled plugs (seed ${seed})`, async (t) => {
  const chance = new SeededEntropy(seed);
  const engine = await startTestEngine(['nginx']);
  const world = await World.create({
    addressPool: '127.52.8.0/24',
    serverArguments: [],
    agentArguments: () => ['--engine-socket', engine.socketPath],
  });
  const killed: string[] = [];
  /** What should run, by its external id. */
  const live = new Map<string, { address: string | null; url: string | null }>();
  const ingressDirectory = join(world.agentDirectory, 'container', 'ingress');

  const call = <Body>(method: string, path: string, body?: unknown) =>
    callApi<Body>(world.url, null, method, `/vendors/v1/machines${path}`, body, { 'x-api-key': world.apiKey });
  const read = async (id: string) => (await call<Deployment>('GET', `/deployments/${id}`)).body;

  /** Rents a machine; repeated until an answer is here, as a client does that has an id of its own. */
  async function start(number: number): Promise<void> {
    const id = `round-${number}`;
    const { machine, price } = machines[number % slots] as (typeof machines)[number];
    const body = {
      ...{ machine_id: machine, machine_price_id: price, external_deployment_id: id },
      container_config: {
        image: 'nginx',
        ports: [80, { host_port: 443, protocol: 'PORT_PROTOCOL_HTTPS' }],
        startup_script: `echo ${id} > /var/www/html/index.html`,
      },
    };
    await until(`${id} is accepted`, async () => {
      const answer = await call('POST', '/deployments/start', body).catch(() => null);
      return answer?.status === 200;
    });
    live.set(id, { address: null, url: null });
  }

  async function stop(id: string): Promise<void> {
    live.delete(id);
    await until(`${id} is ordered away`, async () => {
      return (await call('POST', `/deployments/${id}/stop`).catch(() => null))?.status === 200;
    });
    await until(`${id} is stopped`, async () => {
      return (await read(id).catch(() => null))?.status === 'STATUS_STOPPED';
    });
  }

  async function pull(part: (typeof parts)[number]): Promise<void> {
    if (chance.fraction() < 0.25) return;
    await sleep(chance.fraction() * pullWithinMs);
    killed.push(part);
    if (part === 'docker') {
      await engine.kill();
      await sleep(chance.fraction() * 1_000);
      await engine.restart();
    } else if (part === 'ingress') endIngress(ingressDirectory, 'SIGKILL');
    else {
      await world.kill(part);
      await world.start(part);
    }
  }

  /** Everything that should be reached is, where it always was; and nothing runs twice or without being wanted. */
  async function settle(round: string): Promise<void> {
    for (const [id, place] of live) {
      let seen: Deployment | null = null;
      await until(
        `${round}: ${id} runs`,
        async () => {
          seen = await read(id).catch(() => null);
          if (seen?.status === 'STATUS_FAILED') throw new Error(`${round}: ${id} failed: ${seen.fail_reason?.message}`);
          return seen?.status === 'STATUS_RUNNING';
        },
        settleMsMax,
      );
      const [tcp, https] = (seen as Deployment | null)?.ports ?? [];
      const [address, url] = [tcp?.public_host ?? null, https?.url ?? null];
      assert.deepEqual({ address: place.address ?? address, url: place.url ?? url }, { address, url }, round);
      live.set(id, { address, url });
      await until(
        `${round}: ${id} answers`,
        async () => (await pageAt(`http://${address}/`)) === `${id}\n`,
        settleMsMax,
      );
      const ca = join(ingressDirectory, 'storage/pki/authorities/local/root.crt');
      const secure = async () => (await getOverTls(ca, url ?? '').catch(() => null))?.body === `${id}\n`;
      await until(`${round}: ${id} answers over HTTPS`, secure, settleMsMax);
    }
    await until(
      `${round}: nothing else is there`,
      async () => {
        const containers = await engine.docker.listContainers({ all: true }).catch(() => []);
        const networks = (await engine.docker.listNetworks().catch(() => [])).filter(
          ({ Driver }) => Driver === 'bridge',
        );
        return containers.length === live.size && networks.length === live.size;
      },
      settleMsMax,
    );
    const running = await engine.docker.listContainers();
    assert.equal(new Set(running.map(({ Labels }) => Labels['berth.instance'])).size, live.size, round);
    await until(`${round}: everything agrees`, async () => (await driftOf(world.database)).length === 0, settleMsMax);
  }

  const machines: { machine: string; price: string }[] = [];
  try {
    const host = await world.database.selectFrom('host').select('id').executeTakeFirstOrThrow();
    await inTransaction(world.database, async (tx) => {
      for (let number = 0; number < slots; number += 1) {
        const [machine, price] = [newUuid(chance), newUuid(chance)];
        const size = { vcpus: 1, memoryMib: 256, diskGib: 1, gpus: [] };
        await insertSlot(tx, { id: machine, hostId: host.id, name: `t-${number}`, ...size, createdAt: new Date() });
        await insertSlotPrice(tx, { id: price, slotId: machine, amountMicroUsd: 1n, unit: 'hour', now: new Date() });
        machines.push({ machine, price });
      }
    });
    for (let round = 0; round < rounds; round += 1) {
      const oldest = live.size >= slots - 1 ? [...live.keys()][0] : undefined;
      await allDone([...parts.map(pull), start(round), ...(oldest === undefined ? [] : [stop(oldest)])]);
      await settle(`round ${round} of seed ${seed}`);
    }
    t.diagnostic(`killed: ${killed.join(', ')}`);
    await allDone([...parts.map(pull), ...[...live.keys()].map(stop)]);
    await settle(`the end of seed ${seed}`);
    assert.deepEqual(world.surprises, []);
  } finally {
    await world.kill('agent');
    endIngress(ingressDirectory, 'SIGKILL');
    await world.close({ keep: process.env.BERTH_TORTURE_KEEP !== undefined });
    await engine.close();
  }
});

/** Waits for all of them, also when one has failed: nobody goes on working on what is taken away. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
}

const pageAt = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    (answer) => answer.text(),
    () => null,
  );
