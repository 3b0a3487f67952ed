// Searches a second over HTTP in a market of many hosts: a hundred a second come in whether or not those before have been
// answered, and each is timed from the moment at which it should have been sent. `GET /healthz` at the same rate, in turns
// with them in one run, tells what the machine itself adds. `node bench/offers.ts 100000` takes so many hosts.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { configurations, countries, insertHosts, randomOf } from './hosts.ts';
import { startStack } from './stack.ts';

const hosts = Number(process.argv[2] ?? 10_000);
const perSecond = 100;
const turns = 4;
const warmUpMs = 5_000;
const turnMs = 5_000;
const baselineMs = 2_500;

const random = randomOf(1);
const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
const slug = () => pick(configurations).slug;
const cpus = [{ manufacturer: 'AMD' }, { manufacturer: 'Intel', architecture: 'Ice Lake' }, { manufacturer: 'Ampere' }];

/** What is asked for, by how many of ten ask so. */
const kinds: readonly { of10: number; body: () => object }[] = [
  { of10: 2, body: () => ({}) },
  { of10: 2, body: () => ({ basicConfiguration: slug() }) },
  {
    of10: 2,
    body: () => ({
      basicConfiguration: slug(),
      datacenter: { countries: [pick(countries)] },
      hardware: { cpu: [pick(cpus)] },
    }),
  },
  {
    of10: 2,
    body: () => ({
      datacenter: { countries: [pick(countries), pick(countries)] },
      hardware: { storage: [{ type: 'NVMe' }], memory: [{ type: 'DDR', generation: '5' }] },
      additionalResources: { storage: [{ type: 'NVMe', supply: pick([10, 100, 500]), units: 'GiB' }] },
    }),
  },
  {
    of10: 1,
    body: () => ({ basicConfiguration: slug(), maxTotalPricePerEpochUsd: pick(['0.12', '0.3', '0.9', '3']) }),
  },
  {
    // Nothing is found: the place is wrong, the machine is, or the price.
    of10: 1,
    body: () => ({
      basicConfiguration: slug(),
      ...pick([
        { datacenter: { countries: ['JP'] }, hardware: { cpu: [pick(cpus)], storage: [{ type: 'NVMe' }] } },
        { hardware: { cpu: [{ manufacturer: 'Ampere' }], memory: [{ type: 'DDR', generation: '5' }] } },
        { datacenter: { countries: [pick(countries)] }, maxTotalPricePerEpochUsd: '0.01' },
      ]),
    }),
  },
];
const tens = kinds.flatMap(({ of10, body }) => Array.from({ length: of10 }, () => body));

const agent = new Agent({ keepAlive: true });
const stack = await startStack();
let errors = 0;
let bytes = 0;
let answers = 0;

/** One call. @returns when its answer was there, in ms since `performance.timeOrigin` */
function call(path: string, body: string | null): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${stack.apiKey}`,
      ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
    };
    const sent = request(
      `${stack.url}${path}`,
      { method: body === null ? 'GET' : 'POST', agent, headers },
      (response) => {
        if (response.statusCode !== 200) errors += 1;
        response.on('data', (chunk: Buffer) => {
          if (body !== null) bytes += chunk.length;
        });
        response.on('end', () => resolve(performance.now()));
      },
    );
    sent.on('error', () => {
      errors += 1;
      resolve(performance.now());
    });
    sent.end(body ?? undefined);
  });
}

/** Calls at the set rate for some time. @returns how long each took, in ms */
async function openLoop(ms: number, one: () => Promise<number>): Promise<number[]> {
  const began = performance.now();
  const calls: Promise<number>[] = [];
  for (let due = began; due < began + ms; due += 1000 / perSecond) {
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    calls.push(one().then((end) => end - due));
  }
  return Promise.all(calls);
}

const search = () => {
  answers += 1;
  return call('/marketplace/offers', JSON.stringify(pick(tens)()));
};
/** Processor time that the server has used, in ms; Linux counts it in hundredths of a second. */
function serverCpuMs(): number {
  const fields = readFileSync(`/proc/${stack.server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
const percentile = (sorted: readonly number[], share: number) =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));

try {
  await insertHosts(stack.context.database, hosts);
  const loadBegan = performance.now();
  await call('/marketplace/offers', '{}');
  const loadMs = Math.round(performance.now() - loadBegan);
  await openLoop(warmUpMs, search);
  bytes = 0;
  answers = 0;
  let cpuMs = 0;
  const searches: number[] = [];
  const baseline: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const cpuBefore = serverCpuMs();
    searches.push(...(await openLoop(turnMs, search)));
    cpuMs += serverCpuMs() - cpuBefore;
    baseline.push(...(await openLoop(baselineMs, () => call('/healthz', null))));
  }
  searches.sort((a, b) => a - b);
  baseline.sort((a, b) => a - b);
  const figure = {
    bench: 'offers',
    p50Ms: percentile(searches, 0.5),
    p99Ms: percentile(searches, 0.99),
    maxMs: percentile(searches, 1),
    meanBytes: Math.round(bytes / answers),
    hosts,
    healthzP99Ms: percentile(baseline, 0.99),
    firstSearchMs: loadMs,
    serverCpuMs: Number((cpuMs / searches.length).toFixed(2)),
    searches: searches.length,
    perSecond,
    errors,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  agent.destroy();
  await stack.close();
}
