// `GET /vms/v3/status?ids=`: the small answer that clients poll with.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, untilStatus, vmOf } from '../support.ts';

interface Status {
  id: string;
  status: string;
  statusChangedAt: string;
  publicIp: string | null;
}

const berth = await startTestBerth();
after(() => berth.close());
const ids = await deployed(berth, deployBody({}, { instances: 3 }));
await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
const [first = '', second = ''] = ids;

const read = (query: string) => berth.call<Status[]>('GET', `/vms/v3/status${query}`);
const idsOf = (body: Status[]) => body.map(({ id }) => id).toSorted();

test('each named VM is answered with exactly four fields, as the list has them', async () => {
  const { status, body } = await read(`?ids=${ids.join(',')}`);
  assert.equal(status, 200);
  assert.deepEqual(idsOf(body), ids.toSorted());
  for (const one of body) {
    assert.deepEqual(Object.keys(one), ['id', 'status', 'statusChangedAt', 'publicIp']);
    const vm = await vmOf(berth, one.id);
    assert.deepEqual(one, {
      id: vm?.id,
      status: 'Active',
      statusChangedAt: vm?.statusChangedAt,
      publicIp: vm?.publicIp,
    });
  }
});

test('the comma may be encoded, and stray commas do no harm', async () => {
  for (const query of [`${first}%2C${second}`, `${first}%2c${second}`, `,${first},,${second},`]) {
    assert.deepEqual(idsOf((await read(`?ids=${query}`)).body), [first, second].toSorted());
  }
});

test('ids are read in either case and answered in one', async () => {
  const upper = `0x${first.slice(2).toUpperCase()}`;
  for (const query of [upper, first.toUpperCase(), `${upper},${first}`]) {
    assert.deepEqual(idsOf((await read(`?ids=${query}`)).body), [first]);
  }
});

test('unknown, malformed and deleted ids are left out', async () => {
  const unknown = `0x${'0'.repeat(40)}`;
  for (const query of [unknown, 'x', '%00', "' or 1=1 --", '0x', `${first}x`, '..%2f']) {
    const { status, body } = await read(`?ids=${query},${second}`);
    assert.deepEqual([status, idsOf(body)], [200, [second]], query);
  }
  const [gone = ''] = await deployed(berth, deployBody());
  await berth.call('DELETE', '/vms/v3', { vmIds: [gone] });
  assert.deepEqual((await read(`?ids=${gone}`)).body, []);
});

test('no ids is an empty answer', async () => {
  for (const query of ['', '?ids=', '?ids=,', '?other=1']) assert.deepEqual((await read(query)).body, []);
});

test('a thousand ids are answered; more are refused with the number', async () => {
  // Requests of this length stay below the 16 KiB that all headers and the path may have.
  const short = Array.from({ length: 1000 }, () => 'x').join(',');
  assert.equal((await read(`?ids=${short}`)).status, 200);
  assertRefused(await read(`?ids=${short},x`), 422, 'ids', '1001', '1000');
});

test('a path below it that is no call is not found, nor a path that can’t be decoded', async () => {
  assertRefused(await berth.call('GET', '/vms/v3/status/x'), 404, '/vms/v3/status/x');
  assertRefused(await berth.call('GET', '/vms/v3/%'), 400, '%');
  assertRefused(await berth.call('GET', '/vms/v3/%ff'), 400, '%');
});
