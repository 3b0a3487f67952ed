// Webhooks: 100 events a second for 30 s, each in a transaction of its own, to a receiver that takes them, and then to one that
// fails half of all requests. How long from committed to delivered; that none is lost; that each deployment's come in order.
// Run by `npm run bench:webhook`; prints one line of JSON.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../src/app/authenticate.ts';
import { startContainer } from '../src/app/container.ts';
import { readSlot } from '../src/app/slot.ts';
import { addSlot } from '../src/app/slot-terms.ts';
import { inTransaction } from '../src/store/database.ts';
import { insertEvents } from '../src/store/event.ts';
import { randomOf } from './hosts.ts';
import { type Stack, startStack } from './stack.ts';

const deployments = 300;
const eventsPerSecond = 100;
const seconds = 30;
/** For one event; more would make the run wait for back-off alone. */
const failuresInARowMax = 6;
const drainMsMax = 10 * 60_000;
/** Deployments are written by so many at once. */
const writers = 4;

const random = randomOf(1);
const keyOf = (deployment: string, at: string) => `${deployment} ${at}`;

interface Container {
  deployment: string;
  instance: string;
  accountId: string;
}

/** When which event came, and what was answered. */
class Receiver {
  failShare = 0;
  requests = 0;
  failed = 0;
  readonly takenAtMs = new Map<string, number>();
  readonly order = new Map<string, string[]>();
  duplicates = 0;
  readonly #failures = new Map<string, number>();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { data, timestamp } = JSON.parse(Buffer.concat(chunks).toString());
      response.writeHead(this.#take(data.deployment_id, timestamp) ? 204 : 500).end();
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  #take(deployment: string, at: string): boolean {
    const key = keyOf(deployment, at);
    const failures = this.#failures.get(key) ?? 0;
    this.requests += 1;
    if (failures < failuresInARowMax && random() < this.failShare) {
      this.#failures.set(key, failures + 1);
      this.failed += 1;
      return false;
    }
    if (this.takenAtMs.has(key)) this.duplicates += 1;
    this.takenAtMs.set(key, performance.now());
    this.order.set(deployment, [...(this.order.get(deployment) ?? []), at]);
    return true;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Rents machines until there are enough deployments. */
async function rentMachines({ context }: Stack, { accountId }: { accountId: string }): Promise<Container[]> {
  const principal: Principal = { accountId, accountName: 'bench', actor: 'key:bench', scope: 'full' };
  const fields = {
    ...{ name: 'n', vcpus: 'v', memoryGib: 'm', diskGib: 'd', gpus: 'g', hour: 'h', epoch: 'e' },
    ...{
      slotId: 's',
      priceId: 'p',
      externalId: 'x',
      image: 'i',
      registryAuth: 'r',
      sshKeys: 'k',
      ports: 'o',
      port: 't',
    },
    ...{ protocol: 'l', environment: 'w', startupScript: 'c', metadata: 'a' },
  };
  const size = { vcpus: 1, memoryGib: 1, diskGib: 1, gpus: [], prices: { hour: '0.001' } };
  const rentOne = async (number: number): Promise<void> => {
    const slotId = await addSlot(context, { host: 'bench', name: `slot-${number}`, ...size }, fields);
    const { prices } = await readSlot(context, slotId);
    const request = {
      ...{ slotId, priceId: prices[0]?.id ?? '', externalId: null, image: 'nginx', registryAuth: null, sshKeys: [] },
      ...{ ports: [], startupScript: null, environment: {}, metadata: {} },
    };
    await startContainer(context, principal, request, fields);
  };
  for (let number = 0; number < deployments; number += writers) {
    await Promise.all(Array.from({ length: writers }, (_, index) => rentOne(number + index)));
  }
  const rows = await context.database
    .selectFrom('instance')
    .where('kind', '=', 'container')
    .select(['id', 'deployment_id'])
    .execute();
  return rows.map((row) => ({ deployment: row.deployment_id, instance: row.id, accountId }));
}

/** Writes one event as a change of status does. @returns when it was committed */
async function happen({ context }: Stack, { instance, accountId }: Container, createdAt: Date): Promise<number> {
  await inTransaction(context.database, async (tx) => {
    await tx.selectFrom('instance').where('id', '=', instance).select('id').forNoKeyUpdate().execute();
    const event = { accountId, instanceId: instance, hostId: null, kind: 'instance.active', message: 'It runs.' };
    await insertEvents(tx, [{ ...event, actor: 'bench', createdAt }]);
  });
  return performance.now();
}

async function untilQuiet({ context }: Stack): Promise<void> {
  const end = performance.now() + drainMsMax;
  for (;;) {
    const left = await context.database.selectFrom('webhook_queue').select('subject').limit(1).execute();
    if (left.length === 0) return;
    if (performance.now() > end) throw new Error(`deliveries were pending for ${drainMsMax / 60_000} minutes`);
    await sleep(100);
  }
}

/** One run. */
async function measure(stack: Stack, receiver: Receiver, containers: readonly Container[], failShare: number) {
  Object.assign(receiver, { failShare, requests: 0, failed: 0, duplicates: 0 });
  receiver.takenAtMs.clear();
  receiver.order.clear();
  const committedAtMs = new Map<string, number>();
  const happened = new Map<string, string[]>();
  const writing: Promise<void>[] = [];
  const began = performance.now();
  for (let number = 0; number < eventsPerSecond * seconds; number += 1) {
    await sleep(Math.max(0, began + (number * 1000) / eventsPerSecond - performance.now()));
    const container = containers[number % containers.length] as Container;
    // Its moment is how an event is known again.
    const at = new Date(Date.now());
    const key = keyOf(container.deployment, at.toISOString());
    happened.set(container.deployment, [...(happened.get(container.deployment) ?? []), at.toISOString()]);
    writing.push(
      happen(stack, container, at).then((ms) => {
        committedAtMs.set(key, ms);
      }),
    );
  }
  await Promise.all(writing);
  await untilQuiet(stack);
  const latencies = [...committedAtMs].flatMap(([key, ms]) => {
    const taken = receiver.takenAtMs.get(key);
    return taken === undefined ? [] : [Math.max(0, taken - ms)];
  });
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => Number((latencies[Math.floor(share * (latencies.length - 1))] ?? 0).toFixed(1));
  const outOfOrder = [...happened].filter(([one, times]) => receiver.order.get(one)?.join() !== times.join()).length;
  return {
    ...{ events: committedAtMs.size, delivered: latencies.length, lost: committedAtMs.size - latencies.length },
    ...{ requests: receiver.requests, failed: receiver.failed, duplicates: receiver.duplicates, outOfOrder },
    ...{ p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  };
}

const receiver = new Receiver();
const port = await receiver.listen();
const stack = await startStack(['--allow-callback-host', `127.0.0.1:${port}`]);
try {
  const { id: accountId } = await stack.context.database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const containers = await rentMachines(stack, { accountId });
  const body = { event_type: 'EVENT_TYPE_DEPLOYMENT_UPDATED', callback_url: `http://127.0.0.1:${port}/` };
  const registered = await fetch(`${stack.url}/vendors/v1/webhooks`, {
    method: 'POST',
    headers: { 'x-api-key': stack.apiKey },
    body: JSON.stringify(body),
  });
  if (registered.status !== 200) throw new Error(await registered.text());
  // The agent brings the containers up meanwhile.
  await sleep(5_000);
  await untilQuiet(stack);
  const healthy = await measure(stack, receiver, containers, 0);
  const failing = await measure(stack, receiver, containers, 0.5);
  const figure = { bench: 'webhook', eventsPerSecond, seconds, deployments, unit: 'ms', healthy, failing };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
  if ([healthy, failing].some(({ lost, outOfOrder }) => lost + outOfOrder > 0)) process.exitCode = 1;
} finally {
  await stack.close();
  receiver.close();
}
