// Deployments a second with 10,000 hosts, against those with one host: what looking for a place among many costs a deploy.
// Two stacks side by side that deploy in turns, in one run, because these machines drift.

import { insertHosts } from './hosts.ts';
import { Customer, median, startStack } from './stack.ts';

const hosts = Number(process.argv[2] ?? 10_000);
const turns = 6;
const turnMs = 3_000;
const clients = 32;

/** One turn. @returns deployments a second */
async function turn(customer: Customer): Promise<number> {
  const began = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - began < turnMs) {
        await customer.deploy();
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - began) / 1000);
}

const one = await startStack();
try {
  const many = await startStack();
  try {
    const [ofOne, ofMany] = [new Customer(one, clients), new Customer(many, clients)];
    await insertHosts(many.context.database, hosts);
    await turn(ofOne);
    await turn(ofMany);
    const rates: { one: number; many: number }[] = [];
    for (let count = 0; count < turns; count += 1) {
      // Neither goes first every time.
      const first = count % 2 ? await turn(ofOne) : 0;
      const withMany = await turn(ofMany);
      rates.push({ one: first || (await turn(ofOne)), many: withMany });
    }
    const figure = {
      bench: 'deploy-hosts',
      ratio: Number(median(rates.map((rate) => rate.many / rate.one)).toFixed(2)),
      deploysPerSecondManyHosts: Math.round(median(rates.map((rate) => rate.many))),
      deploysPerSecondOneHost: Math.round(median(rates.map((rate) => rate.one))),
      hosts,
      clients,
      errors: ofOne.errors + ofMany.errors,
    };
    process.stdout.write(`${JSON.stringify(figure)}\n`);
    ofOne.close();
    ofMany.close();
  } finally {
    await many.close();
  }
} finally {
  await one.close();
}
