// What kernels and QEMU tell, as they really tell it.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { countContainers, countGroup } from '../../src/agent/container/usage.ts';
import { countHost } from '../../src/agent/host-usage.ts';
import {
  parseBusySeconds,
  parseInterfaces,
  parseMemoryBytes,
  parseProcessStat,
  parseResidentBytes,
  parseUplinks,
  readText,
} from '../../src/agent/proc.ts';
import { sumOfDisks } from '../../src/agent/vm/usage.ts';

test('a process is told by its ticks, whatever its name is, and one that has ended is none', () => {
  const rest = '1 4242 4242 0 -1 4194560 30153 0 12 0 250 150 0 0 20 0 5 0 123456 1234567168 54321';
  const expected = { cpuSeconds: 4, startTicks: '123456' };
  assert.deepEqual(parseProcessStat(`4242 (qemu-system-x86) S ${rest} 18446744073709551615 1 1 0\n`), expected);
  assert.deepEqual(parseProcessStat(`4242 (a) R (b) S ${rest} 0\n`), expected);
  assert.equal(parseProcessStat(`4242 (qemu) Z ${rest}\n`), undefined);
  for (const text of ['', '4242', '4242 (x) S']) assert.equal(parseProcessStat(text), undefined);
  assert.equal(parseResidentBytes('Name:\tqemu\nVmHWM:\t  200 kB\nVmRSS:\t  100 kB\n'), 102_400);
  assert.equal(parseResidentBytes('Name:\tkthreadd\n'), null);
});

test('interfaces are told with what they received and sent', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
  eth0: 4096000    9    0    0    0     0          0         0     2048       7    0    0    0     0       0          0
bt-00a:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
`;
  assert.deepEqual(
    [...parseInterfaces(text)],
    [
      ['lo', { receivedBytes: 100, sentBytes: 100 }],
      ['eth0', { receivedBytes: 4_096_000, sentBytes: 2_048 }],
      ['bt-00a', { receivedBytes: 7, sentBytes: 8 }],
    ],
  );
  assert.deepEqual([...parseInterfaces('')], []);
});

test('the interfaces that lead everywhere are found in both kinds of networks', () => {
  const route = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
`;
  const zero = '0'.repeat(32);
  const route6 = `fe800000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
  assert.deepEqual(parseUplinks(route, route6), ['eth0', 'eth1']);
  assert.deepEqual(parseUplinks('', ''), []);
});

test('a machine is busy in what is neither idle nor waiting, and short of what is not available', () => {
  assert.equal(parseBusySeconds('cpu  1000 100 500 90000 300 20 30 50 700 7\ncpu0 1 2 3\n'), 17);
  assert.equal(parseBusySeconds(''), null);
  assert.equal(parseMemoryBytes('MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n'), 600 * 1024);
  assert.equal(parseMemoryBytes('MemTotal: 1000 kB\n'), null);
});

test('this very machine can be counted', async () => {
  const { cpuSeconds, memoryBytes, diskBytes } = await countHost(tmpdir());
  assert.ok((cpuSeconds ?? 0) > 0 && (memoryBytes ?? 0) > 0 && (diskBytes ?? -1) >= 0);
  const own = parseProcessStat(readText('/proc/self/stat') ?? '');
  assert.ok(own && own.cpuSeconds >= 0);
  assert.ok((parseResidentBytes(readText('/proc/self/status') ?? '') ?? 0) > 1_000_000);
  assert.ok(parseInterfaces(readText('/proc/net/dev') ?? '').has('lo'));
});

test('a VM is told of with all its disks, and not with what it was given to read', () => {
  const stats = (rd_bytes: number, wr_bytes: number) => ({ rd_bytes, wr_bytes, rd_operations: 2, wr_operations: 3 });
  const drives = [
    { qdev: '/machine/peripheral/drive-disc-0011/virtio-backend', 'node-name': 'disc-0011', stats: stats(10, 20) },
    // While it is backed up its node is a filter.
    { qdev: 'drive-disc-0022', 'node-name': 'copying', stats: stats(100, 200) },
    { qdev: '/machine/peripheral/seed0/virtio-backend', 'node-name': 'seed', stats: stats(1_000, 0) },
    { qdev: 'cdrom0', 'node-name': 'cdrom', stats: stats(1_000, 0) },
    { 'node-name': 'spare-7', stats: stats(1_000, 0) },
  ];
  assert.deepEqual(sumOfDisks(drives), { diskReadBytes: 110, diskWriteBytes: 220, diskReads: 4, diskWrites: 6 });
  // The one disk that an older agent gave its QEMU.
  assert.equal(
    sumOfDisks([{ qdev: '/machine/peripheral/disk0/virtio-backend', 'node-name': 'disk', stats: stats(5, 6) }])
      .diskReadBytes,
    5,
  );
});

/** Control groups as files. */
async function groups(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'berth-groups-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

test('control groups of version 1 and 2 say the same', async (t) => {
  const expected = {
    ...{ cpuSeconds: 2.5, memoryBytes: 6_000_000 },
    ...{ diskReadBytes: 12_288, diskWriteBytes: 8_192, diskReads: 3, diskWrites: 2 },
  };
  const one = await groups({
    'cpuacct/docker/abc/cpuacct.usage': '2500000000\n',
    'memory/docker/abc/memory.usage_in_bytes': '8000000\n',
    'memory/docker/abc/memory.stat': 'inactive_file 1\ntotal_inactive_file 2000000\n',
    'blkio/docker/abc/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 4096\n8:0 Total 12288\n8:16 Read 8192\nTotal 20480\n',
    'blkio/docker/abc/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\n8:16 Read 2\nTotal 5\n',
  });
  const hybrid =
    '9:name=systemd:/docker/abc\n7:blkio:/docker/abc\n4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n';
  assert.deepEqual(countGroup(hybrid, one), expected);
  const two = await groups({
    'system.slice/docker-abc.scope/cpu.stat': 'usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n',
    'system.slice/docker-abc.scope/memory.current': '8000000\n',
    'system.slice/docker-abc.scope/memory.stat': 'anon 1\ninactive_file 2000000\n',
    'system.slice/docker-abc.scope/io.stat':
      '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=8192 wbytes=0 rios=2 wios=0 dbytes=0 dios=0\n',
  });
  assert.deepEqual(countGroup('0::/system.slice/docker-abc.scope\n', two), expected);
  t.after(async () => {
    for (const root of [one, two]) await rm(root, { recursive: true });
  });
  // Where a controller is missing, what it would count is not known; a group that did no input or output has done none.
  await rm(join(two, 'system.slice/docker-abc.scope/memory.current'));
  await writeFile(join(two, 'system.slice/docker-abc.scope/io.stat'), '');
  const bare = countGroup('0::/system.slice/docker-abc.scope\n', two);
  assert.deepEqual([bare.memoryBytes, bare.diskReadBytes, bare.cpuSeconds], [null, 0, 2.5]);
  assert.equal(countGroup('0::/elsewhere\n', two).diskReadBytes, null);
});

test('a process that has taken the number of a container that ended is not taken for it', () => {
  const running = { instanceId: `0x${'7'.repeat(40)}`, id: 'f'.repeat(64), pid: process.pid, startedAt: 'now' };
  assert.deepEqual(countContainers([running]), []);
  assert.deepEqual(countContainers([{ ...running, pid: 2 ** 22 + 1 }]), []);
});
