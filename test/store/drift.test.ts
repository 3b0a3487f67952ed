// What the checker reads of more rows than it reads at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { insertVms } from '../../bench/filled.ts';
import { findDrift } from '../../src/model/drift.ts';
import { readFacts } from '../../src/store/drift.ts';
import { openStore } from '../api/support.ts';
import { startTestBerth } from '../support/berth.ts';

/** More than two answers hold. */
const vms = 2_300;

test('every row is read once, and what is wrong with the last one is found', async (t) => {
  const berth = await startTestBerth();
  t.after(() => berth.close());
  const database = await openStore(berth);
  t.after(() => database.destroy());
  await insertVms(database, vms);
  await sql`insert into instance_name (group_id, name, deployment_id) select group_id, name, deployment_id from instance`.execute(
    database,
  );
  const last = `0x${vms.toString(16).padStart(8, '0').padEnd(40, '0')}`;
  await sql`delete from port_rule where ip = (select ip from address where instance_id = ${last})`.execute(database);
  await sql`delete from address where instance_id = ${last}`.execute(database);
  await sql`update assignment set desired = 'absent' where instance_id = ${last}`.execute(database);

  const facts = await readFacts(database);
  const idsOf = (rows: readonly { instanceId: string | null }[]) => rows.map(({ instanceId }) => instanceId);
  for (const ids of [idsOf(facts.assignments), idsOf(facts.bills), facts.instances.map(({ id }) => id)]) {
    assert.equal(ids.length, vms);
    assert.equal(new Set(ids).size, vms);
  }
  assert.equal(facts.prices.length, vms);
  assert.equal(new Set(facts.names.map(({ name }) => name)).size, vms);
  assert.equal(new Set(idsOf(facts.addresses)).size, vms - 1);
  assert.equal(facts.addresses.length, vms - 1);
  // The address is gone, the price was never right, and nothing that is active may be ordered away.
  const found = findDrift(facts).filter(({ subject }) => subject === last);
  assert.deepEqual(found.map(({ kind }) => kind).toSorted(), ['address', 'bill', 'instance']);
});
