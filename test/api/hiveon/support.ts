// What the tests of the Hiveon dialect share: bodies that are right, the calls, and slots to rent.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { addSlot, type SlotFields } from '../../../src/app/slot-terms.ts';
import { openForOperator } from '../../../src/compose/operator.ts';
import { type Answer, callApi, type TestBerth, until } from '../../support/berth.ts';

/** A machine as `GET /vendors/v1/machines` shows it. */
export interface Machine {
  machine_id: string;
  status: string;
  machine_prices: { id: string; amount: string; currency: string; unit: string }[];
  hardware_specs: { cpu: { cores: number }; memory_gb: number; storage_gb: number };
}

/** A deployment as it is shown. */
export interface Deployment {
  deployment_id: string;
  machine_id: string;
  external_deployment_id: string;
  status: string;
  fail_reason: { code: number; message: string } | null;
  metadata: Record<string, string>;
  started_at: string | null;
  stopped_at: string | null;
  ports: {
    host_port: number;
    protocol: string;
    public_host: string | null;
    public_port: number | null;
    url: string | null;
  }[];
  ssh: { host: string; port: number; user: string } | null;
}

/** An error as this dialect answers it. */
export interface ErrorBody {
  code: number;
  message: string;
  error: string;
  details: {
    '@type': string;
    reason?: string;
    fieldViolations?: { field: string; description: string }[];
  }[];
}

const fields: SlotFields = {
  name: 'name',
  vcpus: 'vcpus',
  memoryGib: 'memory',
  diskGib: 'disk',
  gpus: 'gpus',
  hour: 'hour',
  epoch: 'epoch',
};

/** One call with this dialect's own header. */
export function call<Body = ErrorBody>(
  berth: TestBerth,
  method: string,
  path: string,
  body?: unknown,
  apiKey = berth.apiKey,
): Promise<Answer<Body>> {
  return callApi<Body>(berth.url, null, method, `/vendors/v1${path}`, body, { 'x-api-key': apiKey });
}

let names = 0;

/** Lets slots of the Berth's own host, each with a price an hour and one an epoch. @returns their machines */
export async function letSlots(
  berth: TestBerth,
  count: number,
  size: { vcpus?: number; memoryGib?: number; diskGib?: number } = {},
): Promise<Machine[]> {
  const { context, close } = await openForOperator({ data: berth.directory });
  const ids: string[] = [];
  try {
    const host = await context.database.selectFrom('host').select('name').executeTakeFirstOrThrow();
    for (let number = 0; number < count; number += 1) {
      names += 1;
      const slot = { host: host.name, name: `test-${names}`, vcpus: 1, memoryGib: 1, diskGib: 1, ...size };
      const prices = { hour: '0.36', epoch: '8.64' };
      ids.push(await addSlot(context, { ...slot, gpus: [], prices }, fields));
    }
  } finally {
    await close();
  }
  return Promise.all(ids.map(async (id) => (await call<Machine>(berth, 'GET', `/machines/${id}`)).body));
}

/** The id of a machine's price for a unit. */
export const priceOf = (machine: Machine, unit = 'HOUR'): string =>
  machine.machine_prices.find((price) => price.unit === unit)?.id ?? '';

/** The smallest body that is right for a machine; `container` and `rest` replace fields. */
export const startBody = (
  machine: Machine,
  container: Record<string, unknown> = {},
  rest: Record<string, unknown> = {},
) => ({
  machine_id: machine.machine_id,
  machine_price_id: priceOf(machine),
  container_config: { image: 'nginx:latest', ...container },
  ...rest,
});

/** Starts and returns the deployment's id; fails the test when it is refused. */
export async function started(berth: TestBerth, body: unknown): Promise<string> {
  const answer = await call<{ deployment_id: string }>(berth, 'POST', '/machines/deployments/start', body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.deployment_id;
}

/** One deployment. */
export async function read(berth: TestBerth, id: string): Promise<Deployment> {
  const answer = await call<Deployment>(berth, 'GET', `/machines/deployments/${encodeURIComponent(id)}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** Waits until a deployment has a status. */
export async function untilStatus(berth: TestBerth, id: string, status: string): Promise<Deployment> {
  let last: Deployment | undefined;
  await until(`${id} is ${status}`, async () => {
    last = await read(berth, id);
    if (last.status !== status && ['STATUS_FAILED', 'STATUS_STOPPED'].includes(last.status)) {
      throw new Error(`${id} is ${last.status} instead: ${JSON.stringify(last.fail_reason)}`);
    }
    return last.status === status;
  });
  return last ?? (await read(berth, id));
}

/** Stops a deployment and waits until it is over. */
export async function stopped(berth: TestBerth, id: string): Promise<Deployment> {
  const answer = await call(berth, 'POST', `/machines/deployments/${encodeURIComponent(id)}/stop`, {});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return untilStatus(berth, id, 'STATUS_STOPPED');
}

/** Holds an answer to be a refusal in the whole shape, with this status, code, and all of these words in its text. */
export function assertRefused(answer: Answer, status: number, code: number, ...words: string[]): ErrorBody {
  const body = answer.body as ErrorBody;
  const text = JSON.stringify(body);
  assert.equal(answer.status, status, text);
  assert.deepEqual(Object.keys(body).sort(), ['code', 'details', 'error', 'message'], text);
  assert.equal(body.code, code, text);
  assert.equal(body.error, body.message);
  assert.ok(Array.isArray(body.details), text);
  for (const word of words) assert.ok(text.includes(word), `${text} does not name ${word}`);
  return body;
}

/** The body that Hiveon's documentation prints, with the ids of a machine that is there. */
export async function seedBody(machine: Machine): Promise<Record<string, unknown>> {
  const text = await readFile(new URL('./seed-start.json', import.meta.url), 'utf8');
  const body = JSON.parse(text) as Record<string, unknown>;
  return { ...body, machine_id: machine.machine_id, machine_price_id: priceOf(machine) };
}
