// A Berth with a real VM and a real container that are up, for tests of what one sees and types of them.

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Berth } from '../../sdk/berth.ts';
import { type KeyPair, keyPair } from '../agent/ssh/support.ts';
import { letSlots, startBody, started, stopped } from '../api/hiveon/support.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { startTestEngine } from '../support/docker.ts';
import { microImage } from '../support/images.ts';
import { endIngress } from '../system/container.ts';

/** What a test is given of it. */
export interface Machines {
  server: TestBerth;
  berth: Berth;
  /** Lets in as the VM's first user. */
  key: KeyPair;
  /** Ids of instances. */
  vm: string;
  container: string;
  close(): Promise<void>;
}

/** Starts them; the caller closes them. */
export async function startMachines(addressPool: string): Promise<Machines> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-machines-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  const engine = await startTestEngine(['nginx']);
  const up = { engineSocket: engine.socketPath, patience: { graceMs: 2_000, backoffMsMin: 100 } };
  const server = await startTestBerth({ agent: 'real', directory, addressPool, up });
  const berth = new Berth(server);
  const key = await keyPair(directory, 'admin');
  const { id: vm } = await berth.instances.create({
    ...{ name: 'box', image: 'micro', configuration: 'cpu-1-ram-1gb-storage-5gb', sshKeys: [key.line] },
  });
  const [machine] = await letSlots(server, 1);
  assert.ok(machine);
  const deployment = await started(server, startBody(machine));
  const container = (await berth.instances.list({ kind: 'container' }).all())[0]?.id ?? '';
  for (const id of [vm, container]) await berth.instances.until(id, 'active');
  const close = async () => {
    await stopped(server, deployment);
    await berth.instances.delete(vm, { purge: true });
    await until('the VM is gone', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
    await server.close();
    endIngress(join(directory, 'agent', 'container', 'ingress'));
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { server, berth, key, vm, container, close };
}
