// An agent with simulated VMs, and the server that it is of: it has orders, and notes what it is told.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { Agent, type AgentParts } from '../../src/agent/agent.ts';
import { ServerClient } from '../../src/agent/client.ts';
import { Records } from '../../src/agent/record.ts';
import { defaultPatience } from '../../src/agent/worker.ts';
import type { Inventory } from '../../src/api/agent/contract/inventory.ts';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import type { Report } from '../../src/api/agent/contract/report.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { type Behaviour, SimulatedDriver } from '../../src/sim/driver.ts';
import { calm } from '../support/berth.ts';

/** How long the server takes for an answer. */
const answerMs = 20;

/** A host's directory, and its server; both go with the test, and so does what {@link Ordered.start} has started. */
export class Ordered {
  readonly directory: string;
  readonly #url: string;
  readonly #agents = new Set<Agent>();
  /** What the server orders, in full with every answer, as after a restart of it. */
  orders: Assignment[];
  /** What it was told, the oldest first. */
  readonly reports: Report[] = [];

  private constructor(directory: string, url: string, orders: Assignment[]) {
    this.directory = directory;
    this.#url = url;
    this.orders = orders;
  }

  static async begin(t: TestContext, orders: Assignment[]): Promise<Ordered> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-ordered-'));
    const server = createServer(async (request, response) => {
      if (request.url?.endsWith('/reports')) bench.reports.push((await json(request)) as Report);
      response.setHeader('content-type', 'application/json');
      const answer = () => JSON.stringify({ revision: 1, full: true, assignments: bench.orders });
      setTimeout(() => response.end(answer()), answerMs);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bench = new Ordered(directory, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, orders);
    t.after(async () => {
      server.closeAllConnections();
      server.close();
      for (const agent of bench.#agents) await bench.stop(agent);
      await rm(directory, { recursive: true, force: true });
    });
    return bench;
  }

  /** The host's VMs, found as they are. */
  async driver(behaviour: Behaviour = calm): Promise<SimulatedDriver> {
    const driver = new SimulatedDriver(join(this.directory, 'world'), behaviour, systemEntropy);
    await driver.open();
    return driver;
  }

  /** What the host's agent remembers. */
  records = () => new Records(join(this.directory, 'records'));

  /** The host's agent, started. @param parts what the test cares for */
  async start(driver: SimulatedDriver, parts: Partial<AgentParts> = {}): Promise<Agent> {
    const agent = new Agent({
      client: new ServerClient([this.#url]),
      ...{ records: this.records(), patience: { ...defaultPatience, graceMs: 0, backoffMsMin: 1, backoffMsMax: 10 } },
      ...{ clock: systemClock, entropy: systemEntropy, drivers: { vm: driver, container: null }, hostUsage: null },
      inventory: async () => ({ cores: 1 }) as Inventory,
      logger: { info() {}, warn() {}, error() {} },
      ...parts,
    });
    await agent.start();
    this.#agents.add(agent);
    return agent;
  }

  async stop(agent: Agent): Promise<void> {
    this.#agents.delete(agent);
    await agent.stop();
  }
}
