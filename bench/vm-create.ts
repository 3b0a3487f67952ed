// VMs made per second by Bytemark's call, with disc, image and secrets, against deployments per second by Fluence's: both end
// in the same rows. In turns, in one run, because these machines drift.

import { Customer, median, rate, startStack } from './stack.ts';

const turns = 5;
const turnMs = 4_000;
const clients = 32;

const stack = await startStack();
const creator = new Customer(stack, clients, 'created');
const deployer = new Customer(stack, clients, 'deployed');
try {
  const createTurn = () => rate(clients, turnMs, () => creator.createVm());
  const deployTurn = () => rate(clients, turnMs, () => deployer.deploy());
  await createTurn();
  await deployTurn();
  creator.latenciesMs.length = 0;
  const created: number[] = [];
  const deployed: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    created.push(await createTurn());
    deployed.push(await deployTurn());
  }
  const latencies = creator.latenciesMs.sort((a, b) => a - b);
  const figure = {
    bench: 'vm-create',
    ratio: Number(median(created.map((value, turn) => value / (deployed[turn] ?? 1))).toFixed(2)),
    createdPerSecond: Math.round(median(created)),
    deployedPerSecond: Math.round(median(deployed)),
    p99Ms: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? 0),
    errors: creator.errors + deployer.errors,
    clients,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  creator.close();
  deployer.close();
  await stack.close();
}
