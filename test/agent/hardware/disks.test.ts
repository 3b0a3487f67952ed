// Disks and addresses, read from trees that look like /sys and /proc of machines of several kinds.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseFibTrie, parseIfInet6, readAddresses } from '../../../src/agent/hardware/addresses.ts';
import { readDisks, storageTypeOf } from '../../../src/agent/hardware/disks.ts';
import { GpuReader } from '../../../src/agent/hardware/gpus.ts';
import { readHardware } from '../../../src/agent/hardware/read.ts';

const roots: string[] = [];
after(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

/** A tree of files, given by path; a value that begins with `->` is a link. */
async function tree(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'berth-hardware-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    if (content.startsWith('->')) await symlink(content.slice(2), join(root, path));
    else await writeFile(join(root, path), content);
  }
  return root;
}

/** What /sys has of one disk and its first partition. */
function disk(name: string, gib: number, rotational: '0' | '1', partition = `${name}1`): Record<string, string> {
  return {
    [`sys/devices/${name}/size`]: `${gib * 2 * 1024 * 1024}\n`,
    [`sys/devices/${name}/queue/rotational`]: `${rotational}\n`,
    [`sys/devices/${name}/${partition}/partition`]: '1\n',
    [`sys/block/${name}`]: `->../devices/${name}`,
    [`sys/class/block/${name}`]: `->../../devices/${name}`,
    [`sys/class/block/${partition}`]: `->../../devices/${name}/${partition}`,
    [`dev/${partition}`]: '',
  };
}

/** A volume on top of others. */
function volume(name: string, ...on: string[]): Record<string, string> {
  return {
    [`sys/devices/virtual/${name}/size`]: '2097152\n',
    [`sys/block/${name}`]: `->../devices/virtual/${name}`,
    [`sys/class/block/${name}`]: `->../../devices/virtual/${name}`,
    ...Object.fromEntries(on.map((part) => [`sys/devices/virtual/${name}/slaves/${part}`, ''])),
  };
}

test('disks are told by kind and size, with what is free where something of them is mounted', async () => {
  const root = await tree({
    ...disk('sda', 4000, '1'),
    ...disk('sdb', 960, '0'),
    ...disk('nvme0n1', 1920, '0', 'nvme0n1p1'),
    ...volume('dm-0', 'sda1'),
    ...volume('loop0'),
    ...volume('zram0'),
    'proc/self/mounts': 'proc /proc proc rw 0 0\n/dev/nvme0n1p1 / ext4 rw 0 0\n/dev/nvme0n1p1 /again ext4 rw 0 0\n',
    'again/.keep': '',
  });
  const disks = await readDisks(root);
  assert.deepEqual(
    disks.map(({ freeGib, ...told }) => ({ ...told, known: freeGib !== null })),
    [
      { name: 'nvme0n1', type: 'NVMe', sizeGib: 1920, known: true },
      { name: 'sda', type: 'HDD', sizeGib: 4000, known: false },
      { name: 'sdb', type: 'SSD', sizeGib: 960, known: false },
    ],
  );
});

test('a folder lies on the disk that its mount comes from, through volumes and links, and on the slowest of several', async () => {
  const root = await tree({
    ...disk('sda', 4000, '1'),
    ...disk('sdb', 960, '0'),
    ...disk('nvme0n1', 1920, '0', 'nvme0n1p2'),
    ...disk('vda', 100, '1'),
    ...volume('dm-0', 'dm-1'),
    ...volume('dm-1', 'sdb1', 'sda1'),
    'dev/dm-0': '',
    'dev/mapper/data-vm': '->../dm-0',
    'proc/self/mounts': [
      '/dev/nvme0n1p2 / ext4 rw 0 0',
      '/dev/sdb1 /srv/with\\040space ext4 rw 0 0',
      '/dev/mapper/data-vm /var/lib/berth xfs rw 0 0',
      '/dev/vda1 /cloud ext4 rw 0 0',
      'tmpfs /run tmpfs rw 0 0',
    ].join('\n'),
  });
  assert.equal(await storageTypeOf('/home/berth', root), 'NVMe');
  assert.equal(await storageTypeOf('/srv/with space/agent', root), 'SSD');
  assert.equal(await storageTypeOf('/srv/with spaces', root), 'NVMe');
  assert.equal(await storageTypeOf('/var/lib/berth/agent', root), 'HDD');
  assert.equal(await storageTypeOf('/cloud', root), 'NVMe', "a virtual disk's word does not count");
});

test('addresses are those of global scope, in both families', async () => {
  const root = await tree({
    'proc/net/fib_trie': [
      'Main:',
      '  +-- 0.0.0.0/0 3 0 5',
      '     |-- 127.0.0.1',
      '        /32 host LOCAL',
      '     |-- 169.254.7.7',
      '        /32 host LOCAL',
      '     |-- 192.0.2.0',
      '        /24 link UNICAST',
      '     |-- 192.0.2.2',
      '        /32 host LOCAL',
      'Local:',
      '     |-- 192.0.2.2',
      '        /32 host LOCAL',
    ].join('\n'),
    'proc/net/if_inet6': [
      '00000000000000000000000000000001 01 80 10 80       lo',
      'fe8000000000000000fc00fffe000001 02 40 20 80     eth0',
      '20010db8000000000000000000000002 02 40 00 80     eth0',
    ].join('\n'),
  });
  assert.deepEqual(await readAddresses(root), ['192.0.2.2', '2001:db8::2']);
});

test('a machine that shows nothing, or nonsense, is told as unknown', async () => {
  const unknown = { manufacturer: null, brand: null, architecture: null, generation: null, model: null };
  const nothing = {
    cpu: { ...unknown, cores: null, threads: null },
    memory: { type: null, generation: null },
    disks: [],
    addresses: [],
    gpus: [],
  };
  // This machine's own tools would tell of its own cards.
  const noGpus = () => new GpuReader(async () => '');
  assert.deepEqual(await readHardware(await tree({}), noGpus()), nothing);
  const nonsense = await tree({
    'proc/cpuinfo/not-a-file': '',
    'proc/self/mounts': '\0\0/dev/\\777 x\n/dev/ /\n',
    'sys/block/sda/size': 'many',
    'sys/class/block/sda': '->sda',
    'sys/firmware/dmi/tables/DMI/x': '',
  });
  assert.deepEqual(await readHardware(nonsense, noGpus()), nothing);
  assert.equal(await storageTypeOf('/', nonsense), 'NVMe');
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseFibTrie(text);
      parseIfInet6(text);
    }),
  );
});
