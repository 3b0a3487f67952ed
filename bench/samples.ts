// What measuring costs. On a host: processor time of the agent, and of the QEMUs that it asks, for each look at the VMs, as a share of
// a core with a hundred of them. On the database: writing what such a host tells, reading a chart, and making averages for ten thousand
// instances. `node bench/samples.ts 20` starts so many QEMUs, which stand still.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { parseProcessStat, readText } from '../src/agent/proc.ts';
import type { Attachment } from '../src/agent/vm/attachment.ts';
import { Qmp } from '../src/agent/vm/qmp.ts';
import { countVms } from '../src/agent/vm/usage.ts';
import { makeAverages, readSeries } from '../src/app/sample.ts';
import { sampleEveryMs, slotOf, stepStart, tiers } from '../src/model/sample.ts';
import { insertSamples, type Usage } from '../src/store/sample.ts';
import { insertVms } from './filled.ts';
import { median, startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 20);
const looks = 200;
const ofOneHost = 100;
const instances = 10_000;

/** A QEMU with two disks, which never runs. */
async function startQemu(directory: string): Promise<{ child: ChildProcess; qmp: Qmp }> {
  const disk = (name: string) => [
    ...['-blockdev', `driver=null-co,node-name=disc-${name},size=1073741824`],
    ...['-device', `virtio-blk-pci,drive=disc-${name},id=drive-disc-${name}`],
  ];
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-display', 'none', '-machine', 'pc,accel=tcg', '-m', '64', '-S', ...disk('a'), ...disk('b')],
      ...['-chardev', 'socket,id=qmp,path=qmp,server=on,wait=off', '-mon', 'chardev=qmp,mode=control'],
    ],
    { cwd: directory, stdio: 'ignore' },
  );
  return { child, qmp: await Qmp.connect(directory, 'qmp', { connectMs: 30_000, commandMs: 30_000 }) };
}

const cpuSecondsOf = (pid: number) => parseProcessStat(readText(`/proc/${pid}/stat`) ?? '')?.cpuSeconds ?? 0;
const round = (value: number, digits = 3) => Number(value.toFixed(digits));

/** What a look at VMs costs, in ms of processor time for each of them. */
async function measureHost(): Promise<{ agentMs: number; qemuMs: number }> {
  const directories = await Promise.all(Array.from({ length: vms }, () => mkdtemp(join(tmpdir(), 'berth-bench-'))));
  const qemus = await Promise.all(directories.map(startQemu));
  try {
    const counted = qemus.map(({ child, qmp }, index) => ({
      instanceId: `0x${String(index).padStart(40, '0')}`,
      pid: child.pid ?? 0,
      attachment: Promise.resolve({ command: (name: string) => qmp.execute(name) } as unknown as Attachment),
    }));
    const sum = () => qemus.reduce((total, { child }) => total + cpuSecondsOf(child.pid ?? 0), 0);
    for (let look = 0; look < 20; look += 1) await countVms(counted, () => undefined);
    const [own, theirs] = [process.cpuUsage(), sum()];
    for (let look = 0; look < looks; look += 1) {
      const found = await countVms(counted, () => undefined);
      if (found.length !== vms || found.some(({ diskReads }) => diskReads === null))
        throw new Error('one did not answer');
    }
    const { user, system } = process.cpuUsage(own);
    const each = looks * vms;
    return { agentMs: (user + system) / 1_000 / each, qemuMs: ((sum() - theirs) * 1_000) / each };
  } finally {
    for (const { child, qmp } of qemus) {
      qmp.close();
      child.kill('SIGKILL');
    }
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
  }
}

const usage: Usage = {
  ...{ cpu: 0.5, memoryBytes: 1_073_741_824, diskBytes: null, diskReadBytesPerSecond: 10, diskWriteBytesPerSecond: 20 },
  ...{ diskReadsPerSecond: 1, diskWritesPerSecond: 2, networkReceiveBytesPerSecond: 3, networkSendBytesPerSecond: 4 },
  instances: null,
};

/** What the database's part takes, in ms. */
async function measureDatabase(): Promise<object> {
  const stack = await startStack();
  const { database } = stack.context;
  try {
    await insertVms(database, instances);
    const host = await sql<{ host_id: string }>`
      select host_id from assignment group by host_id order by count(*) desc limit 1`.execute(database);
    const hostId = host.rows[0]?.host_id ?? '';
    const ids = Array.from(
      { length: ofOneHost },
      (_, n) => `0x${(n + 1).toString(16).padStart(8, '0').padEnd(40, '0')}`,
    );
    const told = ids.map((instanceId) => ({ instanceId, ...usage }));
    const timed = async (count: number, work: (turn: number) => Promise<unknown>) => {
      const took: number[] = [];
      for (let turn = 0; turn < count; turn += 1) {
        const began = performance.now();
        await work(turn);
        took.push(performance.now() - began);
      }
      return round(median(took), 1);
    };
    const now = stepStart(new Date(), sampleEveryMs).getTime();
    const [raw] = tiers;
    const writeMs = await timed(100, (turn) =>
      insertSamples(database, raw, new Date(now - turn * sampleEveryMs), hostId, usage, told),
    );
    // Ten minutes of every instance, as if it had been told.
    const from = new Date(now - 20 * 60_000);
    await sql`
      insert into sample (slot, subject, at, samples, cpu, memory_bytes, disk_read_bytes_per_second, disk_write_bytes_per_second)
      select ${slotOf(raw, from)}::smallint, substr(id, 3, 32)::uuid, at, 1, 0.5, 1073741824, 10, 20
      from instance, generate_series(${from}::timestamptz, ${new Date(now - 8 * 60_000)}::timestamptz, '10 seconds') at
      on conflict do nothing`.execute(database);
    const rows = await sql<{ rows: number; bytes: number }>`
      select (select count(*)::int from sample) as rows,
        (select sum(pg_total_relation_size(oid))::float8 from pg_class where relname like 'sample_0%' and relkind = 'r') as bytes`.execute(
      database,
    );
    // The server has had nothing to make them of until now, and has noted that.
    await sql`update sample_tier set made_until = 'epoch'`.execute(database);
    const began = performance.now();
    await makeAverages(stack.context);
    const averagesMs = performance.now() - began;
    const to = new Date(now);
    const subject = { instanceId: ids[0] ?? '' };
    const hour = { from: new Date(now - 3_600_000), to, step: undefined };
    const readMs = await timed(100, () => readSeries(stack.context, subject, hour));
    const week = { from: new Date(now - 7 * 86_400_000), to, step: undefined };
    const readWeekMs = await timed(100, () => readSeries(stack.context, subject, week));
    const { rows: [size] = [] } = rows;
    return {
      ...{ writeMs, readMs, readWeekMs, averagesMs: Math.round(averagesMs) },
      bytesEach: Math.round((size?.bytes ?? 0) / (size?.rows ?? 1)),
    };
  } finally {
    await stack.close();
  }
}

const { agentMs, qemuMs } = await measureHost();
const shareOf = (ms: number) => round((ms * ofOneHost) / sampleEveryMs, 5);
const figure = {
  bench: 'samples',
  ...{ vms, looks, agentMsEach: round(agentMs), qemuMsEach: round(qemuMs) },
  ...{ agentShareOf100: shareOf(agentMs), allShareOf100: shareOf(agentMs + qemuMs) },
  ...(await measureDatabase()),
};
process.stdout.write(`${JSON.stringify(figure)}\n`);
