// Webhooks on a real database: a market of one host whose reports the test writes, receivers on this machine, and servers that
// deliver by a clock that the test sets.

import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Principal } from '../../src/app/authenticate.ts';
import type { Context } from '../../src/app/context.ts';
import { KeyVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { registerWebhook } from '../../src/app/webhook.ts';
import { type WebhookSender, webhookWakeup } from '../../src/app/webhook-delivery.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import { webhookSender } from '../../src/compose/webhook.ts';
import type { WebhookEventType } from '../../src/model/webhook.ts';
import { deliverWebhooks } from '../../src/reconcilers/webhook.ts';
import { inTransaction } from '../../src/store/database.ts';
import { insertEvents } from '../../src/store/event.ts';
import { MoneyWorld } from '../money/world.ts';
import { rent, SlotHost } from '../slot/support.ts';

export const secret = 'the secret of the tests';

/** What a receiver was sent. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: {
    version: string;
    event_id: string;
    event_type: string;
    data: Record<string, unknown>;
    timestamp: string;
  };
}

/** A receiver on this machine that keeps all it is sent and answers as the test says. */
export class Receiver {
  readonly received: Received[] = [];
  /** What is answered to each request; 204 where the test says nothing. */
  answer: (request: Received) => number | 'hang' | RequestListener = () => 204;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const one = { path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) };
        this.received.push(one);
        const answer = this.answer(one);
        if (typeof answer === 'number') response.writeHead(answer).end();
        else if (answer !== 'hang') answer(request, response);
      });
    });
  }

  /** Starts one that listens on loopback. */
  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Its URL; `host` is another name for it. */
  url(path = '/', host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** What was received about one deployment or slot, in the order in which it came. */
  about(subject: string): Received[] {
    return this.received.filter(({ body }) => [body.data.deployment_id, body.data.machine_id].includes(subject));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** What the signature of a text has to be. */
export const signatureOf = (text: string, key = secret): string =>
  `sha256=${createHmac('sha256', key).update(text).digest('hex')}`;

/** A server's part that delivers. */
export class Deliverer {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #context: Context;

  constructor(context: Context, sender: WebhookSender = webhookSender(context)) {
    // Each server has wake-ups of its own.
    this.#context = { ...context, wakeups: new Wakeups(async () => {}) };
    this.#ended = deliverWebhooks(this.#context, sender, this.#stop.signal);
  }

  wake(): void {
    this.#context.wakeups.heard(webhookWakeup);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** A market with a customer who registers webhooks. */
export class WebhookWorld {
  readonly world: MoneyWorld;
  readonly context: Context;
  readonly machine: SlotHost;
  readonly principal: Principal;
  readonly receiver: Receiver;
  /** What secrets are sealed with. */
  readonly key: Uint8Array;

  private constructor(
    world: MoneyWorld,
    context: Context,
    key: Uint8Array,
    machine: SlotHost,
    principal: Principal,
    receiver: Receiver,
  ) {
    this.world = world;
    this.context = context;
    this.key = key;
    this.machine = machine;
    this.principal = principal;
    this.receiver = receiver;
  }

  /** Starts a database with one host, and a receiver that may be delivered to by its address. */
  static async start(pool: string): Promise<WebhookWorld> {
    const world = await MoneyWorld.start();
    const receiver = await Receiver.start();
    const key = randomBytes(32);
    const context: Context = {
      ...world.context,
      vault: new KeyVault(key, systemEntropy),
      allowedCallbackHosts: new Set([`127.0.0.1:${receiver.port}`]),
    };
    const machine = await SlotHost.make(world, pool);
    await machine.report();
    return new WebhookWorld(world, context, key, machine, await world.account(1_000_000_000n), receiver);
  }

  /** Registers a webhook with the tests' secret. @returns its id */
  async register(
    eventType: WebhookEventType,
    { url = this.receiver.url(), principal = this.principal }: { url?: string; principal?: Principal } = {},
  ): Promise<string> {
    const fields = { callbackUrl: 'callback_url', secret: 'secret' };
    const given = { eventType, callbackUrl: url, secret };
    return (await registerWebhook(this.context, principal, given, fields)).id;
  }

  /** Rents a machine. @returns the deployment's id */
  async deploy(): Promise<string> {
    return rent(this.context, this.principal, await this.machine.add());
  }

  /** Writes events of a deployment, one transaction each, as changes of its status do. */
  async happen(deployment: string, times = 1): Promise<void> {
    const { database } = this.context;
    const { id, account_id } = await database
      .selectFrom('instance')
      .where('deployment_id', '=', deployment)
      .select(['id', 'account_id'])
      .executeTakeFirstOrThrow();
    for (let time = 0; time < times; time += 1) {
      await inTransaction(database, async (tx) => {
        // Whoever changes an instance has its row.
        await tx.selectFrom('instance').where('id', '=', id).select('id').forNoKeyUpdate().execute();
        const event = { kind: 'instance.active', message: 'It runs.', actor: 'berth', createdAt: this.world.now };
        await insertEvents(tx, [{ ...event, accountId: account_id, instanceId: id, hostId: null }]);
      });
    }
  }

  /** What is to be told about a deployment, in the order in which it happened. */
  async deliveries(subject: string) {
    const { database } = this.context;
    return database.selectFrom('webhook_delivery').where('subject', '=', subject).selectAll().orderBy('id').execute();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.world.now = new Date(this.world.now.getTime() + ms);
  }

  async end(): Promise<void> {
    this.receiver.close();
    await this.world.end();
  }
}
