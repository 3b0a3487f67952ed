// The client on a real Berth, and on a server that fails on purpose.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BerthApiError, BerthClient, type BerthEvent, type DeployRequest } from '../../sdk/client.ts';
import { makeSshKey, startTestBerth, type TestBerth } from '../support/berth.ts';

let berth: TestBerth;
let client: BerthClient;
let directory: string;
let publicKey: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-sdk-'));
  ({ publicKey } = await makeSshKey(directory));
  berth = await startTestBerth({ addressPool: '127.47.0.0/16' });
  client = new BerthClient(berth);
});
after(async () => {
  await berth?.close();
  await rm(directory, { recursive: true, force: true });
});

const request = (name: string): DeployRequest => ({
  instances: 1,
  vmConfiguration: {
    name,
    openPorts: [{ port: 80, protocol: 'tcp' }],
    osImage: 'https://images.example.org/any.qcow2',
    sshKeys: [publicKey],
  },
});

describe('the client of a VM', () => {
  test("leads a VM through its life, and tells it from the VM's events", async () => {
    const [deployed] = await client.deploy(request('life'));
    const id = deployed?.vmId ?? '';
    assert.equal(deployed?.vmName, 'life');
    const done = new AbortController();
    const events: BerthEvent[] = [];
    for await (const event of client.followEvents(id, done.signal)) {
      events.push(event);
      if (event.kind === 'instance.active') await client.deleteVms([id]);
      if (event.kind === 'instance.deleted') done.abort();
    }
    assert.ok(events.every(({ instanceId }) => instanceId === id));
    assert.equal(new Set(events.map(({ cursor }) => cursor)).size, events.length);
    assert.equal(events[0]?.kind, 'instance.placed');
    const after = await client.events({ instance: id, after: events[0]?.cursor });
    assert.deepEqual(after, events.slice(1));
    assert.deepEqual(await client.listVms(), []);
  });

  test('changes ports and name', async () => {
    const [deployed] = await client.deploy(request('before'));
    const id = deployed?.vmId ?? '';
    await client.updateVms([{ id, vmName: 'after', openPorts: [{ port: 443, protocol: 'tcp' }] }]);
    const vm = (await client.listVms()).find((one) => one.id === id);
    assert.equal(vm?.vmName, 'after');
    assert.ok(vm?.ports.some(({ port }) => port === 443));
    assert.ok(!vm?.ports.some(({ port }) => port === 80));
    assert.equal((await client.vmStatuses([id]))[0]?.id, id);
    assert.deepEqual(await client.deleteVms([id]), [id]);
  });

  test('deploys once for one idempotency key', async () => {
    const first = await client.deploy(request('once'), { idempotencyKey: 'k1' });
    assert.deepEqual(await client.deploy(request('once'), { idempotencyKey: 'k1' }), first);
    await client.deleteVms(first.map(({ vmId }) => vmId));
  });

  test('knows the catalog', async () => {
    const micro = (await client.defaultImages()).find(({ slug }) => slug === 'micro');
    assert.equal(micro?.username, 'berth');
  });

  test('finds its way through the market: sizes, offers, an estimate, a key, and a VM of what was found', async () => {
    const sizes = await client.basicConfigurations();
    const offers = await client.searchOffers();
    assert.deepEqual([...new Set(offers.map(({ configuration }) => configuration.slug))].sort(), sizes.toSorted());
    assert.deepEqual(await client.searchOffers({}, 2), []);
    const [cheapest] = await client.searchOffers({ basicConfiguration: sizes[0] ?? null });
    const constraints = { basicConfiguration: cheapest?.configuration.slug ?? null };
    const { totalPricePerEpoch, depositEpochs } = await client.estimate({ constraints, instances: 1 });
    assert.deepEqual([totalPricePerEpoch, depositEpochs], [cheapest?.configuration.price, 2]);
    assert.deepEqual([await client.countries(), await client.datacenters()], [[], []]);
    const { storage } = await client.hardware();
    // Only the configurations: what is free changes as hosts let go of what earlier tests deleted.
    const ofStorage = await client.searchOffers({ hardware: { storage } });
    assert.deepEqual(
      ofStorage.map(({ configuration }) => configuration),
      offers.map(({ configuration }) => configuration),
    );
    const key = await client.registerSshKey({ name: 'sdk', publicKey });
    assert.deepEqual(await client.registerSshKey({ name: 'again', publicKey }), key);
    assert.deepEqual(
      (await client.sshKeys()).map(({ name, fingerprint }) => [name, fingerprint]),
      [['sdk', key.fingerprint]],
    );
    const [deployed] = await client.deploy({
      constraints,
      instances: 1,
      vmConfiguration: { ...request('market').vmConfiguration, sshKeys: ['sdk'] },
    });
    await client.deleteVms([deployed?.vmId ?? '']);
    await client.deleteSshKey(key.fingerprint);
    assert.deepEqual(await client.sshKeys(), []);
    await assert.rejects(client.estimate({ constraints: { datacenter: { countries: ['BE'] } }, instances: 1 }), {
      status: 422,
      message: 'Not enough offers found',
    });
  });

  test("throws what the server says, in Fluence's calls and in Berth's own", async () => {
    await assert.rejects(client.deploy({ ...request('bad name') }), (error: BerthApiError) => {
      assert.ok(error instanceof BerthApiError);
      assert.equal(error.status, 422);
      assert.match(error.message, /vmConfiguration\.name is "bad name"/);
      return true;
    });
    await assert.rejects(client.events({ after: 'x' }), { status: 422, message: /cursor is "x"/ });
    const stranger = new BerthClient({ url: berth.url, apiKey: 'wrong' });
    await assert.rejects(stranger.listVms(), { status: 403, message: 'Auth failed. No such API Key' });
  });

  test('says that nobody answers, with the address and the reason', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    await new Promise((closed) => server.close(closed));
    await assert.rejects(new BerthClient({ url, apiKey: 'any' }).deploy(request('x')), {
      status: 0,
      message: `${url} does not answer POST /vms/v3: ECONNREFUSED.`,
    });
  });
});

test('a call is repeated only where doing it twice is doing it once', async () => {
  const calls: string[] = [];
  let failures = 0;
  const server = createServer((incoming, response) => {
    calls.push(incoming.method ?? '');
    incoming.resume().on('end', () => {
      failures += 1;
      if (failures > 2) response.setHeader('content-type', 'application/json').end('[]');
      else response.writeHead(503).end('{"error":"not now"}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const flaky = new BerthClient({ url: `http://127.0.0.1:${port}/`, apiKey: 'any' });
  const callsOf = async (act: () => Promise<unknown>) => {
    calls.length = 0;
    failures = 0;
    await act().catch((error: unknown) => assert.ok(error instanceof BerthApiError && error.message === 'not now'));
    return calls.join(' ');
  };
  try {
    assert.equal(await callsOf(() => flaky.listVms()), 'GET GET GET');
    assert.equal(await callsOf(() => flaky.updateVms([])), 'PATCH PATCH PATCH');
    assert.equal(await callsOf(() => flaky.deploy(request('x'), { idempotencyKey: 'k' })), 'POST POST POST');
    assert.equal(await callsOf(() => flaky.deploy(request('x'))), 'POST');
    assert.equal(await callsOf(() => flaky.deleteVms(['0x1'])), 'DELETE');
  } finally {
    server.close();
  }
});
