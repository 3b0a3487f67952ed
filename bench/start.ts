// From starting `berth up` on a directory that has been used before to the first 200 of /healthz.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, startChild, stopChild } from './stack.ts';

const runs = 5;
const url = 'http://127.0.0.1:18099';

const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
await chmod(directory, 0o711);
try {
  const took: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const began = performance.now();
    const starting = startChild([
      'up',
      '--data',
      directory,
      '--listen',
      new URL(url).host,
      '--address-pool',
      '127.58.0.0/16',
    ]);
    while ((await fetch(`${url}/healthz`).catch(() => null))?.status !== 200) await sleep(10);
    if (run > 0) took.push(performance.now() - began);
    await stopChild((await starting).child);
  }
  process.stdout.write(
    `${JSON.stringify({ bench: 'start', medianMs: Math.round(median(took)), runs: took.map(Math.round) })}\n`,
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
