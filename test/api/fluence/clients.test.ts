// Stand-ins of the public clients: each decodes as strictly as the real one does and takes the steps that it takes. A field
// that changes its type, or goes missing where a client needs it, fails here.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi, startTestBerth } from '../../support/berth.ts';
import { imageUrl, keys } from '../support.ts';

const berth = await startTestBerth();
after(() => berth.close());

/** What a Go struct is decoded from: a value of another type is an error, null and missing leave the zero value. */
type Shape = 'string' | 'int' | 'bool' | 'any' | [Shape] | { [field: string]: Shape };

function decode(shape: Shape, value: unknown, at = 'answer'): void {
  if (shape === 'any' || value === null || value === undefined) return;
  const type = Array.isArray(value) ? 'array' : typeof value;
  const fail = (wanted: string): never => assert.fail(`cannot unmarshal ${type} into Go value ${at} of type ${wanted}`);
  if (shape === 'string' || shape === 'bool') {
    if (type !== (shape === 'bool' ? 'boolean' : 'string')) fail(shape);
  } else if (shape === 'int') {
    if (!Number.isInteger(value)) fail('int');
  } else if (Array.isArray(shape)) {
    if (!Array.isArray(value)) fail('slice');
    for (const [index, part] of (value as unknown[]).entries()) decode(shape[0], part, `${at}[${index}]`);
  } else {
    if (type !== 'object') fail('struct');
    for (const [field, part] of Object.entries(shape)) {
      decode(part, (value as Record<string, unknown>)[field], `${at}.${field}`);
    }
  }
}

const metadata: Shape = {
  manufacturer: 'string',
  brand: 'string',
  architecture: 'string',
  generation: 'string',
  type: 'string',
  version: 'string',
};
const supply: Shape = {
  type: 'string',
  metadata,
  price: 'string',
  supply: 'int',
  units: 'string',
  perVmLimit: 'int',
};
const datacenter: Shape = {
  countryCode: 'string',
  cityCode: 'string',
  cityIndex: 'int',
  tier: 'int',
  certifications: ['string'],
};
const offers: Shape = [
  {
    configuration: { slug: 'string', price: 'string' },
    resources: [{ type: 'string', metadata, price: 'string' }],
    datacenter,
    servers: [{ availableBasicInstances: 'int', additionalResources: [supply] }],
    maxAdditionalSupply: [supply],
  },
];
const vms: Shape = [
  {
    id: 'string',
    vmName: 'string',
    status: 'string',
    statusChangedAt: 'string',
    pricePerEpoch: 'string',
    resources: [{ type: 'string', supply: 'int', units: 'string', details: 'any', metadata }],
    createdAt: 'string',
    nextBillingAt: 'string',
    osImage: 'string',
    datacenter,
    publicIp: 'string',
    ports: [{ port: 'int', protocol: 'string' }],
    reservedBalance: 'string',
    totalSpent: 'string',
  },
];
const sshKey: Shape = {
  name: 'string',
  fingerprint: 'string',
  algorithm: 'string',
  comment: 'string',
  public_key: 'string',
  active: 'bool',
  createdAt: 'string',
};
const estimate: Shape = {
  depositAmountUsdc: 'string',
  depositEpochs: 'int',
  totalPricePerEpoch: 'string',
  maxPricePerEpoch: 'string',
  instances: 'int',
};

/** The Go client's constraints with nothing set: no field of them is left out. */
const unset = {
  basicConfiguration: '',
  additionalResources: { storage: null },
  hardware: { cpu: null, memory: null, storage: null },
  datacenter: { countries: null },
  maxTotalPricePerEpochUsd: '',
};

async function go<Body>(method: string, path: string, shape: Shape, body?: unknown, status = 200): Promise<Body> {
  const answer = await berth.call<Body>(method, path, body);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  // An empty body is "unexpected end of JSON input" to this client.
  assert.notEqual(answer.body, null);
  decode(shape, answer.body);
  return answer.body;
}

const vmConfiguration = { name: 'go', hostname: '', openPorts: null, osImage: imageUrl };

test('the Go client finds, estimates, registers, deploys, lists, updates and deletes', async () => {
  const found = await go<{ configuration: { slug: string } }[]>('POST', '/marketplace/offers', offers, unset);
  assert.ok(found.length > 0);
  await go('GET', '/marketplace/basic_configurations', ['string']);
  await go('GET', '/marketplace/countries', ['string']);
  await go('GET', '/marketplace/hardware', {
    cpu: [{ manufacturer: 'string', architecture: 'string' }],
    memory: [{ type: 'string', generation: 'string' }],
    storage: [{ type: 'string' }],
  });
  await go('POST', '/vms/v3/estimate', estimate, { constraints: unset, instances: 2 });
  const registered = await go<{ public_key: string; fingerprint: string }>(
    'POST',
    '/ssh_keys',
    sshKey,
    { name: 'go', publicKey: keys.ed25519 },
    201,
  );
  assert.equal(registered.public_key, keys.ed25519, 'this client reads no other field');
  const [listed] = await go<{ public_key: string }[]>('GET', '/ssh_keys', [sshKey]);
  assert.equal(listed?.public_key, keys.ed25519);
  const request = {
    constraints: unset,
    instances: 1,
    vmConfiguration: { ...vmConfiguration, sshKeys: [keys.ed25519] },
  };
  const [vm] = await go<{ vmId: string }[]>('POST', '/vms/v3', [{ vmId: 'string', vmName: 'string' }], request, 201);
  const id = vm?.vmId ?? '';
  const [shown] = await go<{ resources: { type: string; supply: number }[] }[]>('GET', '/vms/v3', vms);
  assert.equal(shown?.resources.find(({ type }) => type === 'VCPU')?.supply, 1);
  const answer = await berth.call('PATCH', '/vms/v3', { updates: [{ id, vmName: 'gone', openPorts: null }] });
  assert.equal(answer.status, 204);
  const removed: Shape = { removed_ids: ['string'], transactions: ['any'] };
  const { removed_ids: ids } = await go<{ removed_ids: string[] }>('DELETE', '/vms/v3', removed, { vmIds: [id] });
  assert.deepEqual(ids, [id]);
  await go('DELETE', '/ssh_keys', 'any', { fingerprint: registered.fingerprint });
});

test('the vendor’s script deploys with a key’s name, and polls the status until the VM is up', async () => {
  await berth.call('POST', '/ssh_keys', { name: 'deploy-key', publicKey: keys.ecdsa });
  const created = await berth.call<{ vmId: string }[]>('POST', '/vms/v3', {
    constraints: {
      basicConfiguration: 'cpu-2-ram-4gb-storage-25gb',
      additionalResources: { storage: [{ type: 'NVMe', supply: 75, units: 'GiB' }] },
    },
    instances: 1,
    vmConfiguration: {
      name: 'node-1',
      openPorts: [{ port: 4000, protocol: 'tcp' }],
      osImage: imageUrl,
      sshKeys: ['deploy-key'],
    },
  });
  // It takes nothing but 201 for success.
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const id = created.body[0]?.vmId ?? '';
  const seen: string[] = [];
  let publicIp: string | null = null;
  while (!['Active', 'Failed'].includes(seen.at(-1) ?? '')) {
    const { body } = await berth.call<{ id: string; status: string; publicIp: string | null }[]>(
      'GET',
      `/vms/v3/status?ids=${encodeURIComponent(id)}`,
    );
    assert.equal(body[0]?.id, id);
    if (seen.at(-1) !== body[0]?.status) seen.push(body[0]?.status ?? '');
    publicIp = body[0]?.publicIp ?? null;
    await sleep(20);
  }
  assert.ok(['Active', 'Launching,Active'].includes(seen.join(',')), seen.join(','));
  assert.match(publicIp ?? '', /^127\./);
  const page = await berth.call<{ id: string; publicIp: string }[]>('GET', '/vms/v3?page=1&per_page=50');
  assert.equal(page.body.find((vm) => vm.id === id)?.publicIp, publicIp);
});

test('the Terraform provider deploys with a fingerprint, needs statusChangedAt, and reads the datacenters', async () => {
  const { body: key } = await berth.call<{ fingerprint: string }>('POST', '/ssh_keys', {
    name: 'tf',
    publicKey: keys.rsa,
  });
  const created = await berth.call<{ vmId: string }[]>('POST', '/vms/v3', {
    constraints: { basicConfiguration: 'cpu-2-ram-4gb-storage-25gb', maxTotalPricePerEpochUsd: '0.5' },
    instances: 1,
    vmConfiguration: {
      name: 'tf',
      openPorts: [{ port: 22, protocol: 'tcp' }],
      osImage: imageUrl,
      sshKeys: [key.fingerprint],
    },
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const list = await berth.call<{ id: string; statusChangedAt?: string }[]>('GET', '/vms/v3');
  for (const vm of list.body) assert.ok(!Number.isNaN(Date.parse(vm.statusChangedAt ?? '')));
  const { body } = await berth.call<unknown[]>('GET', '/v1/marketplace/datacenters');
  const { cityIndex: _, ...fields } = datacenter;
  decode([{ id: 'string', slug: 'string', index: 'int', ...fields }], body);
});

test('every client’s way to send its key reaches every call', async () => {
  for (const headers of [
    { authorization: `Bearer ${berth.apiKey}` },
    { 'x-api-key': berth.apiKey },
    { authorization: `X-API-KEY ${berth.apiKey}` },
  ] as Record<string, string>[]) {
    for (const path of ['/vms/v3', '/marketplace/hardware', '/v1/marketplace/datacenters', '/ssh_keys']) {
      assert.equal((await callApi(berth.url, null, 'GET', path, undefined, headers)).status, 200);
    }
  }
});
