// Pulls the plug of server, agent and PostgreSQL while real VMs come up, run and go. A VM must not notice: the same QEMU
// process, the same boot of the guest, from its first login to its deletion. BERTH_TORTURE_SEED repeats the choices.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededEntropy } from '../../src/sim/chance.ts';
import { inGuest, traces, untilLogin } from '../agent/vm/support.ts';
import { makeSshKey } from '../support/berth.ts';
import { microImage } from '../support/images.ts';
import type { Market } from './calls.ts';
import { deploy, removeVms } from './clients.ts';
import { Ledger } from './ledger.ts';
import { endQemus, findQemus, lookAtQemus, serveImage } from './qemu-host.ts';
import { leftovers, loseRecords, pullOnce, settle, type Torture } from './rounds.ts';
import { readInstances } from './truth.ts';
import { type Part, parts, World } from './world.ts';

const rounds = 5;
/** In this round the agent forgets everything while VMs run. */
const loseRound = 3;
/** Each of them boots in emulation, which takes seconds of a processor. */
const liveMax = 3;
const seed = Number(process.env.BERTH_TORTURE_SEED ?? Date.now() % 2 ** 32);

/** An agent that was killed is back in far less than this. */
const attemptsMax = 60;
const refusedPauseMs = 1_000;

/** What never changes as long as a VM runs on. */
interface Boot {
  pid: number;
  bootId: string;
}

test(`real VMs run on through ${rounds} rounds of pulled plugs and a forgetful agent (seed ${seed})`, async (t) => {
  const chance = new SeededEntropy(seed);
  const { host, server: imageServer } = await serveImage(await microImage());
  const allowed = ['--allow-image-host', host];
  const addressPool = '127.48.0.0/16';
  const world = await World.create({ addressPool, serverArguments: allowed, agentArguments: () => allowed });
  const vmDirectory = join(world.agentDirectory, 'vm');
  const { publicKey, privateKeyFile } = await makeSshKey(world.directory);
  const constraints = { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' };
  const template = { constraints, osImage: `http://${host}/micro.qcow2`, sshKeys: [publicKey] };
  const ledger = new Ledger();
  const numberOf = (id: string) => world.numberOf(id);
  const market: Market = { url: world.url, apiKey: world.apiKey, ledger, chance, template, numberOf };
  const torture: Torture = { world, market, chance, look: () => lookAtQemus(world.agentDirectory) };
  const boots = new Map<string, Boot>();
  const killed: Part[] = [];

  /** Every VM that runs answers, and is the one that it was. */
  async function checkGuests(round: number): Promise<void> {
    const instances = await readInstances(world.database);
    const pids = new Map(findQemus(vmDirectory).map(({ instanceId, pid }) => [instanceId, pid]));
    for (const { id } of ledger.live()) {
      const { address, status } = instances.get(id) ?? {};
      if (status !== 'active' || !address) continue;
      await untilLogin(privateKeyFile, address);
      const bootId = await inGuest(privateKeyFile, address, 'cat /proc/sys/kernel/random/boot_id');
      const boot = { pid: pids.get(id) ?? 0, bootId };
      assert.deepEqual(boot, boots.get(id) ?? boot, `round ${round}: ${id} was started anew`);
      boots.set(id, boot);
    }
  }

  /** Deploys, and anew as long as it is refused: a host whose agent takes its time to come back has nothing on offer. */
  async function deployAtLast(name: string, count: number): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const { outcome } = await deploy(market, attempt === 1 ? name : `${name}-${attempt}`, count);
      if (outcome !== 'refused') return;
      await sleep(refusedPauseMs);
    }
  }

  try {
    for (let round = 0; round < rounds; round += 1) {
      const pulling = parts.map((part) => pullOnce(torture, part, killed));
      const live = ledger.live();
      const working = [
        deployAtLast(`vm-${round}`, round === 0 ? 2 : 1),
        ...(live.length >= liveMax - 1 && live[0] ? [removeVms(market, [live[0].id], false)] : []),
      ];
      await Promise.all([...pulling, ...working]);
      if (round === loseRound) await loseRecords(torture);
      await settle(torture, `round ${round} of seed ${seed}`);
      await checkGuests(round);
    }
    t.diagnostic(`${boots.size} VMs answered; killed: ${killed.join(', ')}`);
    const outcomes = [...ledger.requests].map(({ name, outcome }) => `${name} ${outcome}`).join(', ');
    assert.equal(boots.size, rounds + 1, `VMs that were accepted and answered: ${outcomes}`);
    const left = ledger.live().map(({ id }) => id);
    const pulling = parts.map((part) => pullOnce(torture, part, killed));
    await Promise.all([...pulling, removeVms(market, left, false)]);
    await settle(torture, `the end of seed ${seed}`);
    assert.deepEqual(await leftovers(torture), []);
    for (const id of boots.keys()) assert.deepEqual(await traces(world.agentDirectory, id), [], id);
    assert.deepEqual(await readdir(vmDirectory), []);
    assert.deepEqual(findQemus(vmDirectory), []);
    // The image is kept for the next VM; what a killed agent left of its download is not.
    for (const folder of ['part', 'tmp']) {
      assert.deepEqual(await readdir(join(world.agentDirectory, 'images', folder)), []);
    }
  } finally {
    await world.kill('agent');
    await endQemus(world.agentDirectory);
    await world.close({ keep: process.env.BERTH_TORTURE_KEEP !== undefined });
    imageServer.closeAllConnections();
    imageServer.close();
  }
});
