// What the tests of instances in Berth's own API share: the calls, VMs and containers to call about, and waiting for operations.

import assert from 'node:assert/strict';
import { toId } from '../../../src/api/native/id.ts';
import { type Answer, type TestBerth, until } from '../../support/berth.ts';
import { letSlots, startBody, started } from '../hiveon/support.ts';
import { deployBody, deployed } from '../support.ts';

/** An instance as it is shown. */
export interface Instance {
  id: string;
  kind: string;
  account: string;
  group: string;
  deployment: string;
  name: string;
  status: string;
  vcpus: number;
  memoryMib: number;
  address: string | null;
  ports: { port: number; protocol: string }[];
  held: string;
  pricePerEpoch: string;
  nextBillingAt: string | null;
  createdAt: string;
  vm: {
    hardwareProfile: string;
    hardwareProfileLocked: boolean;
    autoreboot: boolean;
    cdromUrl: string | null;
    keymap: string | null;
    lastImagedWith: string | null;
    restorableDays: number;
  } | null;
  container: { slot: string; externalId: string | null; publicPorts: { port: number; url: string | null }[] } | null;
  allowed: Record<string, string | null>;
}

/** An operation as it is shown. */
export interface Operation {
  id: string;
  kind: string;
  instance: string;
  status: string;
  error: { code: string; detail: string } | null;
  finishedAt: string | null;
}

/** A page of a list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** A problem. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  pointer?: string;
  parameter?: string;
  errors?: { detail: string; pointer: string }[];
}

/** One call below `/berth/v1`, with the first account's key. */
export const call = <Body = Instance>(
  berth: TestBerth,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> => berth.call<Body>(method, `/berth/v1${path}`, body, headers);

/** A VM that runs. @returns its id */
export async function makeVm(berth: TestBerth, vm: Record<string, unknown> = {}): Promise<string> {
  const [id = ''] = await deployed(berth, deployBody(vm));
  await untilInstance(berth, toId('instance', id), ({ status }) => status === 'active');
  return toId('instance', id);
}

/** A container that runs. @returns its id */
export async function makeContainer(berth: TestBerth, container = {}, rest = {}): Promise<string> {
  const [machine] = await letSlots(berth, 1);
  assert.ok(machine);
  const before = new Set(
    (await call<Page<Instance>>(berth, 'GET', '/instances?kind=container')).body.items.map(({ id }) => id),
  );
  await started(berth, startBody(machine, container, rest));
  const page = await call<Page<Instance>>(berth, 'GET', '/instances?kind=container');
  const made = page.body.items.find(({ id }) => !before.has(id));
  assert.ok(made);
  await untilInstance(berth, made.id, ({ status }) => status === 'active');
  return made.id;
}

/** Waits until an instance is as it should be. */
export async function untilInstance(
  berth: TestBerth,
  id: string,
  isSo: (instance: Instance) => boolean,
): Promise<Instance> {
  let found: Instance | undefined;
  await until(`${id} is as it should be`, async () => {
    const answer = await call(berth, 'GET', `/instances/${id}`);
    found = answer.body;
    return answer.status === 200 && isSo(answer.body);
  });
  return found as Instance;
}

/** Asks for something that is answered as an operation. @returns the operation when it is over */
export async function over(berth: TestBerth, method: string, path: string, body?: unknown): Promise<Operation> {
  const answer = await call<Operation>(berth, method, path, body);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('location'), `/berth/v1/operations/${answer.body.id}`);
  return untilOver(berth, answer.body.id);
}

/** Waits until an operation is over. */
export async function untilOver(berth: TestBerth, id: string): Promise<Operation> {
  let found: Operation | undefined;
  await until(`${id} is over`, async () => {
    found = (await call<Operation>(berth, 'GET', `/operations/${id}`)).body;
    return found.status !== 'running';
  });
  return found as Operation;
}

/** Holds an answer to be a problem. */
export function assertProblem(answer: Answer<unknown>, status: number, code: string, place?: string): Problem {
  const problem = answer.body as Problem;
  const shown = JSON.stringify(problem);
  assert.deepEqual([answer.status, problem.code], [status, code], shown);
  if (place !== undefined) assert.equal(problem.pointer ?? problem.parameter, place, shown);
  return problem;
}
