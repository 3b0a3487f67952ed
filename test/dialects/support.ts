// One account seen through every dialect at once: an instance is made in one and looked at in the others.

import assert from 'node:assert/strict';
import type { Database } from '../../src/store/database.ts';
import { call as bytemark, machines, type Vm as Server } from '../api/bytemark/vms.ts';
import { driftOf, vmOf } from '../api/support.ts';
import { type TestBerth, until } from '../support/berth.ts';

export { bytemark };

/** A VM in Bytemark's dialect, deleted or not; undefined where it is not there. */
export async function serverOf(
  berth: TestBerth,
  name: string | number,
  at = machines,
  query = '?view=overview&include_deleted=true',
): Promise<Server | undefined> {
  const answer = await bytemark<Server>(berth, 'GET', `${at}/${name}${query}`);
  assert.ok(answer.status === 200 || answer.status === 404, JSON.stringify(answer.body));
  return answer.status === 200 ? answer.body : undefined;
}

/** The id that an instance has in Fluence's dialect, by its name. */
export async function fluenceIdOf(berth: TestBerth, name: string): Promise<string> {
  const { body } = await berth.call<{ id: string; vmName: string }[]>('GET', '/vms/v3');
  const [found, ...others] = body.filter(({ vmName }) => vmName === name);
  assert.ok(found && others.length === 0, `${others.length + 1} instances are called ${name}`);
  return found.id;
}

/** Waits until an instance's status in Fluence's dialect is this. */
export async function untilFluence(berth: TestBerth, id: string, status: string): Promise<void> {
  let last: string | undefined;
  await until(`${id} is ${status} in Fluence's dialect`, async () => {
    last = (await vmOf(berth, id))?.status;
    return last === status;
  });
}

/** Everything that the checker finds must be gone soon: work that is under way is none of it. */
export async function assertInOrder(database: Database): Promise<void> {
  assert.deepEqual(await driftOf(database), []);
}

/** What an instance costs for an epoch and what is held for it, in US dollars, by Fluence's list. */
export async function costOf(berth: TestBerth, id: string): Promise<{ price: string; held: string; spent: string }> {
  const vm = await vmOf(berth, id);
  assert.ok(vm, `${id} is not listed`);
  return { price: vm.pricePerEpoch, held: vm.reservedBalance, spent: vm.totalSpent };
}
