// Every operation of Berth's own API, called by the example in its document: it is answered as the document says.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { faultsOf, operations } from './document.ts';
import { rightRequest, send, startWorld } from './world.ts';

const world = await startWorld();
after(() => world.close());

// What is no answer but a WebSocket has its tests in door.test.ts.
for (const operation of operations.filter(({ opensDoor }) => !opensDoor)) {
  test(`${operation.id} is answered as documented when it is called by its example`, async () => {
    const { key, example } = await rightRequest(world, operation);
    if (operation.headers.includes('if-match')) {
      const stale = await send(world, key, operation, example, { 'if-match': '"of long ago"' });
      assert.deepEqual([stale.status, (stale.body as { code: string }).code], [412, 'precondition_failed']);
    }
    const { status, body, headers } = await send(world, key, operation, example);
    const shown = `${status} ${JSON.stringify(body)}`;
    assert.ok(status < 300, shown);
    assert.ok(operation.statuses.includes(status), shown);
    if (operation.streams) assert.equal(headers.get('content-type')?.split(';')[0], operation.streams);
    else if (status !== 204) assert.equal(faultsOf(operation, status, body), null, shown);
    assert.ok(headers.get('request-id'));
    assert.match(headers.get('ratelimit') ?? '', /^"requests";r=\d+;t=\d+$/);
  });
}

test('every operation has an example of its body, and a name of its own', () => {
  const names = operations.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length);
  assert.ok(operations.length > 10);
});
