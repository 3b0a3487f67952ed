// Consoles and commands on a terminal: what is piped in goes in, what is said comes out, and each ends as the other side ends it.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { toId } from '../../src/api/native/id.ts';
import { exitCodes } from '../../src/cli/exit.ts';
import { letSlots } from '../api/hiveon/support.ts';
import { keys } from '../api/support.ts';
import { startTestBerth } from '../support/berth.ts';
import { Person } from './support.ts';

const server = await startTestBerth();
after(() => server.close());
const ann = new Person(server);
await ann.text(
  ...['vm', 'create', 'web-1', '--image', 'micro', '--vcpus', '1', '--memory', '1GiB', '--disk', '5GiB'],
  ...['--ssh-key', keys.ed25519, '--wait'],
);

test('a VM’s console is typed to and heard, and left with Ctrl-C', async () => {
  const enough = new AbortController();
  const input = new PassThrough();
  const opened = ann.run(['vm', 'console', 'web-1'], {
    input,
    signal: enough.signal,
    onOut: (text) => {
      if (text.includes('hello')) enough.abort(new Error('SIGINT'));
    },
  });
  input.write('hello\r');
  const { status, out, err } = await opened;
  assert.match(out, /hello/, err);
  assert.equal(status, exitCodes.interrupted);
  assert.match(err, /Left the console; web-1 goes on\./);
});

test('what has no console is refused, and a screen is a page of the console', async () => {
  const { status, err } = await ann.run(['vm', 'console', 'nobody']);
  assert.deepEqual([status, /There is no VM "nobody"/.test(err)], [exitCodes.notFound, true]);
  const { id } = await ann.json<{ id: string }>('vm', 'show', 'web-1');
  assert.equal(await ann.text('vm', 'screen', 'web-1'), `${server.url}/console/instances/${id}\n`);
});

test('a command in a container is heard, and its exit code is the command’s', async () => {
  const [machine] = await letSlots(server, 1);
  assert.ok(machine);
  await ann.text(
    'ct',
    'create',
    'job',
    '--image',
    'nginx:latest',
    '--slot',
    toId('slot', machine.machine_id),
    '--slot-price',
    toId('slotPrice', machine.machine_prices[0]?.id ?? ''),
    '--wait',
  );
  const { status, out, err } = await ann.run(['ct', 'exec', 'job', '--', 'cat'], { input: 'said\n' });
  assert.equal(status, 0, err);
  assert.match(out, /said/);
});
