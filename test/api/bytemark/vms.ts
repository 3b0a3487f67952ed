// What the tests of VMs in Bytemark's dialect share: bodies that are right, and the calls.

import assert from 'node:assert/strict';
import { type Answer, callApi, type TestBerth, until } from '../../support/berth.ts';

/** A VM as it is shown. */
export interface Vm {
  id: number;
  name: string;
  group_id: number;
  power_on: boolean;
  autoreboot_on: boolean;
  deleted: boolean;
  cores: number;
  memory: number;
  head: string | null;
  hostname: string;
  hardware_profile: string;
  hardware_profile_locked: boolean;
  cdrom_url: string | null;
  keymap: string | null;
  last_imaged_with: string | null;
  management_address: string | null;
  type: string;
  zone_name: string | null;
  discs?: { id: number; label: string; size: number; storage_grade: string; virtual_machine_id: number }[];
  network_interfaces?: { id: number; ips: string[]; mac: string }[];
}

/** What `vm_create` answers. */
export interface Created {
  virtual_machine: Vm;
  discs: NonNullable<Vm['discs']>;
  reimage?: { distribution: string; root_password?: string };
}

/** A 400 of this dialect: for each field what is wrong with it. */
export type Faults = Record<string, unknown>;

/** The first account's group `default`, and what is in it. */
export const group = '/accounts/default/groups/default';
export const machines = `${group}/virtual_machines`;

/** One call with the first account's key, as the command-line client sends it. */
export function call<Body = Faults>(
  berth: TestBerth,
  method: string,
  path: string,
  body?: unknown,
  apiKey = berth.apiKey,
): Promise<Answer<Body>> {
  const headers = { authorization: `Bearer apikey.${apiKey}`, 'content-type': 'application/json' };
  return callApi<Body>(berth.url, null, method, path, body, headers);
}

let names = 0;

/** The smallest body that is right, with a name of its own; `vm` and `rest` replace parts. */
export function createBody(vm: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) {
  names += 1;
  return {
    virtual_machine: { name: `server-${names}`, cores: 1, memory: 1024, ...vm },
    discs: [{ label: 'root', storage_grade: 'sata', size: 25_600 }],
    reimage: { distribution: 'micro', root_password: 'mypassword' },
    ...rest,
  };
}

/** Makes a VM; fails the test when it is refused. */
export async function created(berth: TestBerth, body: unknown = createBody(), at = group): Promise<Created> {
  const answer = await call<Created>(berth, 'POST', `${at}/vm_create`, body);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body;
}

/** One VM with everything in it, deleted or not. */
export async function overview(berth: TestBerth, name: string | number, at = machines): Promise<Vm> {
  const answer = await call<Vm>(berth, 'GET', `${at}/${name}?include_deleted=true&view=overview`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** Waits until a VM is on or off. */
export async function untilPower(berth: TestBerth, name: string | number, isOn: boolean): Promise<Vm> {
  let last: Vm | undefined;
  await until(`${name} is ${isOn ? 'on' : 'off'}`, async () => {
    last = await overview(berth, name);
    return last.power_on === isOn;
  });
  return last as Vm;
}

/** Makes a VM and waits until it is on. */
export async function running(berth: TestBerth, vm: Record<string, unknown> = {}): Promise<Vm> {
  const { virtual_machine } = await created(berth, createBody(vm));
  return untilPower(berth, virtual_machine.name, true);
}

/** Changes a VM; fails the test when it is refused. */
export async function changed(berth: TestBerth, name: string, body: unknown): Promise<Vm> {
  const answer = await call<Vm>(berth, 'PUT', `${machines}/${name}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}
