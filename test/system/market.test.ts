// The market on one real machine, end to end: an operator sets the terms on the command line, a customer searches,
// estimates, deploys by a registered key, logs in, changes and deletes, and the account's statement tells of all of it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parseUsd } from '../../src/model/money.ts';
import { makeSshKey, startTestBerth, type TestBerth, until, withinOneEpoch } from '../support/berth.ts';
import { microImage } from '../support/images.ts';

interface Vm {
  id: string;
  status: string;
  publicIp: string | null;
  pricePerEpoch: string;
  reservedBalance: string;
  totalSpent: string;
  nextBillingAt?: string;
  datacenter: { countryCode: string } | null;
  resources: { type: string; metadata: Record<string, unknown> }[];
}

const run = promisify(execFile);
const main = join(import.meta.dirname, '../../src/main.ts');
/** What the seed of the market asks for, as far as this machine can hold it. */
const constraints = {
  basicConfiguration: 'cpu-1-ram-1gb-storage-5gb',
  additionalResources: { storage: [{ type: 'NVMe', supply: 2, units: 'GiB' }] },
  hardware: { cpu: [{ manufacturer: 'AMD', architecture: 'Zen' }], memory: null, storage: [{ type: 'NVMe' }] },
  datacenter: { countries: ['DE', 'PL'] },
  maxTotalPricePerEpochUsd: '1.5',
};

let berth: TestBerth;
let directory: string;
let key: Awaited<ReturnType<typeof makeSshKey>>;
let vm: Vm;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-market-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  key = await makeSshKey(directory);
  berth = await startTestBerth({ agent: 'real', directory, addressPool: '127.53.0.0/24' });
});

after(async () => {
  const ids = (await list()).map(({ id }) => id);
  if (ids.length > 0) await berth.call('DELETE', '/vms/v3', { vmIds: ids });
  await until('every VM is gone', async () => {
    const { hosts } = JSON.parse(await berthCommand('host', 'list', '--json')) as { hosts: { instances: number }[] };
    return hosts.every(({ instances }) => instances === 0);
  });
  await berth.close();
  await rm(directory, { recursive: true, force: true });
});

const list = async () => (await berth.call<Vm[]>('GET', '/vms/v3')).body;
const berthCommand = async (...args: string[]) =>
  (await run(process.execPath, [main, 'local', ...args, '--data', directory], { timeout: 60_000 })).stdout;

function ssh(command: string): Promise<string> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
  const args = [...options.flatMap((option) => ['-o', option]), '-o', 'ConnectTimeout=20', '-i', key.privateKeyFile];
  return run('ssh', [...args, `berth@${vm.publicIp}`, command], { timeout: 60_000 }).then(({ stdout }) =>
    stdout.trim(),
  );
}

test('an operator’s word on place, hardware and price is what a search shows', async () => {
  await berthCommand(
    'datacenter',
    'add',
    'pl-poz-1',
    '--country',
    'PL',
    '--city',
    'POZ',
    '--index',
    '1',
    '--tier',
    '4',
  );
  const [host] = (JSON.parse(await berthCommand('host', 'list', '--json')) as { hosts: { name: string }[] }).hosts;
  assert.ok(host);
  const hardware = [
    '--cpu-manufacturer',
    'AMD',
    '--cpu-brand',
    'EPYC',
    '--cpu-architecture',
    'Zen',
    '--storage-type',
    'NVMe',
  ];
  await berthCommand('host', 'set', host.name, '--datacenter', 'pl-poz-1', ...hardware);
  const rates = ['--vcpu', '0.25', '--memory-gib', '0.125', '--storage-gib', '0.01', '--public-ip', '0.05'];
  await berthCommand('price', 'set', '--host', host.name, ...rates);
  await until('the agent’s next report has the new word', async () => {
    const { body } = await berth.call<{ configuration: { price: string } }[]>(
      'POST',
      '/marketplace/offers',
      constraints,
    );
    return body.length === 1 && body[0]?.configuration.price === '0.475';
  });
  assert.deepEqual((await berth.call('GET', '/marketplace/countries')).body, ['PL']);
});

test('an estimate is what a deployment then costs, and the VM is logged into by a key that was registered', async () => {
  await withinOneEpoch(5 * 60_000);
  const before = JSON.parse(await berthCommand('account', 'show', 'default', '--json')) as { available: string };
  const registered = await berth.call('POST', '/ssh_keys', { name: 'laptop', publicKey: key.publicKey });
  assert.equal(registered.status, 201);
  const estimate = await berth.call<{ depositAmountUsdc: string; totalPricePerEpoch: string }>(
    'POST',
    '/vms/v3/estimate',
    { constraints, instances: 1 },
  );
  assert.equal(estimate.body.totalPricePerEpoch, '0.495');
  assert.equal(estimate.body.depositAmountUsdc, '0.99');
  const vmConfiguration = {
    name: 'market',
    hostname: 'my-vm',
    openPorts: [{ port: 80, protocol: 'tcp' }],
    osImage: `${berth.url}/images/micro.qcow2`,
    sshKeys: ['laptop'],
  };
  const deployed = await berth.call<{ vmId: string }[]>('POST', '/vms/v3', {
    constraints,
    instances: 1,
    vmConfiguration,
  });
  assert.equal(deployed.status, 201, JSON.stringify(deployed.body));
  await until('it is active', async () => (await list())[0]?.status === 'Active');
  vm = (await list())[0] as Vm;
  assert.equal(vm.pricePerEpoch, '0.495');
  assert.equal(vm.reservedBalance, '0.495');
  assert.equal(vm.totalSpent, '0.495');
  assert.equal(vm.datacenter?.countryCode, 'PL');
  assert.match(vm.nextBillingAt ?? '', /T17:55:00/);
  assert.equal(vm.resources.find(({ type }) => type === 'VCPU')?.metadata.architecture, 'Zen');
  const now = JSON.parse(await berthCommand('account', 'show', 'default', '--json')) as { available: string };
  assert.equal((parseUsd(before.available) ?? 0n) - (parseUsd(now.available) ?? 0n), 990_000n);
  await until('ssh works', () =>
    ssh('true').then(
      () => true,
      () => false,
    ),
  );
  assert.equal(await ssh('hostname'), 'my-vm');
});

test('a change and a deletion take effect, and the statement tells what each thing cost', async () => {
  const openPorts = [{ port: 22, protocol: 'tcp' }];
  const changed = await berth.call('PATCH', '/vms/v3', { updates: [{ id: vm.id, openPorts }] });
  assert.equal(changed.status, 204);
  assert.equal(await ssh('echo still-here'), 'still-here');
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: [vm.id] })).status, 200);
  assert.deepEqual(await list(), []);
  const csv = await berthCommand('account', 'statement', 'default', '--csv');
  const lines = csv
    .trim()
    .split('\n')
    .filter((line) => line.includes(vm.id));
  assert.deepEqual(
    lines.map((line) => ['charge', 'deposit', 'release'].find((kind) => line.includes(kind))).toSorted(),
    ['charge', 'deposit', 'release'],
    csv,
  );
});
