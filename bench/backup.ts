// What a backup costs the guest: how much it writes to a disk of 1 GiB while that is backed up, against before and after, in one
// run. Ends by holding the backup's file system to be clean.

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RealBerth, startReal, untilSshBanner } from './real.ts';
import { median } from './stack.ts';

const run = promisify(execFile);
const machines = '/accounts/default/groups/default/virtual_machines';
const diskMib = 1024;
/** Long enough for many syncs. */
const windowMs = 15_000;

async function call<Body>(berth: RealBerth, method: string, path: string, body?: unknown): Promise<Body> {
  const { url, apiKey } = berth;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer apikey.${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return (text === '' ? null : JSON.parse(text)) as Body;
}

interface Vm {
  discs: { label: string }[];
  network_interfaces: { ips: string[] }[];
}

const berth = await startReal('127.65.4.0/24');
try {
  await call(berth, 'POST', '/accounts/default/groups/default/vm_create', {
    virtual_machine: { name: 'writer', cores: 1, memory: 1024 },
    discs: [{ label: 'root', storage_grade: 'sata', size: diskMib }],
    reimage: { distribution: 'micro', ssh_public_key: berth.publicKey },
  });
  const vm = await call<Vm>(berth, 'GET', `${machines}/writer?view=overview`);
  const address = vm.network_interfaces[0]?.ips[0] ?? '';
  await untilSshBanner(address);
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes'];
  const ssh = ['-i', join(berth.directory, 'bench-key'), ...options.flatMap((one) => ['-o', one]), `root@${address}`];
  const guest = async (command: string) => (await run('ssh', [...ssh, command], { timeout: 60_000 })).stdout.trim();

  await guest('dd if=/dev/urandom of=/run/noise bs=1M count=16 2>/dev/null; mkdir -p /data');
  const write =
    'i=0; while true; do i=$(( (i + 1) % 40 )); dd if=/run/noise of=/data/$i bs=1M conv=fsync 2>/dev/null; done';
  await guest(`sh -c '${write}' >/dev/null 2>&1 </dev/null &`);
  /** MiB a second that reach the disk, as the guest's kernel counts them. */
  const rate = async (): Promise<number> => {
    const sectors = async () => Number((await guest('cat /sys/block/vda/stat')).trim().split(/\s+/)[6]);
    const [before, beganMs] = [await sectors(), performance.now()];
    await sleep(windowMs);
    return ((await sectors()) - before) / 2048 / ((performance.now() - beganMs) / 1000);
  };

  await sleep(windowMs);
  const before = [await rate(), await rate()];
  const began = performance.now();
  const backup = await call<{ label: string }>(berth, 'POST', `${machines}/writer/discs/root/backups`);
  const during: number[] = [];
  const isFinished = async () =>
    (await call<{ storage_grade: string }>(berth, 'GET', `${machines}/writer/discs/root/backups/${backup.label}`))
      .storage_grade === 'iceberg';
  while (!(await isFinished())) during.push(await rate());
  const tookMs = performance.now() - began;
  const after = [await rate(), await rate()];

  const disks = join(berth.directory, 'agent', 'disk');
  const files = (await readdir(disks, { recursive: true })).filter((name) => /backup-.*\.qcow2$/.test(name));
  const raw = join(berth.directory, 'backup.raw');
  await run('qemu-img', ['convert', '-O', 'raw', join(disks, files[0] ?? ''), raw]);
  const { partitiontable } = JSON.parse((await run('sfdisk', ['--json', raw])).stdout);
  const fileSystem = join(berth.directory, 'backup.ext4');
  const from = `skip=${partitiontable.partitions.at(-1).start * 512}`;
  await run('dd', [`if=${raw}`, `of=${fileSystem}`, 'bs=1M', from, 'iflag=skip_bytes', 'conv=sparse', 'status=none']);
  // As of a disk whose plug was pulled: its journal is played back, and then there is nothing to repair.
  await run('e2fsck', ['-E', 'journal_only', '-y', fileSystem]).catch((error: { code: number }) => {
    if (error.code !== 1) throw error; // it has played something back
  });
  await run('e2fsck', ['-f', '-n', fileSystem]);
  const quiet = median([...before, ...after]);
  const figure = {
    bench: 'backup',
    ratio: Number((median(during) / quiet).toFixed(2)),
    unit: 'MiB/s',
    before: before.map(Math.round),
    during: during.map(Math.round),
    after: after.map(Math.round),
    backupSeconds: Math.round(tookMs / 1000),
    fileSystem: 'clean',
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  // Its QEMU would outlive the server.
  const { status } = await fetch(`${berth.url}${machines}/writer?purge=true`, {
    method: 'DELETE',
    headers: { authorization: `Bearer apikey.${berth.apiKey}` },
  });
  while (status === 204 && (await readdir(join(berth.directory, 'agent', 'vm'))).length > 0) await sleep(100);
  await berth.close();
}
