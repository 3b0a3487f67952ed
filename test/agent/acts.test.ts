// Acts on VMs as an agent does them: once, in order, in time, also when it is killed in the middle.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Acts } from '../../src/agent/acts.ts';
import { Records } from '../../src/agent/record.ts';
import type { OfferedAct } from '../../src/api/agent/contract/order.ts';
import type { Settled } from '../../src/api/agent/contract/report.ts';
import { until } from '../support/berth.ts';

const instanceId = `0x${'6'.repeat(40)}`;
const vm = {
  ...{ hostname: 'a', vcpus: 1, memoryMib: 1024, image: null, disks: [], sshKeys: [], portRules: [] },
  ...{ address: '127.66.0.1', bootNumber: 1, autoreboot: false },
};
const assignment = { instanceId, generation: 1, desired: 'running' as const, vm };

const reset = (changes: Partial<OfferedAct> = {}): OfferedAct => {
  return { id: randomUUID(), instanceId, kind: 'reset', keys: [], expiresInMs: 10_000, ...changes };
};

/** An agent's acts on a VM whose driver does what `drive` says, and what came of them. */
async function bench(t: TestContext, drive: (keys: readonly string[]) => Promise<boolean> = async () => true) {
  const directory = await mkdtemp(join(tmpdir(), 'berth-acts-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const records = new Records(directory);
  await records.open(new Date());
  await records.update(instanceId, () => ({ assignment, ran: true, failure: null, restarts: 0, goneAt: null }));
  const done: string[] = [];
  const told: Settled[] = [];
  const open = (kept: Records) =>
    new Acts({
      act: async (_id, what) => {
        done.push(what.kind === 'sendkey' ? what.keys.join('-') : what.kind);
        return drive(what.kind === 'sendkey' ? what.keys : []);
      },
      records: kept,
      logger: { warn() {} },
      settled: (outcome) => void told.push(outcome),
    });
  return {
    acts: open(records),
    done,
    told,
    /** What the next agent begins with, which knows only what is on the disk. */
    async next() {
      const kept = new Records(directory);
      await kept.open(new Date());
      return open(kept);
    },
  };
}

test('an act that is told again is not done again, and how it went is said again', async (t) => {
  const { acts, done, told } = await bench(t);
  const act = reset();
  acts.offer([act, act]);
  await acts.idle();
  acts.offer([act]);
  await acts.idle();
  assert.deepEqual(done, ['reset']);
  assert.deepEqual(told, [
    { id: act.id, outcome: 'done' },
    { id: act.id, outcome: 'done' },
  ]);
});

test('the next agent does not do again what a killed one had begun with', async (t) => {
  const { acts, done, told, next } = await bench(t, () => new Promise(() => {}));
  const act = reset();
  acts.offer([act]);
  await until('it is being done', async () => done.length === 1, 5_000);
  const later = await next();
  later.offer([act]);
  await later.idle();
  assert.deepEqual(done, ['reset']);
  assert.deepEqual(told, [{ id: act.id, outcome: 'failed' }]);
});

test('keys are pressed in the order in which they were sent', async (t) => {
  const { acts, done } = await bench(t, async ([key]) => {
    await sleep(key === 'a' ? 30 : 0);
    return true;
  });
  acts.offer(['a', 'b', 'c'].map((key) => reset({ kind: 'sendkey', keys: [key] })));
  await acts.idle();
  assert.deepEqual(done, ['a', 'b', 'c']);
});

test('an act whose time is over while it waits for its turn is not done', async (t) => {
  const { acts, done, told } = await bench(t, async () => {
    await sleep(50);
    return true;
  });
  const [slow, late] = [reset(), reset({ kind: 'powerdown', expiresInMs: 20 })];
  acts.offer([slow, late]);
  await acts.idle();
  assert.deepEqual(done, ['reset']);
  assert.deepEqual(told, [{ id: slow.id, outcome: 'done' }]);
});

test('what does not run, and what can not be done, is told apart', async (t) => {
  const answers = [async () => false, () => Promise.reject(new Error('QEMU does not answer'))];
  const { acts, told } = await bench(t, () => (answers.shift() as () => Promise<boolean>)());
  const [off, stuck] = [reset(), reset()];
  acts.offer([off, stuck]);
  await acts.idle();
  assert.deepEqual(told, [
    { id: off.id, outcome: 'not-running' },
    { id: stuck.id, outcome: 'failed' },
  ]);
});
