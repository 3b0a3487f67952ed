// What a host's word means, as a table: every held state against every report, also after either side lost its memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Held, judge, type ObservedState, observedStates, type Verdict } from '../../src/model/assignment.ts';
import { instanceStatuses } from '../../src/model/instance.ts';

const running = (generation: number, status: Held['status'] = 'active'): Held => ({
  kind: 'vm',
  status,
  generation,
  desired: 'running',
});
const absent = (generation: number, status: Held['status'] = 'deleting'): Held => ({
  kind: 'vm',
  status,
  generation,
  desired: 'absent',
});
const says = (state: ObservedState, generation: number, reason: string | null = null) => ({
  state,
  generation,
  reason,
});

type Row = [what: string, held: Held, seen: ReturnType<typeof says>, verdict: Partial<Verdict>];

const rows: Row[] = [
  ['a new one is known', running(1, 'launching'), says('pending', 1), { status: 'launching' }],
  [
    'it is being prepared',
    running(1, 'launching'),
    says('preparing', 1, 'Fetching.'),
    { status: 'launching', reason: 'Fetching.' },
  ],
  ['it runs', running(1, 'launching'), says('running', 1), { status: 'active' }],
  ['it runs under an older order for now', running(5), says('running', 4), { status: 'active', order: null }],
  [
    'its hypervisor died',
    running(1),
    says('restarting', 1, 'QEMU ended.'),
    { status: 'launching', reason: 'QEMU ended.' },
  ],
  ['it is back', running(1, 'launching'), says('running', 1), { status: 'active', reason: null }],
  ['its guest switched it off', running(1), says('off', 1), { status: 'stopped' }],
  [
    'it could not be started',
    running(1, 'launching'),
    says('failed', 1, '404'),
    { status: 'failed', reason: '404', order: 'absent', release: false },
  ],
  [
    'it failed without a word',
    running(1, 'launching'),
    says('failed', 1),
    { status: 'failed', reason: 'It could not be started.', order: 'absent' },
  ],
  [
    'it is being deleted and runs still',
    absent(2),
    says('running', 1),
    { status: 'deleting', release: false, order: null },
  ],
  [
    'the order to erase is under way',
    absent(2),
    says('running', 2),
    { status: 'deleting', release: false, order: null },
  ],
  ['it is gone', absent(2), says('gone', 2), { status: 'deleted', release: true }],
  [
    'a failed one is gone: it stays failed for its owner to see',
    absent(2, 'failed'),
    says('gone', 2),
    { status: 'failed', release: true },
  ],
  ['it is gone by an even later order', absent(2), says('gone', 7), { status: 'deleted', release: true }],
  [
    'a late word of an older order to erase releases nothing',
    absent(3),
    says('gone', 2),
    { status: 'deleting', release: false, order: null },
  ],
  // The database was put back to an older copy: the host is ahead.
  [
    'restored: the host has newer ports',
    running(1),
    says('running', 4),
    { status: 'active', order: 'running', release: false },
  ],
  [
    'restored: the host has erased it since',
    running(1),
    says('gone', 2),
    { status: 'failed', release: true, order: null },
  ],
  [
    'restored: it was being deleted, the host is ahead',
    absent(2),
    says('running', 5),
    { status: 'deleting', order: 'absent', release: false },
  ],
  [
    'restored: it was not deleted yet, the host failed it later',
    running(1),
    says('failed', 3, 'Broken.'),
    { status: 'failed', order: 'absent', release: false },
  ],
  // The host lost its memory: it knows of no order.
  [
    'forgetful: it runs, under no order that the host knows',
    running(3),
    says('running', 0),
    { status: 'active', order: null },
  ],
  ['forgetful: it is to be erased', absent(3), says('running', 0), { status: 'deleting', order: null, release: false }],
];

for (const [what, held, seen, verdict] of rows) {
  test(`judged: ${what}`, () => {
    const got = judge(held, seen);
    for (const [field, value] of Object.entries(verdict)) assert.equal(got[field as keyof Verdict], value, field);
  });
}

const helds = fc.record({
  kind: fc.constantFrom('vm' as const, 'container' as const),
  status: fc.constantFrom(...instanceStatuses),
  generation: fc.integer({ min: 1, max: 5 }),
  desired: fc.constantFrom('running' as const, 'absent' as const),
});
const seens = fc.record({
  state: fc.constantFrom(...observedStates),
  generation: fc.integer({ min: 0, max: 6 }),
  reason: fc.option(fc.string()),
});

test('nothing is released but on the host’s word that it is gone', () => {
  fc.assert(fc.property(helds, seens, (held, seen) => !judge(held, seen).release || seen.state === 'gone'));
});

test('a container that has ended by itself is over, and its login and slot with it; a VM keeps its place', () => {
  const over = judge({ ...running(1), kind: 'container' }, says('off', 1, 'It ended by itself.'));
  assert.deepEqual([over.status, over.order, over.reason], ['deleting', 'absent', 'It ended by itself.']);
  const off = judge(running(1), says('off', 1));
  assert.deepEqual([off.status, off.order], ['stopped', null]);
});

test('why something failed is passed on for programs', () => {
  const seen = { ...says('failed', 1, 'No such image.'), failureCode: 'IMAGE_NOT_FOUND' };
  assert.equal(judge(running(1, 'launching'), seen).failureCode, 'IMAGE_NOT_FOUND');
});

test('nothing that should run and does is ever ordered away', () => {
  fc.assert(
    fc.property(helds, seens, (held, seen) => {
      fc.pre(held.desired === 'running' && seen.state !== 'failed');
      fc.pre(held.kind === 'vm' || seen.state !== 'off');
      assert.notEqual(judge(held, seen).order, 'absent');
    }),
  );
});

test('nothing that was ordered away is ever ordered to run, or shown as running', () => {
  fc.assert(
    fc.property(helds, seens, (held, seen) => {
      fc.pre(held.desired === 'absent');
      const { order, status } = judge(held, seen);
      assert.notEqual(order, 'running');
      assert.ok(status === held.status || status === 'deleted');
    }),
  );
});

test('a word that is heard twice means the same', () => {
  fc.assert(
    fc.property(helds, seens, (held, seen) => {
      const once = judge(held, seen);
      fc.pre(!once.release && once.order === null);
      assert.deepEqual(judge({ ...held, status: once.status }, seen), once);
    }),
  );
});
