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
import { instanceOfArguments, qemuCommandLine } from '../../../src/agent/vm/command-line.ts';
import { homeOf, withoutPaths } from '../../../src/agent/vm/home.ts';
import { isVmUserId, userIdOf, userIdsAreMapped } from '../../../src/agent/vm/user-id.ts';

const instanceId = `0x${'5e'.repeat(20)}`;
const command = {
  instanceId,
  seedPath: `/srv/a,b/vm/${instanceId}/seed.iso`,
  discs: [
    { id: 'first', path: '/srv/a,b/disk/first/disk-1.qcow2', base: { path: '/srv/base', format: 'raw' as const } },
    { id: 'second', path: '/srv/a,b/disk/second/disk-0.qcow2', base: null },
  ],
  spares: ['/srv/a,b/disk/spare/1'],
  vcpus: 2,
  memoryMib: 512,
  acceleration: 'tcg' as const,
  hardwareProfile: 'virtio2013' as const,
  keymap: null,
  cdromPath: '/srv/rescue.iso',
  mayReboot: true,
  tap: null,
  restrictNetwork: false,
};
const tcp = (port: number) => ({ port, protocol: 'tcp' as const });
const at = <Rule>(rule: Rule) => ({ address: '127.44.0.7', rule });

test('a QEMU is recognised by its command line, also below a directory with commas, and no other process is', () => {
  const args = ['setpriv', '--', 'qemu-system-x86_64', ...qemuCommandLine(command).args];
  assert.equal(instanceOfArguments(args, '/srv/a,b/vm'), instanceId);
  assert.equal(instanceOfArguments(args, '/srv/a,b'), null, 'another directory');
  assert.equal(instanceOfArguments(args, '/srv/a,b/v'), null, 'a name that begins alike');
  assert.equal(instanceOfArguments(['vi', ...args.slice(3)], '/srv/a,b/vm'), null, 'another program');
});

test('every image format is named, the base is read-only, and paths of the host are labels and nothing else', () => {
  const { args, files } = qemuCommandLine(command);
  const nodes = args.filter((_, index) => args[index - 1] === '-blockdev').map((text) => JSON.parse(text));
  assert.deepEqual(
    nodes.map(({ driver }) => driver),
    ['file', 'raw', 'file', 'raw', 'file', 'qcow2', 'file', 'qcow2', 'file', 'raw', 'file'],
  );
  const written = nodes.filter((node) => node['read-only'] !== true);
  assert.deepEqual(
    written.map(({ driver, backing }) => [driver, backing]),
    [
      ['file', undefined],
      ['qcow2', nodes[3]['node-name']],
      ['file', undefined],
      ['qcow2', null],
      ['file', undefined],
    ],
    'what a header says of a backing file counts for nothing',
  );
  for (const { 'node-name': name } of nodes) assert.ok(name.length <= 31, `${name} is too long for QEMU`);
  const { first, second } = Object.fromEntries(command.discs.map((disc) => [disc.id, disc]));
  assert.deepEqual(
    files.map(({ path, access }) => [path, access]),
    [
      [command.seedPath, 'read'],
      [first?.base?.path, 'read'],
      [first?.path, 'write'],
      [second?.path, 'write'],
      [command.cdromPath, 'read'],
      [command.spares[0], 'write'],
    ],
  );
  const paths = args.filter((arg) => arg.includes('/srv'));
  assert.equal(paths[0], `fd=3,set=1,opaque=/srv/a,,b/vm/${instanceId}/seed.iso`);
  for (const path of paths) assert.match(path, /^fd=\d,set=\d,opaque=/);
  assert.ok(args.includes('-nodefaults') && args.includes('-no-user-config') && args.includes('-S'));
  assert.ok(
    qemuCommandLine({ ...command, restrictNetwork: true }).args.some((arg) => /^user,.*restrict=on$/.test(arg)),
  );
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
  const forward = (protocol: 'tcp' | 'udp', hostPort: number, guestPort: number) => ({
    protocol,
    hostAddress: '127.44.0.7',
    hostPort,
    guestPort,
  });
  assert.deepEqual(forwards, [forward('tcp', 22, 22), forward('tcp', 20080, 80), forward('udp', 53, 53)]);

  const same = planForwards(forwards, ['127.44.0.7'], [tcp(80), { port: 53, protocol: 'udp' }, tcp(22)]);
  assert.deepEqual(same, { close: [], open: [] });
  const other = planForwards(forwards, ['127.44.0.7'], [tcp(53), tcp(80)]);
  assert.deepEqual(other, { close: [forwards[0], forwards[2]], open: [at(tcp(53))] });
  const inTheWay = planForwards(forwards, ['127.44.0.7'], [tcp(22), tcp(80), tcp(20080)]);
  assert.deepEqual(inTheWay, {
    close: [forward('tcp', 20080, 80), forward('udp', 53, 53)],
    open: [at(tcp(80)), at(tcp(20080))],
  });
  // An additional address has the same ports, and is given up by itself.
  const more = planForwards(forwards, ['127.44.0.7', '127.44.0.9'], [tcp(22)]);
  assert.deepEqual(more, { close: forwards.slice(1), open: [{ address: '127.44.0.9', rule: tcp(22) }] });
  const elsewhere = { ...forward('tcp', 22, 22), hostAddress: '127.44.0.9' };
  const fewer = planForwards([...forwards, elsewhere], ['127.44.0.7'], [tcp(22)]);
  assert.deepEqual(fewer.close, [...forwards.slice(1), elsewhere]);
  assert.equal(planForwards(forwards, ['127.44.0.8'], []).close.length, 3);
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
  const result = await reconcileForwards(monitor, ['127.44.0.7'], rules, { standIns: false, holder });
  assert.deepEqual(result.obstacles, [
    { ...at(tcp(80)), kind: 'taken' },
    { ...at(tcp(81)), kind: 'wildcard' },
    { ...at(tcp(82)), kind: 'not-permitted' },
  ]);
  assert.deepEqual(
    result.forwards.map(({ guestPort }) => guestPort),
    [22],
  );
  for (const obstacle of result.obstacles) assert.match(describeObstacle(obstacle), /^Port 8\d\/tcp of 127\.44\.0\.7 /);
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
