// What becomes of "on" and "off" in each state of a VM, when it is so, and what a VM takes of its host meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, takenOf } from '../../src/model/assignment.ts';
import { hasReached, isGoingOff, isOff, type PowerState, powerOrderFor } from '../../src/model/power.ts';

const running: PowerState = {
  ...{ status: 'active', desired: 'running', generation: 3, bootNumber: 2 },
  ...{ observedGeneration: 3, observedState: 'running', observedBootNumber: 2 },
};
const off: PowerState = {
  ...running,
  status: 'stopped',
  desired: 'off',
  observedState: 'off',
  observedBootNumber: null,
};
const states: Record<string, PowerState> = {
  running,
  off,
  'never switched on, and its host has yet to look': { ...off, observedState: null, observedGeneration: 0 },
  'going off': { ...running, desired: 'off', generation: 4 },
  starting: { ...off, status: 'launching', desired: 'running', observedState: 'preparing' },
  'switched off by its guest': { ...off, desired: 'running' },
};

test('whether a VM is off and stays so', () => {
  const are = Object.keys(states).filter((name) => isOff(states[name] ?? running));
  assert.deepEqual(are, ['off', 'never switched on, and its host has yet to look', 'switched off by its guest']);
});

test('whether a VM was ordered to go off and is not yet', () => {
  const are = Object.keys(states).filter((name) => isGoingOff(states[name] ?? running));
  assert.deepEqual(are, ['going off']);
});

for (const [name, on, offAndStays, offAndBack] of [
  ['running', null, 'stop', 'cycle'],
  ['off', 'start', null, null],
  ['never switched on, and its host has yet to look', 'start', null, null],
  ['going off', 'start', null, null],
  ['starting', null, 'stop', 'cycle'],
  ['switched off by its guest', 'start', null, null],
] as const) {
  test(`asked for power: ${name}`, () => {
    const state = states[name] ?? running;
    const orders = [
      powerOrderFor(state, true, false),
      powerOrderFor(state, false, false),
      powerOrderFor(state, false, true),
    ];
    assert.deepEqual(orders, [on, offAndStays, offAndBack]);
  });
}

test('a power cycle is over when the next start runs, not while the last one still does', () => {
  const goal = { on: true, generation: 4, bootNumber: 3 };
  const ordered = { ...running, generation: 4, bootNumber: 3 };
  assert.equal(hasReached(ordered, goal), false);
  assert.equal(hasReached({ ...ordered, observedGeneration: 4 }, goal), false);
  assert.equal(hasReached({ ...ordered, observedGeneration: 4, observedBootNumber: 3 }, goal), true);
});

test('nobody waits for what was overruled or has failed, or for an off that is older than the order', () => {
  const goal = { on: false, generation: 4, bootNumber: 2 };
  const ordered: PowerState = { ...running, desired: 'off', generation: 4 };
  assert.equal(hasReached({ ...ordered, observedState: 'off' }, goal), false);
  assert.equal(hasReached({ ...ordered, observedState: 'off', observedGeneration: 4 }, goal), true);
  assert.equal(hasReached({ ...ordered, desired: 'running', bootNumber: 3 }, goal), true);
  assert.equal(hasReached({ ...ordered, status: 'failed' }, goal), true);
});

test('what a VM no longer has is given back when it runs without it, and never before', () => {
  const large = { vcpus: 4, memoryMib: 4096 };
  const small = { vcpus: 1, memoryMib: 2048 };
  const held = { generation: 5, ordered: small, taken: large };
  const taken = (seen: Parameters<typeof takenOf>[1]) => takenOf(held, seen);
  assert.deepEqual(taken({ state: 'running', generation: 5, boot: large }), large);
  assert.deepEqual(taken({ state: 'running', generation: 4, boot: small }), large);
  assert.deepEqual(taken({ state: 'running', generation: 5 }), large);
  assert.deepEqual(taken({ state: 'restarting', generation: 5, boot: small }), large);
  assert.deepEqual(taken({ state: 'running', generation: 5, boot: small }), small);
  assert.deepEqual(taken({ state: 'off', generation: 5 }), small);
  // A host can say that it runs with more than is taken; what is not there to be had is not taken.
  assert.deepEqual(takenOf({ ...held, taken: small }, { state: 'running', generation: 5, boot: large }), small);
});

test('a deleted VM that fails or is gone stays out of sight', () => {
  const held = { kind: 'vm', status: 'soft-deleted', generation: 3, desired: 'off' } as const;
  const seen = { generation: 3, reason: null };
  const outcome = (state: 'failed' | 'gone' | 'running' | 'off') => {
    const { status, order, release } = judge(held, { ...seen, state });
    return { status, order, release };
  };
  assert.deepEqual(outcome('failed'), { status: 'deleting', order: 'absent', release: false });
  assert.deepEqual(outcome('gone'), { status: 'deleted', order: null, release: true });
  for (const state of ['running', 'off'] as const) {
    assert.deepEqual(outcome(state), { status: 'soft-deleted', order: null, release: false });
  }
});
