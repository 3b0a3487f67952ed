// One round of torture: customers at work, plugs pulled at random moments, everything started again, and then the wait
// until all three accounts of the world agree. Also the two disasters: a database put back to an older copy, and an agent
// that has forgotten everything.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededEntropy } from '../../src/sim/chance.ts';
import { readFacts } from '../../src/store/drift.ts';
import type { Market } from './calls.ts';
import { runClient } from './clients.ts';
import type { Ledger } from './ledger.ts';
import { findFaults, type HostTruth, readInstances } from './truth.ts';
import { type Part, parts, type World } from './world.ts';

const clients = 4;
const actsPerClient = 2;
/** Plugs are pulled within this time of the round's start, while customers are at work. */
const pullWithinMs = 400;
/** The same where each thing takes real VMs their time. */
const pullOnceWithinMs = 2_500;
/** Many times what it takes, and less than the minute after which an agent asks for everything anew: nothing may need that. */
const settleMsMax = 45_000;
const lookMs = 50;

/** What a test of this kind works on. */
export interface Torture {
  world: World;
  market: Market;
  chance: SeededEntropy;
  /** Looks at the host itself. */
  look(): Promise<HostTruth>;
}

/** Customers at work while plugs are pulled; then everything is up again, though not yet settled. */
export async function pullPlugs({ world, market, chance }: Torture, label: string): Promise<Part[]> {
  const working = Array.from({ length: clients }, (_, client) =>
    runClient(market, `${label}-${client}`, actsPerClient),
  );
  const killed: Part[] = [];
  const pulling = parts.map(async (part) => {
    const times = killsOf(chance, part);
    for (const afterMs of times) {
      await sleep(afterMs);
      killed.push(part);
      await world.kill(part);
      await world.start(part);
    }
  });
  await Promise.all([...pulling, ...working]);
  return killed;
}

/** The moments to kill a part at: mostly some, at times two, at times none. */
function killsOf(chance: SeededEntropy, part: Part): number[] {
  const dice = chance.fraction();
  const often = part === 'agent' ? 0.6 : 0.45;
  const count = dice < 0.06 ? 2 : dice < often ? 1 : 0;
  return Array.from({ length: count }, () => chance.fraction() * pullWithinMs);
}

/** Pulls the plug of one part at a random moment of a customer's work, mostly, and starts it again. */
export async function pullOnce({ world, chance }: Torture, part: Part, killed: Part[]): Promise<void> {
  if (chance.fraction() < 0.25) return;
  await sleep(chance.fraction() * pullOnceWithinMs);
  killed.push(part);
  await world.kill(part);
  await world.start(part);
}

/** Waits until all accounts agree. @throws Error with everything that still does not when the bound is over */
export async function settle({ world, market: { ledger }, look }: Torture, label: string): Promise<void> {
  const end = performance.now() + settleMsMax;
  for (;;) {
    const faults = [
      ...world.surprises,
      ...(await findFaults(world.database, await look(), ledger, world.agentDirectory)),
    ];
    if (faults.length === 0) break;
    const hopeless = world.surprises.length + ledger.complaints.length > 0;
    if (hopeless || performance.now() > end) throw new Error(`${label}:\n${faults.slice(0, 30).join('\n')}`);
    await sleep(lookMs);
  }
  await learn(world, ledger);
}

/** What an instance is as long as its owner can do anything with it. */
const here: ReadonlySet<string> = new Set(['active', 'stopped', 'soft-deleted', 'failed']);

/** What was not answered is known now: it was either done or it was not. */
async function learn(world: World, ledger: Ledger): Promise<void> {
  const instances = await readInstances(world.database);
  for (const request of ledger.requests) {
    if (request.outcome !== 'unknown') continue;
    const ids = [...instances.values()].filter(({ name }) => name === request.name).map(({ id }) => id);
    if (ids.length > 0) ledger.accept(request, ids, null);
  }
  for (const instance of ledger.promised.values()) {
    const fact = instances.get(instance.id);
    if (!fact) continue;
    if (fact.status === 'active') instance.ran = true;
    if (instance.deletion === 'unknown') instance.deletion = fact.status === 'deleted' ? 'ordered' : 'none';
    if (here.has(fact.status)) {
      instance.ports ??= fact.ports;
      instance.power ??= fact.status === 'active' ? 'on' : 'off';
      instance.hidden ??= fact.status === 'soft-deleted';
      instance.cores ??= fact.vcpus;
      if (instance.deletion === 'ordered') instance.deletion = 'none';
    }
  }
  ledger.openDeletions.clear();
}

/**
 * Puts the database back to its copy and rewrites the clients' ledger to what that may mean: what was accepted since is
 * nobody's, and must run on; what was deleted since is believed to run, and must end as failed.
 */
export async function restoreDatabase({ world, market: { ledger }, look }: Torture): Promise<number> {
  await world.kill('server');
  const before = (await look()).vms;
  // Also what requests made whose answer never came: their clients know no ids, but the host may have the instances.
  const known = await readInstances(world.database);
  await world.restoreDatabase();
  const instances = await readInstances(world.database);
  for (const id of known.keys()) if (!instances.has(id)) ledger.forgotten.add(id);
  for (const request of ledger.requests) {
    if (request.outcome === 'accepted' && request.ids.every((id) => !instances.has(id)))
      ledger.requests.delete(request);
  }
  for (const instance of ledger.promised.values()) {
    if (!instances.has(instance.id)) {
      ledger.promised.delete(instance.id);
      ledger.forgotten.add(instance.id);
      const wasHere = before.some(({ instanceId }) => instanceId === instance.id);
      const isOn = instance.power === 'on' && instance.hidden === false;
      if (wasHere && isOn && instance.deletion === 'none') ledger.orphans.add(instance.id);
    }
    Object.assign(instance, { ports: null, power: null, hidden: null, cores: null });
    if (instance.deletion !== 'none') instance.mayBeLost = true;
  }
  await world.start('server');
  return ledger.orphans.size;
}

/** What an operator does with orphans that nobody misses: the host forgets them. Nothing in Berth does so by itself. */
export async function removeOrphans({ world, market: { ledger } }: Torture): Promise<void> {
  await world.whileAgentIsDown(async (directory) => {
    for (const id of ledger.forgotten) {
      await rm(join(directory, 'world', `${id}.json`), { force: true });
      await rm(join(directory, 'records', `${id}.json`), { force: true });
    }
  });
  ledger.orphans.clear();
  ledger.forgotten.clear();
}

/** The agent loses everything that it remembers; what it can see stays. */
export async function loseRecords({ world }: Torture): Promise<void> {
  await world.whileAgentIsDown((directory) => rm(join(directory, 'records'), { recursive: true }));
}

/** Ends with nothing left: no assignment, no address, no capacity. @returns what is left */
export async function leftovers({ world, look }: Torture): Promise<string[]> {
  const facts = await readFacts(world.database);
  return [
    ...facts.assignments.map(({ instanceId }) => `${instanceId} is still assigned`),
    ...facts.addresses.map(({ ip }) => `${ip} is still held`),
    ...facts.hosts.filter(({ vcpusUsed }) => vcpusUsed > 0).map(({ vcpusUsed }) => `${vcpusUsed} vCPUs are booked`),
    ...(await look()).vms.map(({ instanceId }) => `${instanceId} is still on the host`),
  ];
}
