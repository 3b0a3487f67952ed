// Deploying as the contract describes it: the documented bodies, every null and unknown field that clients send, and the
// one shape of the answer. What is refused stands in deploy-refused.test.ts.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, type Deployed, deployBody, imageUrl, keys, openStore, vmOf } from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const instanceOf = (id: string) =>
  database.selectFrom('instance').where('id', '=', id).selectAll().executeTakeFirstOrThrow();

/** The page's first body to the letter, but for its key: the page cuts that off, so a whole one has to be put in. */
const pageBody = (sshKey: string) => `{
  "constraints": {
    "basicConfiguration": "cpu-4-ram-8gb-storage-25gb",
    "additionalResources": {
      "storage": [{ "type": "NVMe", "supply": 20, "units": "GiB" }]
    },
    "hardware": null,
    "datacenter": null,
    "maxTotalPricePerEpochUsd": "1.5"
  },
  "instances": 2,
  "vmConfiguration": {
    "name": "web-server",
    "openPorts": [{ "port": 80, "protocol": "tcp" }, { "port": 443, "protocol": "tcp" }],
    "hostname": "my-vm",
    "osImage": "https://cloud-images.ubuntu.com/focal/current/focal-server-cloudimg-amd64.img",
    "sshKeys": ["${sshKey}"]
  }
}`;

test('the body of the page that this API comes from deploys two VMs, with a whole key in place of its cut off one', async () => {
  const body = pageBody(keys.rsa);
  const answer = await berth.call<Deployed>('POST', '/vms/v3', body);
  assert.equal(answer.status, 201);
  assert.equal(answer.body.length, 2);
  for (const vm of answer.body) {
    assert.deepEqual(Object.keys(vm), ['vmId', 'vmName']);
    assert.match(vm.vmId, /^0x[0-9a-f]{40}$/);
    assert.equal(vm.vmName, 'web-server');
    const row = await instanceOf(vm.vmId);
    assert.deepEqual(
      [row.hostname, row.vcpus, row.memory_mib, row.image_url, row.ssh_keys],
      ['my-vm', 4, 8192, imageUrl, [keys.rsa]],
    );
    const shown = await vmOf(berth, vm.vmId);
    assert.deepEqual(
      shown?.resources.map(({ supply }) => supply),
      [4, 8, 45, 1],
    );
    assert.deepEqual(shown?.ports, [
      { port: 22, protocol: 'tcp' },
      { port: 80, protocol: 'tcp' },
      { port: 443, protocol: 'tcp' },
    ]);
  }
  assert.notEqual(answer.body[0]?.vmId, answer.body[1]?.vmId);
});

test('the key of that page as it stands there, cut off, is refused with words that say so', async () => {
  const answer = await berth.call(
    'POST',
    '/vms/v3',
    pageBody('ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCxV4JJjOCRCnPkvf9h...'),
  );
  assertRefused(answer, 422, 'vmConfiguration.sshKeys[0]', 'not a complete ssh-rsa public key');
});

test('the body of the same page’s curl line deploys one VM', async () => {
  const body = `{
    "constraints": { "basicConfiguration": "cpu-4-ram-8gb-storage-25gb", "maxTotalPricePerEpochUsd": "1.5" },
    "instances": 1,
    "vmConfiguration": {
      "name": "my-vm",
      "hostname": "my-vm",
      "openPorts": [{ "port": 8080, "protocol": "tcp" }],
      "osImage": "${imageUrl}",
      "sshKeys": ["${keys.rsa}"]
    }
  }`;
  const answer = await berth.call<Deployed>('POST', '/vms/v3', body, { 'content-type': 'application/json' });
  assert.equal(answer.status, 201);
  assert.deepEqual(
    answer.body.map(({ vmName }) => vmName),
    ['my-vm'],
  );
});

test('without constraints, or with null ones, the smallest configuration is taken', async () => {
  const empty = {
    basicConfiguration: null,
    additionalResources: null,
    hardware: null,
    datacenter: null,
    maxTotalPricePerEpochUsd: null,
  };
  for (const constraints of [undefined, null, {}, empty, { additionalResources: { storage: null } }]) {
    const body = deployBody({}, constraints === undefined ? {} : { constraints });
    const answer = await berth.call<Deployed>('POST', '/vms/v3', body);
    assert.equal(answer.status, 201, JSON.stringify(constraints));
    const vm = await vmOf(berth, answer.body[0]?.vmId ?? '');
    assert.deepEqual(
      vm?.resources.map(({ supply }) => supply),
      [1, 1, 5, 1],
    );
  }
});

test('optional fields may be null or left out: instances, host name, open ports', async () => {
  const nulls = await berth.call<Deployed>(
    'POST',
    '/vms/v3',
    deployBody({ hostname: null, openPorts: null }, { instances: null }),
  );
  assert.equal(nulls.status, 201, JSON.stringify(nulls.body));
  assert.equal(nulls.body.length, 1);
  const bare = deployBody();
  delete bare.instances;
  delete bare.vmConfiguration.openPorts;
  const left = await berth.call<Deployed>('POST', '/vms/v3', bare);
  assert.equal(left.status, 201, JSON.stringify(left.body));
  for (const [vm] of [nulls.body, left.body]) {
    assert.ok(vm);
    const row = await instanceOf(vm.vmId);
    assert.equal(row.hostname, vm.vmName, 'the host name is the name');
    assert.deepEqual((await vmOf(berth, vm.vmId))?.ports, [{ port: 22, protocol: 'tcp' }]);
  }
});

test('no key at all, as null, left out or empty, is refused with a reason', async () => {
  for (const sshKeys of [null, undefined, []]) {
    const answer = await berth.call('POST', '/vms/v3', deployBody({ sshKeys }));
    assertRefused(answer, 422, 'vmConfiguration.sshKeys', 'at least one public SSH key');
  }
});

test('what the public Go client sends for unset fields counts as unset', async () => {
  const constraints = {
    basicConfiguration: '',
    additionalResources: { storage: [] },
    hardware: {
      cpu: [{ manufacturer: '', architecture: '' }],
      memory: [{ type: '', generation: '' }],
      storage: [{ type: '' }],
    },
    datacenter: { countries: [] },
    maxTotalPricePerEpochUsd: '',
  };
  const variants = [
    constraints,
    { ...constraints, hardware: {}, datacenter: {} },
    { ...constraints, hardware: { cpu: null, memory: [], storage: null }, datacenter: { countries: null } },
  ];
  for (const one of variants) {
    const body = deployBody({ hostname: '', openPorts: null }, { constraints: one });
    const answer = await berth.call('POST', '/vms/v3', body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
});

test('unknown fields are left alone, wherever they stand', async () => {
  const body = {
    ...deployBody(
      { openPorts: [{ port: 80, protocol: 'tcp', comment: 'web' }], userData: null, ssh_key_name: 'mine' },
      { constraints: { gpu: { count: 1 }, additionalResources: { gpu: 1, storage: [] } } },
    ),
    toString: 1,
    constructor: { name: 'x' },
    hasOwnProperty: null,
    nested: { a: [{ b: [[1, 2, 'x']] }] },
  };
  const answer = await berth.call('POST', '/vms/v3', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
});

test('every key type of the contract is taken; a key named twice is written once', async () => {
  const answer = await berth.call<Deployed>(
    'POST',
    '/vms/v3',
    deployBody({ sshKeys: [keys.ed25519, `  ${keys.ecdsa}\n`, keys.rsa, keys.ed25519] }),
  );
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const row = await instanceOf(answer.body[0]?.vmId ?? '');
  assert.deepEqual(row.ssh_keys, [keys.ed25519, keys.ecdsa, keys.rsa]);
});

test('every image ending of the contract is taken', async () => {
  for (const ending of ['.qcow2', '.img', '.raw', '.raw.xz', '.raw.gz', '.img.xz', '.img.gz']) {
    const answer = await berth.call('POST', '/vms/v3', deployBody({ osImage: `https://images.example/disk${ending}` }));
    assert.equal(answer.status, 201, ending);
  }
});

test('one to ten instances come of one request, all under its name', async () => {
  for (const instances of [1, 2, 10]) {
    const body = deployBody({}, { instances });
    const answer = await berth.call<Deployed>('POST', '/vms/v3', body);
    assert.equal(answer.status, 201);
    assert.equal(new Set(answer.body.map(({ vmId }) => vmId)).size, instances);
    assert.deepEqual([...new Set(answer.body.map(({ vmName }) => vmName))], [body.vmConfiguration.name]);
  }
});

test('an address is given to one VM only', async () => {
  const rows = await database.selectFrom('address').select('ip').execute();
  assert.ok(rows.length > 20);
  assert.equal(new Set(rows.map(({ ip }) => ip)).size, rows.length);
});
