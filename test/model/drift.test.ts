// The checker: facts that agree give nothing, and every disagreement it knows of is found under its kind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Drift, type Facts, findDrift } from '../../src/model/drift.ts';

const size = { vcpus: 2, memoryMib: 4096, diskGib: 25 };

function clean(): Facts {
  const instance = (id: string, status: Facts['instances'][number]['status']) => ({
    id,
    status,
    statusReason: status === 'failed' ? 'The image server answered 404.' : null,
    name: `name-${id}`,
    deploymentId: `deployment-${id}`,
    hostId: 'h1',
  });
  const assignment = (instanceId: string, desired: 'running' | 'absent', observedState: string | null) => ({
    instanceId,
    hostId: 'h1',
    ...size,
    desired,
    generation: 2,
    observedGeneration: observedState === null ? 0 : 2,
    observedState,
  });
  return {
    instances: [
      instance('active', 'active'),
      instance('new', 'launching'),
      instance('off', 'stopped'),
      instance('going', 'deleting'),
      instance('failing', 'failed'),
      instance('failed', 'failed'),
    ],
    assignments: [
      assignment('active', 'running', 'running'),
      assignment('new', 'running', null),
      assignment('off', 'running', 'off'),
      assignment('going', 'absent', 'running'),
      assignment('failing', 'absent', 'failed'),
    ],
    addresses: ['active', 'new', 'off', 'going', 'failing'].map((instanceId, index) => {
      return { ip: `10.0.0.${index}`, instanceId, orphanId: null };
    }),
    hosts: [
      { id: 'h1', vcpusUsed: 10, memoryMibUsed: 5 * 4096, diskGibUsed: 125, strays: [] },
      { id: 'h2', vcpusUsed: 0, memoryMibUsed: 0, diskGibUsed: 0, strays: [] },
    ],
    holds: [],
    orphans: [],
    rooms: [{ instanceId: 'active', pool: 'default', bookedGib: 25, takenGib: 25 }],
    names: ['active', 'new', 'off'].map((id) => ({ name: `name-${id}`, deploymentId: `deployment-${id}` })),
    bills: ['active', 'new', 'off'].map((instanceId) => {
      return { instanceId, accountId: 'a', heldMicroUsd: 5n, priceMicroUsd: 5n };
    }),
    prices: ['active', 'off'].map((instanceId) => ({ instanceId, priceMicroUsd: 5n })),
    balances: [
      { accountId: 'a', heldMicroUsd: 15n },
      { accountId: 'b', heldMicroUsd: 0n },
    ],
  };
}

/** What is found when one thing is changed in facts that agree. */
function drifting(change: (facts: Facts) => void): Drift[] {
  const facts = clean();
  change(facts);
  return findDrift(facts);
}

function of<Item>(items: Item[], at: (item: Item) => boolean): Item {
  const found = items.find(at);
  assert.ok(found);
  return found;
}
const assignmentOf = (facts: Facts, id: string) => of(facts.assignments, ({ instanceId }) => instanceId === id);
const instanceOf = (facts: Facts, id: string) => of(facts.instances, (instance) => instance.id === id);
const drop = <Item>(items: Item[], at: (item: Item) => boolean) => void items.splice(items.findIndex(at), 1);

test('facts that agree, work under way included, give nothing', () => {
  assert.deepEqual(findDrift(clean()), []);
  assert.deepEqual(
    findDrift({
      rooms: [],
      instances: [],
      assignments: [],
      addresses: [],
      hosts: [],
      holds: [],
      orphans: [],
      names: [],
      bills: [],
      prices: [],
      balances: [],
    }),
    [],
  );
});

const cases: [what: string, kind: Drift['kind'], subject: string, change: (facts: Facts) => void][] = [
  [
    'deleted for a while, ordered to run',
    'instance',
    'off',
    (facts) => Object.assign(instanceOf(facts, 'off'), { status: 'soft-deleted' }),
  ],
  [
    'active, ordered away',
    'instance',
    'active',
    (facts) => Object.assign(assignmentOf(facts, 'active'), { desired: 'absent' }),
  ],
  [
    'active, last seen otherwise',
    'instance',
    'active',
    (facts) => Object.assign(assignmentOf(facts, 'active'), { observedState: 'off' }),
  ],
  [
    'active, never seen',
    'instance',
    'active',
    (facts) => Object.assign(assignmentOf(facts, 'active'), { observedState: null }),
  ],
  [
    'the host ahead',
    'instance',
    'off',
    (facts) => Object.assign(assignmentOf(facts, 'off'), { observedGeneration: 3 }),
  ],
  [
    'failed, ordered to run',
    'instance',
    'failing',
    (facts) => Object.assign(assignmentOf(facts, 'failing'), { desired: 'running' }),
  ],
  [
    'being deleted, ordered to run',
    'instance',
    'going',
    (facts) => Object.assign(assignmentOf(facts, 'going'), { desired: 'running' }),
  ],
  [
    'deleted, still assigned',
    'instance',
    'going',
    (facts) => Object.assign(instanceOf(facts, 'going'), { status: 'deleted' }),
  ],
  ['another host', 'instance', 'new', (facts) => Object.assign(instanceOf(facts, 'new'), { hostId: 'h2' })],
  [
    'assigned to nothing',
    'instance',
    'new',
    (facts) => drop(facts.assignments, ({ instanceId }) => instanceId === 'new'),
  ],
  [
    'being deleted, assigned to nothing',
    'instance',
    'going',
    (facts) => drop(facts.assignments, ({ instanceId }) => instanceId === 'going'),
  ],
  [
    'failed without a reason',
    'instance',
    'failed',
    (facts) => Object.assign(instanceOf(facts, 'failed'), { statusReason: null }),
  ],
  [
    'a name that nothing bears',
    'name',
    'name-x',
    (facts) => void facts.names.push({ name: 'name-x', deploymentId: 'x' }),
  ],
  [
    'a name that a failed one keeps',
    'name',
    'name-failed',
    (facts) => void facts.names.push({ name: 'name-failed', deploymentId: 'deployment-failed' }),
  ],
  [
    'a name that is another’s',
    'name',
    'off',
    (facts) =>
      Object.assign(
        of(facts.names, ({ name }) => name === 'name-off'),
        { deploymentId: 'y' },
      ),
  ],
  [
    'an orphan on another’s address',
    'address',
    '10.0.0.0',
    (facts) => void facts.orphans.push({ instanceId: 'x', hostId: 'h1', state: 'running', address: '10.0.0.0' }),
  ],
  ['no address', 'address', 'new', (facts) => drop(facts.addresses, ({ instanceId }) => instanceId === 'new')],
  [
    'an address of nothing',
    'address',
    '10.9.9.9',
    (facts) => void facts.addresses.push({ ip: '10.9.9.9', instanceId: 'failed', orphanId: null }),
  ],
  [
    'an address of an orphan that is none',
    'address',
    '10.9.9.9',
    (facts) => void facts.addresses.push({ ip: '10.9.9.9', instanceId: null, orphanId: 'x' }),
  ],
  [
    'an address twice',
    'address',
    '10.0.0.0',
    (facts) =>
      Object.assign(
        of(facts.addresses, ({ instanceId }) => instanceId === 'new'),
        { ip: '10.0.0.0' },
      ),
  ],
  [
    'vCPUs too many',
    'capacity',
    'h1',
    (facts) =>
      Object.assign(
        of(facts.hosts, ({ id }) => id === 'h1'),
        { vcpusUsed: 11 },
      ),
  ],
  [
    'memory too little',
    'capacity',
    'h1',
    (facts) =>
      Object.assign(
        of(facts.hosts, ({ id }) => id === 'h1'),
        { memoryMibUsed: 0 },
      ),
  ],
  [
    'more booked of a pool than disks take',
    'capacity',
    'active',
    (facts) => facts.rooms.push({ instanceId: 'active', pool: 'fast', bookedGib: 10, takenGib: 5 }),
  ],
  [
    'room that a quote holds and the host does not count',
    'capacity',
    'h2',
    (facts) =>
      facts.holds.push({ quoteId: 'q', hostId: 'h2', isOpen: true, isHeld: true, vcpus: 0, memoryMib: 0, diskGib: 1 }),
  ],
  [
    'an open quote that holds nothing',
    'capacity',
    'q',
    (facts) => facts.holds.push({ quoteId: 'q', hostId: 'h2', isOpen: true, isHeld: false, ...size }),
  ],
  [
    'a quote that is over and holds something',
    'capacity',
    'q',
    (facts) =>
      facts.holds.push({ quoteId: 'q', hostId: 'h2', isOpen: false, isHeld: true, vcpus: 0, memoryMib: 0, diskGib: 0 }),
  ],
  [
    'disk on an empty host',
    'capacity',
    'h2',
    (facts) =>
      Object.assign(
        of(facts.hosts, ({ id }) => id === 'h2'),
        { diskGibUsed: 1 },
      ),
  ],
  [
    'an orphan',
    'orphan',
    'x',
    (facts) => void facts.orphans.push({ instanceId: 'x', hostId: 'h1', state: 'running', address: null }),
  ],
  [
    'a stray',
    'stray',
    'h2',
    (facts) =>
      Object.assign(
        of(facts.hosts, ({ id }) => id === 'h2'),
        { strays: ['process 7'] },
      ),
  ],
];

for (const [what, kind, subject, change] of cases) {
  test(`found: ${what}`, () => {
    const drift = drifting(change);
    assert.ok(
      drift.some((item) => item.kind === kind && item.subject === subject && item.message.length > 0),
      JSON.stringify(drift),
    );
  });
}

test('an orphan that is off uses no address, so that somebody else may have it', () => {
  const drift = drifting((facts) => {
    facts.orphans.push({ instanceId: 'x', hostId: 'h1', state: 'off', address: '10.0.0.0' });
  });
  assert.deepEqual(
    drift.map(({ kind }) => kind),
    ['orphan'],
  );
});

test('an orphan that holds its address is one finding, not two', () => {
  const drift = drifting((facts) => {
    facts.orphans.push({ instanceId: 'x', hostId: 'h1', state: 'running', address: '10.0.0.99' });
    facts.addresses.push({ ip: '10.0.0.99', instanceId: null, orphanId: 'x' });
  });
  assert.deepEqual(
    drift.map(({ kind }) => kind),
    ['orphan'],
  );
});

test('an instance that lives without an open bill is drift, and so is an open bill of one that is over', () => {
  assert.deepEqual(
    drifting(({ bills }) =>
      bills.splice(0, 1, { instanceId: 'failed', accountId: 'a', heldMicroUsd: 5n, priceMicroUsd: 5n }),
    ).map(({ kind, subject }) => [kind, subject]),
    [
      ['bill', 'active'],
      ['bill', 'failed'],
    ],
  );
});

test('a VM that is billed another price than that of what it has is drift', () => {
  const found = drifting(({ bills }) => {
    for (const bill of bills) bill.priceMicroUsd += 1n;
  });
  assert.deepEqual(
    found.map(({ kind, subject }) => [kind, subject]),
    [
      ['bill', 'active'],
      ['bill', 'off'],
    ],
  );
});

test('a balance that holds more or less than its bills is drift', () => {
  const found = drifting(({ balances }) => {
    for (const balance of balances) balance.heldMicroUsd += 1n;
  });
  assert.deepEqual(
    found.map(({ kind, subject }) => [kind, subject]),
    [
      ['bill', 'a'],
      ['bill', 'b'],
    ],
  );
});
