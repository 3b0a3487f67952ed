// Pulls the plug of server, agent and PostgreSQL, over and over, under customers who deploy and delete, with the simulated
// agent. Everything random comes from one seed: BERTH_TORTURE_SEED runs the same choices again, though the machine's own
// timing differs. BERTH_TORTURE_ROUNDS sets how long it goes on, BERTH_TORTURE_KEEP leaves the directory of a failure.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededEntropy } from '../../src/sim/chance.ts';
import { readJournal, readSimulatedVms } from '../../src/sim/driver.ts';
import { removeVms } from './clients.ts';
import { Ledger, portsText } from './ledger.ts';
import { leftovers, loseRecords, pullPlugs, removeOrphans, restoreDatabase, settle, type Torture } from './rounds.ts';
import type { HostTruth } from './truth.ts';
import { World } from './world.ts';

const rounds = Number(process.env.BERTH_TORTURE_ROUNDS ?? 300);
const seed = Number(process.env.BERTH_TORTURE_SEED ?? Date.now() % 2 ** 32);
/** Twice the database is copied, and some rounds later put back; once the agent's memory is lost. */
const copyRounds = [Math.floor(rounds * 0.25), Math.floor(rounds * 0.7)];
const restoreRounds = copyRounds.map((round) => round + Math.max(1, Math.floor(rounds * 0.05)));
const loseRound = Math.floor(rounds * 0.5);
const sshKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f torture';

test(`what was promised survives ${rounds} pulled plugs, two restored databases and a forgetful agent (seed ${seed})`, async (t) => {
  const chance = new SeededEntropy(seed);
  const behaviour = {
    bootMs: 20,
    eraseMs: 10,
    startFailureChance: 0.05,
    imageFailureChance: 0.05,
    deathChance: 0.1,
    journal: true,
  };
  const patience = { graceMs: 100, backoffMsMin: 20, backoffMsMax: 200, serverRetryMs: 100 };
  const world = await World.create({
    addressPool: '127.47.0.0/24',
    serverArguments: [],
    agentArguments: () => {
      const capacity = { cores: 16, memoryMib: 64 * 1024, diskGib: 1_000 };
      const simulated = { behaviour, capacity, seed: Math.floor(chance.fraction() * 2 ** 32) };
      return ['--simulate', JSON.stringify({ simulated, patience })];
    },
  });
  const constraints = { basicConfiguration: 'cpu-1-ram-2gb-storage-10gb' };
  const template = { constraints, osImage: 'https://images.example.com/small.qcow2', sshKeys: [sshKey] };
  const ledger = new Ledger();
  const numberOf = (id: string) => world.numberOf(id);
  const market = { url: world.url, apiKey: world.apiKey, ledger, chance, template, numberOf };
  const torture: Torture = { world, market, chance, look: () => lookAtSimulation(join(world.agentDirectory, 'world')) };
  const kills = new Map<string, number>();
  const startMs = performance.now();
  let passed = false;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const part of await pullPlugs(torture, `r${round}`)) kills.set(part, (kills.get(part) ?? 0) + 1);
      // Right after the customers have gone, before anything has settled: the worst moment there is.
      if (copyRounds.includes(round)) await world.copyDatabase();
      if (round === loseRound) await loseRecords(torture);
      const restored = restoreRounds.includes(round) ? await restoreDatabase(torture) : null;
      // Customers are back at once, while nobody has yet told the database what it has forgotten.
      if (restored !== null) await pullPlugs(torture, `r${round}-restored`);
      await settle(torture, `round ${round} of seed ${seed}`);
      if (restored !== null) {
        t.diagnostic(`round ${round}: the database was put back; ${restored} orphans run on`);
        await removeOrphans(torture);
        await settle(torture, `round ${round} of seed ${seed}, orphans removed`);
      }
    }
    const minutes = (performance.now() - startMs) / 60_000;
    const left = ledger.live().map(({ id }) => id);
    if (left.length > 0) await removeVms(market, left, false);
    await settle(torture, `the end of seed ${seed}`);
    assert.deepEqual(await leftovers(torture), []);
    const counts = Map.groupBy(ledger.requests, ({ outcome }) => outcome);
    const outcomes = [...counts].map(([outcome, list]) => `${list.length} ${outcome}`).join(', ');
    t.diagnostic(`${(rounds / minutes).toFixed(1)} rounds a minute; kills: ${JSON.stringify([...kills])}; ${outcomes}`);
    passed = true;
  } finally {
    const keep = !passed && process.env.BERTH_TORTURE_KEEP !== undefined;
    if (keep) t.diagnostic(`kept: ${world.directory}`);
    await world.close({ keep });
  }
});

async function lookAtSimulation(directory: string): Promise<HostTruth> {
  const vms = [...(await readSimulatedVms(directory))];
  const journal = await readJournal(directory);
  const complaints: string[] = [];
  for (const [id, { power, starts, deaths, halts = 0 }] of vms) {
    // A start that nothing had ended would be a second VM, or the first one killed.
    if (starts !== deaths + halts + (power === 'running' ? 1 : 0))
      complaints.push(`${id} was started ${starts} times, died ${deaths} and was halted ${halts}`);
  }
  const erased = new Set<string>();
  for (const { act, instanceId } of journal) {
    if (act === 'erase') erased.add(instanceId);
    else if (act === 'start' && erased.has(instanceId))
      complaints.push(`${instanceId} was started after it had been erased`);
  }
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json') && name !== 'journal') complaints.push(`a file without an owner: ${name}`);
  }
  return {
    complaints,
    erased: [...erased],
    vms: vms.map(([instanceId, { spec, power, size }]) => ({
      instanceId,
      running: power === 'running',
      address: spec.address,
      ...(size ?? { vcpus: spec.vcpus, memoryMib: spec.memoryMib }),
      ports: portsText(spec.portRules),
    })),
  };
}
