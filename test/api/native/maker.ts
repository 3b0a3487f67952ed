// What the tests of making instances share: a Berth with hosts in two datacenters, bodies that are right, and refusals that leave
// nothing behind.

import assert from 'node:assert/strict';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { addDatacenter, addHost, epyc, openMarket, xeon } from '../fluence/market.ts';
import { holdings } from '../support.ts';

/** An instance as it is answered, as far as these tests look. */
export interface Instance {
  id: string;
  kind: string;
  account: string;
  group: string;
  deployment: string;
  name: string;
  hostname: string;
  status: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  image: string;
  ports: { port: number; protocol: string }[];
  allPortsOpen: boolean;
  datacenter: { slug: string } | null;
  pricePerEpoch: string;
  vm: { hardwareProfile: string; autoreboot: boolean; keymap: string | null; lastImagedWith: string | null };
}

/** A refusal. */
export interface Problem {
  code: string;
  detail: string;
  pointer?: string;
  errors?: { pointer: string }[];
}

/** What instances would cost. */
export interface Estimate {
  count: number;
  configuration: string | null;
  vcpus: number;
  diskGib: number;
  unit: string;
  price: string;
  total: string;
  firstCharge: string;
  deposit: string;
  needed: string;
  sufficient: boolean;
}

/** Instances that were made together. */
export interface Deployment {
  id: string;
  instances: { id: string; name: string; kind: string; group: string; status: string }[];
}

/** A size that is sold. */
export const two = 'cpu-2-ram-4gb-storage-25gb';

/** A Berth to make instances in: a host in Warsaw, and a dearer one in Berlin. */
export interface Maker {
  berth: TestBerth;
  database: Database;
  /** A call below `/berth/v1` with the first account's key. */
  call<Body = Instance>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  /** A body that is right, with a name of its own; `more` replaces fields. */
  bodyOf(more?: Record<string, unknown>): { name: string } & Record<string, unknown>;
  /** Makes an instance. */
  made(more?: Record<string, unknown>): Promise<Instance>;
  /** Holds a body to be refused, and to leave nothing. */
  refused(body: object, status: number, code: string, pointer?: string, path?: string): Promise<Problem>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startMaker(): Promise<Maker> {
  const berth = await startTestBerth();
  const database = await openMarket(berth);
  const warsaw = await addDatacenter(database, 'PL', 'WAW');
  const berlin = await addDatacenter(database, 'DE', 'BER');
  const dear = { vcpu: 200_000, memoryGib: 40_000, storageGib: 2_000, publicIp: 20_000 };
  await addHost(database, { datacenterId: warsaw, hardware: xeon, vcpus: 128, memoryGib: 512, diskGib: 4_000 });
  await addHost(database, { datacenterId: berlin, hardware: epyc, rates: dear, additionalGibMax: 20 });
  let names = 0;
  const maker: Maker = {
    ...{ berth, database },
    call: (method, path, body, headers = {}) => berth.call(method, `/berth/v1${path}`, body, headers),
    bodyOf(more = {}) {
      names += 1;
      return { name: `vm-${names}`, image: 'debian-13-x64', configuration: two, ...more };
    },
    async made(more) {
      const answer = await maker.call('POST', '/instances', maker.bodyOf(more));
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body;
    },
    async refused(body, status, code, pointer, path = '/instances') {
      const held = await holdings(database);
      const answer = await maker.call<Problem>('POST', path, body);
      const shown = JSON.stringify(answer.body);
      assert.deepEqual([answer.status, answer.body.code], [status, code], shown);
      if (pointer !== undefined) assert.equal(answer.body.pointer, pointer, shown);
      assert.deepEqual(await holdings(database), held, shown);
      return answer.body;
    },
    async close() {
      await database.destroy();
      await berth.close();
    },
  };
  return maker;
}
