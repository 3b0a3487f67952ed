// The second VM of an image: from the accepted request to the start of its QEMU process, as the kernel dates it.

import { readdir, readFile } from 'node:fs/promises';
import { deploySmall, hostsIdOf, removeVm, startReal, untilActive } from './real.ts';
import { median } from './stack.ts';

const runs = 7;
/** The unit of process start times in /proc, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** When a VM's QEMU was started, on the clock of `performance.now()`; exact to one tick of 10 ms. */
async function processStartedMs(instanceId: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!line.includes(`guest=${hostsIdOf(instanceId)}`)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const uptimeSeconds = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
    return performance.now() - (uptimeSeconds - ticks / ticksPerSecond) * 1000;
  }
  throw new Error(`no QEMU runs ${instanceId}`);
}

const berth = await startReal('127.59.0.0/17');
try {
  const first = await deploySmall(berth, 'first');
  await untilActive(berth, first.id);
  const took: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { id, acceptedMs } = await deploySmall(berth, `second-${run}`);
    await untilActive(berth, id);
    took.push((await processStartedMs(id)) - acceptedMs);
    await removeVm(berth, id);
  }
  await removeVm(berth, first.id);
  process.stdout.write(
    `${JSON.stringify({ bench: 'second-vm', medianMs: Math.round(median(took)), runs: took.map(Math.round) })}\n`,
  );
} finally {
  await berth.close();
}
