// Deployments a second with 10,000 hosts, against those with one host: what looking for a place among many costs a deploy.
// Two stacks side by side that deploy in turns, in one run, because these machines drift.

import { Agent, request } from 'node:http';
import { insertHosts } from './hosts.ts';
import { deployBody, median, type Stack, startStack } from './stack.ts';

const hosts = Number(process.argv[2] ?? 10_000);
const turns = 6;
const turnMs = 3_000;
const clients = 32;

const agent = new Agent({ keepAlive: true, maxSockets: clients });
let serial = 0;
let errors = 0;

function deployOnce(stack: Stack): Promise<void> {
  serial += 1;
  const body = deployBody(`bench-${serial}`);
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${stack.apiKey}`,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const call = request(`${stack.url}/vms/v3`, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 201) errors += 1;
      response.resume().on('end', resolve);
    });
    call.on('error', () => {
      errors += 1;
      resolve();
    });
    call.end(body);
  });
}

/** One turn. @returns deployments a second */
async function turn(stack: Stack): Promise<number> {
  const began = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - began < turnMs) {
        await deployOnce(stack);
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
    await insertHosts(many.context.database, hosts);
    await turn(one);
    await turn(many);
    const rates: { one: number; many: number }[] = [];
    for (let count = 0; count < turns; count += 1) {
      // Neither goes first every time.
      const first = count % 2 ? await turn(one) : 0;
      const withMany = await turn(many);
      rates.push({ one: first || (await turn(one)), many: withMany });
    }
    const figure = {
      bench: 'deploy-hosts',
      ratio: Number(median(rates.map((rate) => rate.many / rate.one)).toFixed(2)),
      deploysPerSecondManyHosts: Math.round(median(rates.map((rate) => rate.many))),
      deploysPerSecondOneHost: Math.round(median(rates.map((rate) => rate.one))),
      hosts,
      clients,
      errors,
    };
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  } finally {
    await many.close();
  }
} finally {
  agent.destroy();
  await one.close();
}
