// Bytemark's command-line client as the server sees it: its requests to the byte, headers included, and its reading of the
// answers, which gives up on a number in quotes where a shell script would not.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { isIP } from 'node:net';

/** How Go's decoder takes a value into the client's structures: null and what is missing are its zero values. */
export type Shape =
  | ('int' | 'text' | 'flag' | 'address')
  | { each: Shape }
  | { values: Shape }
  | { fields: Record<string, Shape> };

const list = (each: Shape): Shape => ({ each });
const object = (fields: Record<string, Shape>): Shape => ({ fields });

const disc = object({
  ...{ id: 'int', label: 'text', size: 'int', storage_grade: 'text', storage_pool: 'text', virtual_machine_id: 'int' },
  ...{ backup_count: 'int', backups_enabled: 'flag', resource_name: 'text' },
  backup_schedules: list(object({ id: 'int', start_at: 'text', interval_seconds: 'int', capacity: 'int' })),
});
const nic = object({
  ...{ id: 'int', label: 'text', mac: 'text', vlan_num: 'int', virtual_machine_id: 'int', ips: list('address') },
  extra_ips: { values: 'address' },
});
const vm = object({
  ...{ id: 'int', name: 'text', group_id: 'int', cores: 'int', memory: 'int', hostname: 'text', head: 'text' },
  ...{ autoreboot_on: 'flag', power_on: 'flag', deleted: 'flag', hardware_profile_locked: 'flag' },
  ...{ hardware_profile: 'text', cdrom_url: 'text', zone_name: 'text', management_address: 'address' },
  ...{ discs: list(disc), network_interfaces: list(nic) },
});
const group = object({ id: 'int', account_id: 'int', name: 'text', virtual_machines: list(vm) });
const account = object({ id: 'int', name: 'text', suspended: 'flag', groups: list(group) });
const user = object({ id: 'int', username: 'text', email: 'text', authorized_keys: 'text' });
const privilege = object({
  ...{ id: 'int', username: 'text', level: 'text', api_key_id: 'int', yubikey_otp_max_age: 'int' },
  ...{ account_id: 'int', account_name: 'text', group_id: 'int', group_name: 'text' },
  ...{ virtual_machine_id: 'int', virtual_machine_name: 'text', password_required: 'flag', yubikey_required: 'flag' },
});
const apiKey = object({
  ...{ id: 'int', user_id: 'int', username: 'text', label: 'text', api_key: 'text', expires_at: 'text' },
  privileges: list(privilege),
});
const backup = object({
  ...{ parent_disc_id: 'int', manual: 'flag', id: 'int', label: 'text', size: 'int', storage_grade: 'text' },
});
const person = object({ id: 'int', username: 'text', email: 'text' });
const definition = object({ id: 'text' });
const described: Shape = { values: 'text' };

/** The client's structures. */
export const shapes = {
  ...{ disc, vm, group, account, user, apiKey, backup },
  ...{ accounts: list(account), privileges: list(privilege), apiKeys: list(apiKey), backups: list(backup) },
  ...{
    vms: list(vm),
    definitions: list(definition),
    schedule: object({ id: 'int', start_at: 'text', interval_seconds: 'int' }),
  },
  ...{ created: object({ discs: list(disc) }), ips: object({ ips: list('text'), errors: 'text' }) },
  billingAccounts: list(object({ id: 'int', bigv_account_subscription: 'text', owner: person, tech: person })),
  session: object({ username: 'text', factors: list('text'), group_memberships: list('text') }),
} as const;

/** What the client reads of definitions, by their ids. */
export const definitionShapes: Record<string, Shape> = {
  ...{ distributions: list('text'), storage_grades: list('text'), zone_names: list('text') },
  ...{ hardware_profiles: list('text'), keymaps: list('text'), sendkeys: list('text') },
  ...{ distribution_descriptions: described, storage_grade_descriptions: described },
};

/** Holds a value to be what Go's decoder takes. */
export function assertDecodes(value: unknown, shape: Shape, at = 'the body'): void {
  if (value === null || value === undefined) return;
  if (typeof shape === 'object' && 'each' in shape) {
    assert.ok(Array.isArray(value), `${at} is no list: ${JSON.stringify(value)}`);
    for (const [index, item] of value.entries()) assertDecodes(item, shape.each, `${at}[${index}]`);
  } else if (typeof shape === 'object') {
    assert.ok(typeof value === 'object' && !Array.isArray(value), `${at} is no object: ${JSON.stringify(value)}`);
    const fields =
      'fields' in shape ? shape.fields : Object.fromEntries(Object.keys(value).map((name) => [name, shape.values]));
    for (const [name, field] of Object.entries(fields)) {
      assertDecodes((value as Record<string, unknown>)[name], field, `${at}.${name}`);
    }
  } else {
    const isRight = {
      int: Number.isInteger(value),
      text: typeof value === 'string',
      flag: typeof value === 'boolean',
      address: value === '' || (typeof value === 'string' && isIP(value) > 0),
    }[shape];
    assert.ok(isRight, `${at} is ${JSON.stringify(value)}, which is no ${shape}`);
  }
}

/** One request, and what the client needs of its answer. */
export interface Step {
  method: string;
  path: string;
  body?: string;
  status: number;
  shape?: Shape;
}

/** An answer. */
export interface Heard {
  status: number;
  text: string;
}

/** Sends exactly these bytes. */
export function send(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Heard> {
  const length: Record<string, string> = body === undefined ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** One run of the client: it looks at its session, and then sends what the command needs. */
export class GoClient {
  readonly #url: string;
  readonly #token: string;
  readonly #version: string;

  constructor(url: string, token: string, version = '4.0') {
    this.#url = url;
    this.#token = token;
    this.#version = version;
  }

  /** Looks at its session as each command does first. */
  async checkSession(): Promise<void> {
    const headers = { 'User-Agent': 'Go-http-client/1.1', Accept: 'application/json', 'Accept-Encoding': 'gzip' };
    const { status, text } = await send(this.#url, 'GET', `/session/${this.#token}`, headers);
    assert.equal(status, 200, text);
    assertDecodes(JSON.parse(text), shapes.session);
  }

  /** Sends one request and reads its answer. @returns the answer's body, parsed where it is JSON */
  async take(step: Step): Promise<unknown> {
    const { method, path, body, status, shape } = step;
    const headers = {
      ...{ 'User-Agent': `bytemark-client-${this.#version}`, Connection: 'close', Accept: 'application/json' },
      ...{ Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json', 'Accept-Encoding': 'gzip' },
    };
    const heard = await send(this.#url, method, path, headers, body);
    const about = `${method} ${path} ${body ?? ''}: ${heard.text}`;
    assert.equal(heard.status, status, about);
    if (!shape) return undefined;
    const value: unknown = JSON.parse(heard.text);
    assertDecodes(value, shape, about);
    return value;
  }
}
