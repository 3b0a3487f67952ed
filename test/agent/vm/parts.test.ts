// The driver's pure parts: a command line and back, what QEMU and the kernel print, and what follows from it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeObstacle,
  parseForwards,
  planForwards,
  reconcileForwards,
} from '../../../src/agent/network/forwards.ts';
import { elementsOf } from '../../../src/agent/network/isolation.ts';
import { localsOf } from '../../../src/agent/network/listeners.ts';
import { instanceOfArguments, qemuArguments } from '../../../src/agent/vm/command-line.ts';
import { homeOf, withoutPaths } from '../../../src/agent/vm/home.ts';
import { isVmUserId, userIdOf, userIdsAreMapped } from '../../../src/agent/vm/user-id.ts';

const instanceId = `0x${'5e'.repeat(20)}`;
const command = {
  instanceId,
  diskPath: `/srv/a,b/vm/${instanceId}/disk.qcow2`,
  vcpus: 2,
  memoryMib: 512,
  acceleration: 'tcg' as const,
  baseFormat: 'raw' as const,
  restrictNetwork: false,
};
const tcp = (port: number) => ({ port, protocol: 'tcp' as const });

test('a QEMU is recognised by its command line, also below a directory with commas, and no other process is', () => {
  const args = ['setpriv', '--', 'qemu-system-x86_64', ...qemuArguments(command)];
  assert.equal(instanceOfArguments(args, '/srv/a,b/vm'), instanceId);
  assert.equal(instanceOfArguments(args, '/srv/a,b'), null, 'another directory');
  assert.equal(instanceOfArguments(args, '/srv/a,b/v'), null, 'a name that begins alike');
  assert.equal(instanceOfArguments(['vi', ...args.slice(3)], '/srv/a,b/vm'), null, 'another program');
});

test('every image format is named, the base is read-only, and no path of the host but the label is on the command line', () => {
  const args = qemuArguments(command);
  const blockdevs = args.filter((_, index) => args[index - 1] === '-blockdev');
  assert.equal(blockdevs.length, 6);
  for (const blockdev of blockdevs) assert.match(blockdev, /^driver=(file|raw|qcow2),/);
  for (const blockdev of blockdevs.filter((text) => /node-name=(base|seed)/.test(text))) {
    assert.match(blockdev, /read-only=on/);
  }
  assert.deepEqual(
    args.filter((arg) => arg.includes('/srv')),
    [`fd=3,set=1,opaque=/srv/a,,b/vm/${instanceId}/disk.qcow2`],
  );
  assert.ok(args.includes('-nodefaults') && args.includes('-no-user-config') && args.includes('-S'));
  assert.ok(qemuArguments({ ...command, restrictNetwork: true }).some((arg) => /^user,.*restrict=on$/.test(arg)));
});

test('QEMU’s list of forwards is read, and compared with what should be open', () => {
  const text = [
    'Hub -1 (n0):\r',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r',
    '  TCP[ESTABLISHED]   15       127.0.0.1 43234       10.0.2.15    22     0     0\r',
    '  TCP[HOST_FORWARD]  12     127.44.0.7    22       10.0.2.15    22     0     0\r',
    '  TCP[HOST_FORWARD]  14     127.44.0.7 20080       10.0.2.15    80     0     0\r',
    '  UDP[HOST_FORWARD]  13     127.44.0.7    53       10.0.2.15    53     0     0\r',
  ].join('\n');
  const forwards = parseForwards(text);
  const forward = (protocol: string, hostPort: number, guestPort: number) => ({
    protocol,
    hostAddress: '127.44.0.7',
    hostPort,
    guestPort,
  });
  assert.deepEqual(forwards, [forward('tcp', 22, 22), forward('tcp', 20080, 80), forward('udp', 53, 53)]);

  const same = planForwards(forwards, '127.44.0.7', [tcp(80), { port: 53, protocol: 'udp' }, tcp(22)]);
  assert.deepEqual(same, { close: [], open: [] });
  const other = planForwards(forwards, '127.44.0.7', [tcp(53), tcp(80)]);
  assert.deepEqual(other, { close: [forwards[0], forwards[2]], open: [tcp(53)] });
  const inTheWay = planForwards(forwards, '127.44.0.7', [tcp(22), tcp(80), tcp(20080)]);
  assert.deepEqual(inTheWay, {
    close: [forward('tcp', 20080, 80), forward('udp', 53, 53)],
    open: [tcp(80), tcp(20080)],
  });
  assert.equal(planForwards(forwards, '127.44.0.8', []).close.length, 3);
});

test('a port that can not be opened is told with what stands in its way, and the others are opened', async () => {
  const listening = new Set<string>();
  const monitor = async (line: string) => {
    const [command, , forward = ''] = line.split(' ');
    const [, host] = /^tcp:127\.44\.0\.7:(\d+)-/.exec(forward) ?? [];
    if (command === 'hostfwd_add' && (host === '80' || host === '81' || host === '82')) return 'Could not set up';
    if (command === 'hostfwd_add') listening.add(host ?? '');
    if (command !== 'info') return '';
    return [...listening].map((port) => `  TCP[HOST_FORWARD]  12 127.44.0.7 ${port} 10.0.2.15 ${port} 0 0\n`).join('');
  };
  const holder = async (_protocol: string, _address: string, port: number) =>
    port === 80 ? ('address' as const) : port === 81 ? ('all' as const) : ('nobody' as const);
  const rules = [tcp(22), tcp(80), tcp(81), tcp(82)];
  const result = await reconcileForwards(monitor, '127.44.0.7', rules, { standIns: false, holder });
  assert.deepEqual(result.obstacles, [
    { rule: tcp(80), kind: 'taken' },
    { rule: tcp(81), kind: 'wildcard' },
    { rule: tcp(82), kind: 'not-permitted' },
  ]);
  assert.deepEqual(
    result.forwards.map(({ guestPort }) => guestPort),
    [22],
  );
  for (const obstacle of result.obstacles)
    assert.match(describeObstacle('127.44.0.7', obstacle), /^Port 8\d\/tcp of 127\.44\.0\.7 /);
});

test('the kernel’s tables say who listens: on one address, on all, in either family', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const row = (local: string, state: string) => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000\n`;
  const tcp4 = head + row('07002C7F:0016', '0A') + row('00000000:0050', '0A') + row('07002C7F:1F90', '01');
  assert.deepEqual(localsOf(tcp4, 'tcp'), [
    { address: '127.44.0.7', port: 22 },
    { address: null, port: 80 },
  ]);
  const row6 = (local: string) => `   0: ${local} ${'0'.repeat(32)}:0000 0A 00000000:00000000\n`;
  const mapped = '0000000000000000FFFF000007002C7F:0016';
  const tcp6 = head + row6(mapped) + row6(`${'0'.repeat(32)}:0050`) + row6('00000000000000000000000001000000:0051');
  assert.deepEqual(localsOf(tcp6, 'tcp'), [
    { address: '127.44.0.7', port: 22 },
    { address: null, port: 80 },
  ]);
});

test('the packet filter’s table says whose each element is', () => {
  const json = JSON.stringify({
    nftables: [
      { metainfo: {} },
      { set: { name: 'guests', elem: [{ elem: { val: 1879048193, comment: 'a' } }, 5] } },
      { set: { name: 'open' } },
      {
        map: {
          name: 'moved',
          elem: [
            [{ elem: { val: { concat: ['127.44.0.7', 'tcp', 22] }, comment: 'b' } }, { concat: ['127.44.0.7', 20022] }],
          ],
        },
      },
    ],
  });
  assert.deepEqual(elementsOf(json), [
    { set: 'guests', key: '1879048193', owner: 'a', value: '' },
    { set: 'guests', key: '5', owner: '', value: '' },
    { set: 'moved', key: '127.44.0.7 . tcp . 22', owner: 'b', value: '127.44.0.7 . 20022' },
  ]);
});

test('each VM has a user id of its own, from a range that nobody uses', () => {
  const ids = new Set(Array.from({ length: 1000 }, (_, n) => userIdOf('/srv/vm', `0x${n}`)));
  assert.ok(ids.size >= 998, `${ids.size} of 1000 differ`);
  for (const id of ids) assert.ok(isVmUserId(id));
  assert.equal(isVmUserId(0), false);
  assert.notEqual(userIdOf('/srv/vm', instanceId), userIdOf('/other/vm', instanceId));
  assert.equal(userIdsAreMapped('         0          0 4294967295\n'), true);
  assert.equal(userIdsAreMapped('         0     100000      65536\n'), false);
});

test('messages lose the host’s paths, and an id that is none never becomes a path', () => {
  const message = "qemu-system-x86_64: -blockdev x: Could not open '/srv/berth/vm/disk.qcow2': Permission denied";
  assert.equal(withoutPaths(message), "-blockdev x: Could not open 'disk.qcow2': Permission denied");
  for (const id of ['..', '', '0x5e/../..', instanceId.toUpperCase()]) assert.throws(() => homeOf('/srv/vm', id));
});
