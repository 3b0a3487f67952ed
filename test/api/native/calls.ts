// What the tests of Berth's own API share that are about VMs: calls, problems, and VMs that are on or off.

import assert from 'node:assert/strict';
import { toId } from '../../../src/api/native/id.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, type TestBerth } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { changed } from '../bytemark/vms.ts';
import { deployBody, deployed, untilStatus, vmOf } from '../support.ts';

/** A problem as it is answered. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  pointer?: string;
  parameter?: string;
  subject?: string;
  errors?: { detail: string; pointer: string }[];
}

/** A page of a list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Any call below `/berth/v1`. */
export type Call = <Body = Problem>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer<Body>>;

/** Calls with a key or a session's token; the first account's key where none is given. */
export const callsOf =
  (berth: TestBerth, key?: string): Call =>
  (method, path, body, headers) =>
    callApi(berth.url, key ?? berth.apiKey, method, `/berth/v1${path}`, body, headers);

/** Makes a call that is taken. @returns its answer's body */
export async function done<Body>(call: Call, status: number, ...request: Parameters<Call>): Promise<Body> {
  const answer = await call<Body>(...request);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
}

/** Makes a call that is refused. */
export async function refused(
  call: Call,
  status: number,
  code: string,
  ...request: Parameters<Call>
): Promise<Problem> {
  const { status: given, body } = await call(...request);
  assert.deepEqual([given, body?.code], [status, code], JSON.stringify(body));
  return body;
}

/** Everything of a list, read in pages of two. */
export async function allOf<Item>(call: Call, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: string = `${path}${path.includes('?') ? '&' : '?'}limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const page: Page<Item> = await done(call, 200, 'GET', more);
    assert.ok(page.items.length <= 2);
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** A VM of a test. */
export interface Machine {
  /** Its id in Berth's own API. */
  id: string;
  name: string;
  ip: string;
}

let machines = 0;

/** A VM with one disk that is on or off. */
export async function machine(berth: TestBerth, { on }: { on: boolean }): Promise<Machine> {
  machines += 1;
  const name = `machine-${machines}`;
  const [id = ''] = await deployed(berth, deployBody({ name }));
  await untilStatus(berth, id, 'Active');
  // It is shown only while the VM is on.
  const ip = (await vmOf(berth, id))?.publicIp ?? '';
  if (!on) await changed(berth, name, { autoreboot_on: false, power_on: false });
  return { id: toId('instance', id), name, ip };
}

/** The calls of a user who sees this VM of the first account and nothing else, and may change nothing. */
export async function watcherOf(berth: TestBerth, database: Database, { name }: Machine): Promise<Call> {
  const user = await addUser(berth, 'default');
  const who = database.selectFrom('user').where('username', '=', user.username).select('id');
  await database.deleteFrom('privilege').where('user_id', 'in', who).execute();
  await grant(berth, user.username, 'vm_console', { account: 'default', group: 'default', vm: name });
  return callsOf(berth, await tokenOf(berth, user));
}
