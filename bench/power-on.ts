// From the answer to Bytemark's `vm_create` to `power_on`, with an image that the host has already: the median of some real VMs.

import { setTimeout as sleep } from 'node:timers/promises';
import { type RealBerth, startReal, untilGone } from './real.ts';
import { median } from './stack.ts';

const rounds = 5;
const lookEveryMs = 10;
const group = '/accounts/default/groups/default';

async function call(berth: RealBerth, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(berth.url + path, {
    method,
    headers: { authorization: `Bearer apikey.${berth.apiKey}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>);
}

/** Makes a VM, and purges it when it is on. @returns how long that took from the answer on */
async function powerOnMs(berth: RealBerth, name: string): Promise<number> {
  await call(berth, 'POST', `${group}/vm_create`, {
    virtual_machine: { name, cores: 1, memory: 1024 },
    discs: [{ size: 5120 }],
    reimage: { distribution: 'micro', root_password: 's3cret', ssh_public_key: berth.publicKey },
  });
  const acceptedMs = performance.now();
  while ((await call(berth, 'GET', `${group}/virtual_machines/${name}`)).power_on !== true) await sleep(lookEveryMs);
  const tookMs = performance.now() - acceptedMs;
  const { items } = await berth.client.instances.list({ name }).page();
  await call(berth, 'DELETE', `${group}/virtual_machines/${name}?purge=true`);
  await untilGone(berth, items[0]?.id ?? '');
  return tookMs;
}

const berth = await startReal('127.63.8.0/24');
try {
  await powerOnMs(berth, 'first');
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) took.push(await powerOnMs(berth, `round-${round}`));
  const figure = { bench: 'power-on', ms: Math.round(median(took)), all: took.map(Math.round) };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  await berth.close();
}
