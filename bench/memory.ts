// The server's resident memory with a thousand instances that report, after listing them all.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployBody, startStack } from './stack.ts';

const instances = 1_000;
const lanes = 16;
/** Long enough for several complete reports of all instances. */
const settleMs = 15_000;

const stack = await startStack();
try {
  const headers = { authorization: `Bearer ${stack.apiKey}`, 'content-type': 'application/json' };
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < instances) {
        next += 1;
        const response = await fetch(`${stack.url}/vms/v3`, {
          method: 'POST',
          headers,
          body: deployBody(`vm-${next}`),
        });
        if (response.status !== 201) throw new Error(`deploying answered ${response.status}: ${await response.text()}`);
      }
    }),
  );
  await sleep(settleMs);
  const listed = (await (await fetch(`${stack.url}/vms/v3`, { headers })).json()) as { status: string }[];
  const active = listed.filter(({ status }) => status === 'Active').length;
  const status = await readFile(`/proc/${stack.server.pid}/status`, 'utf8');
  const residentMb = Math.round((Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6);
  const peakMb = Math.round((Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6);
  process.stdout.write(
    `${JSON.stringify({ bench: 'memory', residentMb, peakMb, instances: listed.length, active })}\n`,
  );
} finally {
  await stack.close();
}
