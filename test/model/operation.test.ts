// How operations are judged by where their instance stands.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Goal, judgeOperation, type OperationSigns } from '../../src/model/operation.ts';
import type { PowerState } from '../../src/model/power.ts';

const createdAt = new Date('2026-11-20T10:00:00Z');
const soon = new Date('2026-11-20T10:00:05Z');
const later = new Date('2026-11-20T10:00:11Z');
const muchLater = new Date('2026-11-20T10:10:01Z');

const on: PowerState = {
  ...{ status: 'active', desired: 'running', generation: 2, bootNumber: 2 },
  ...{ observedGeneration: 2, observedState: 'running', observedBootNumber: 2 },
};
const off: PowerState = { ...on, status: 'stopped', observedState: 'off', observedBootNumber: null };
const signs = (more: Partial<OperationSigns> = {}): OperationSigns => ({
  ...{ createdAt, status: more.power?.status ?? 'active', statusReason: null, power: on, runningSince: null },
  ...{ outcome: null, actExpiresAt: later, ...more },
});
const judged = (goal: Goal, more: Partial<OperationSigns> = {}, now = soon) => {
  const verdict = judgeOperation(goal, signs(more), now);
  return verdict.isOver ? (verdict.error?.code ?? 'done') : 'running';
};

test('power is reached when the host has come to that very order', () => {
  const goal: Goal = { is: 'power', on: true, generation: 2, bootNumber: 2 };
  assert.equal(judged(goal), 'done');
  assert.equal(judged(goal, { power: { ...on, observedGeneration: 1 } }), 'running');
  assert.equal(judged(goal, { power: { ...on, observedBootNumber: 1 } }), 'running');
  assert.equal(judged(goal, { power: { ...on, bootNumber: 3 } }), 'superseded');
  assert.equal(judged(goal, { power: { ...on, desired: 'off' } }), 'superseded');
  assert.equal(judged(goal, { power: null }), 'superseded');
  assert.equal(judged(goal, { status: 'failed', statusReason: 'No image.' }), 'not_started');
});

test('a button is pressed when the host says so, and not at all when it says nothing in time', () => {
  const goal: Goal = { is: 'act', actId: 'a' };
  assert.equal(judged(goal), 'running');
  assert.equal(judged(goal, { outcome: 'done' }), 'done');
  assert.equal(judged(goal, { outcome: 'not-running' }), 'not_on');
  assert.equal(judged(goal, { outcome: 'failed' }), 'no_answer');
  assert.equal(judged(goal, {}, later), 'no_answer');
  assert.equal(judged(goal, { actExpiresAt: null }), 'no_answer');
});

test('a shutdown is over when the guest is off, or on again by itself, and given up after ten minutes', () => {
  const goal: Goal = { is: 'off', actId: 'a' };
  assert.equal(judged(goal, { outcome: 'done' }), 'running');
  assert.equal(judged(goal, { outcome: 'done', power: off }), 'done');
  assert.equal(judged(goal, { outcome: 'done', runningSince: soon }), 'done');
  assert.equal(judged(goal, { outcome: null }, later), 'no_answer');
  assert.equal(judged(goal, { outcome: 'done' }, muchLater), 'ignored');
  assert.equal(judged(goal, { actExpiresAt: null }, later), 'running', 'the act was forgotten, the guest may be at it');
  assert.equal(judged(goal, { power: null }), 'superseded');
});

test('what is to be gone is gone when its host holds nothing of it', () => {
  assert.equal(judged({ is: 'gone' }), 'running');
  assert.equal(judged({ is: 'gone' }, { power: null }), 'done');
});
