// Searches a second over HTTP in a market of many hosts: a hundred a second come in whether or not those before have been
// answered, and each is timed from the moment at which it should have been sent. `GET /healthz` at the same rate, in turns
// with them in one run, tells what the machine itself adds. `node bench/offers.ts 100000` takes so many hosts.

import { cpuMsOf, percentile } from './filled.ts';
import { configurations, countries, insertHosts, randomOf } from './hosts.ts';
import { Caller, openLoop } from './open-loop.ts';
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

const stack = await startStack();
const caller = new Caller(stack.url, stack.apiKey);
let bytes = 0;
let answers = 0;

const search = () => {
  answers += 1;
  return caller.call('/marketplace/offers', JSON.stringify(pick(tens)()));
};
try {
  await insertHosts(stack.context.database, hosts);
  const loadBegan = performance.now();
  await caller.call('/marketplace/offers', '{}');
  const loadMs = Math.round(performance.now() - loadBegan);
  await openLoop(warmUpMs, perSecond, search);
  answers = 0;
  let cpuMs = 0;
  const searches: number[] = [];
  const baseline: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const cpuBefore = cpuMsOf(stack.server.pid);
    const bytesBefore = caller.bytes;
    searches.push(...(await openLoop(turnMs, perSecond, search)));
    bytes += caller.bytes - bytesBefore;
    cpuMs += cpuMsOf(stack.server.pid) - cpuBefore;
    baseline.push(...(await openLoop(baselineMs, perSecond, () => caller.call('/healthz'))));
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
    errors: caller.errors,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  caller.close();
  await stack.close();
}
