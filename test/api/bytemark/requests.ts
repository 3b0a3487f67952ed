// Generated requests of Bytemark's dialect: a right body for every operation that takes one, right words for what paths name, and
// what any answer has to be. Texts such as `@v0` stand for ids that are there when the request is sent.

import { Ajv } from 'ajv';
import fc from 'fast-check';
import { type Document, templateOf } from '../requests.ts';
import { keys } from '../support.ts';

/** What no log may hold: every root password that is sent has it in it. */
export const passwordMark = 'r00tpassw0rd';

const mostly = <Value>(right: fc.Arbitrary<Value>, wrong: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong });
const words = (...right: string[]) => fc.constantFrom(...right);
const part = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []) =>
  fc.record<Record<string, unknown>, string>(fields, { requiredKeys });
const optional = (right: fc.Arbitrary<unknown>) => fc.option(right, { freq: 6 });

/** Few enough that they meet each other. */
const vmName = mostly(fc.stringMatching(/^srv-[0-9]$/), words('ab', 'a.b', '12345', ''));
const groupName = mostly(
  fc.oneof(fc.stringMatching(/^group-[0-9]{2}$/), words('web', 'database', 'staging')),
  words('default', 'x', '', 'a b'),
);
const label = mostly(words('disc-1', 'disc-2', 'disc-3', 'root', 'my data'), words('', 'a/b', 'disc-1'));
const grade = mostly(words('sata', 'ssd', 'archive'), words('iceberg', 'gold'));
const size = mostly(fc.integer({ min: 50, max: 4_000 }), fc.constantFrom(49, 0, -1, 2 ** 40, '2000', '2e3'));
/** Discs don't shrink. */
const grown = mostly(fc.integer({ min: 4_000, max: 8_000 }), size);
const flag = mostly(fc.boolean(), fc.constantFrom('true', 'false', 0, 1, 'on'));
const cores = mostly(fc.integer({ min: 1, max: 4 }), fc.constantFrom(0, '2', 1.5, 10_000));
const memory = mostly(fc.constantFrom(1024, 2048), fc.constantFrom(1, 1025, '2048', 2 ** 40));
const seconds = mostly(fc.constantFrom(3_600, 86_400), fc.constantFrom(-1, 0, 'x'));
const schedule = part({
  start_at: mostly(
    words('00:00', '2027-04-05T14:37:00+02:00', '2027-09-13 16:35:00', '2026-11-21 00:00:00 UTC'),
    words('x', ''),
  ),
  interval_seconds: seconds,
  capacity: mostly(fc.integer({ min: 0, max: 3 }), fc.constantFrom(-1, 1_000)),
});
const disc = part(
  { label, size, storage_grade: grade, backup_schedules: optional(fc.array(schedule, { maxLength: 2 })) },
  ['size'],
);
const cdrom = mostly(words(''), words('http://10.0.0.1/x.iso', 'ftp://example.com/x.iso', 'x'));
const machine = {
  cores,
  memory,
  power_on: flag,
  autoreboot_on: flag,
  hardware_profile: mostly(words('virtio2013', 'compatibility2013'), words('virtio2099')),
  hardware_profile_locked: flag,
  keymap: mostly(fc.constantFrom<unknown>('en-gb', null), words('klingon')),
};
const reimage = part(
  {
    distribution: mostly(words('micro', 'debian-12-x64'), words('', 'symbiosis')),
    root_password: mostly(words(passwordMark, `${passwordMark} 2`), words('', `${passwordMark}\n`)),
    ssh_public_key: mostly(fc.constantFrom<string>('', ...Object.values(keys)), words('not a key')),
    firstboot_script: words('', '#!/bin/sh\ntrue'),
  },
  ['distribution'],
);
const privilege = part(
  {
    level: mostly(words('vm_console', 'vm_admin', 'group_admin', 'account_admin'), words('cluster_admin', 'king')),
    virtual_machine_id: words('@v0', '@v1', ''),
    group_id: words('@g0', ''),
    account_id: words('default', ''),
    username: words('@u0', '@u1'),
    password_required: flag,
  },
  ['level', 'username'],
);
const usage = part({
  usage_strategy: mostly(fc.constantFrom<unknown>(null, '', 'drain'), words('fill')),
  overcommit_ratio: mostly(fc.constant(100), fc.constantFrom(5, 'x', 1e9)),
});

const createIps = part({
  addresses: mostly(fc.constant(1), fc.constantFrom(0, 5, 'x')),
  family: mostly(words('ipv4'), words('ipv6')),
  reason: words('test', ''),
  contiguous: mostly(fc.constant(false), fc.constant(true)),
});

/** Right bodies by the operation's id. */
export const bodies: Record<string, fc.Arbitrary<unknown>> = {
  createVirtualMachine: part(
    {
      virtual_machine: part(
        { name: vmName, cdrom_url: optional(cdrom), zone_name: mostly(fc.constant(null), words('york')), ...machine },
        ['name'],
      ),
      discs: mostly(fc.array(disc, { minLength: 1, maxLength: 3 }), fc.constant([])),
      reimage: optional(reimage),
      // Nobody may choose here, where no group has ranges of its own.
      ips: mostly(part({ ipv4: words(''), ipv6: words('') }), part({ ipv4: words('127.62.8.9', '::1') }, ['ipv4'])),
    },
    ['virtual_machine'],
  ),
  createBareVirtualMachine: part({ name: vmName, ...machine }, ['name']),
  updateVirtualMachine: part({
    ...machine,
    name: optional(vmName),
    group_id: optional(words('@g0', '@g1', 'x')),
    deleted: optional(flag),
    cdrom_url: optional(cdrom),
    appliance: optional(part({ name: words('rescue', 'x', ''), permanent: flag })),
  }),
  reimageVirtualMachine: reimage,
  signalVirtualMachine: part(
    { signal: mostly(words('reset', 'powerdown', 'sendkey'), words('', 'jump')), data: words('ret', 'x-y') },
    ['signal'],
  ),
  createVmDefault: part({
    name: groupName,
    public: flag,
    account_id: optional(fc.constant(1)),
    server_settings: fc.constant({}),
  }),
  createDisc: disc,
  updateDisc: part({
    size: grown,
    label: optional(label),
    iops_limit: mostly(fc.constant(null), size),
    virtual_machine_id: fc.option(words('@v0', '@w0', '@w1'), { freq: 2 }),
  }),
  updateDiscByNumber: part({ size: grown, iops_limit: mostly(fc.constant(null), size) }),
  restoreBackup: part({ restore: flag }),
  createBackupSchedule: schedule,
  createIps,
  createIpsByNumber: createIps,
  updateIp: part({ rdns: mostly(words('host.example.com', ''), words('-x-', 'a b')) }),
  swapIps: part({
    virtual_machine_1_id: words('@v0', '@w0', '@w1'),
    virtual_machine_2_id: words('@v2', '@w2', '@w3'),
    move_additional_ips: flag,
  }),
  createGroup: part({ name: groupName }),
  updateGroup: part({ name: groupName }),
  createAccount: part({ name: mostly(words('acct-1', 'acct-2', 'acct-3'), words('default', 'x')) }),
  createGroupWithVlan: part({
    account_spec: words('default', 'acct-1', ''),
    group_name: groupName,
    vlan_num: optional(fc.constantFrom<unknown>(77, 0, 2 ** 24, 'x')),
  }),
  updateHead: usage,
  updateTail: usage,
  updateStoragePool: usage,
  createIpRange: part({
    ip_range: words('10.99.0.0/28', '10.99.1.0/28', 'fd00:99::/120', 'x'),
    vlan_num: optional(words('77', 'x')),
  }),
  grantPrivilege: privilege,
  createPrivilege: privilege,
  updatePrivilege: part({
    yubikey_required: flag,
    yubikey_otp_max_age: optional(seconds),
    ip_restrictions: optional(words('127.0.0.1', 'x')),
  }),
  createApiKey: part({
    user_id: words('@u0', '@u1', 'nobody'),
    label: words('key', ''),
    expires_at: optional(words('2030-01-01', 'x')),
  }),
  updateUser: part({ authorized_keys: mostly(fc.constantFrom<string>('', ...Object.values(keys)), words('x')) }),
  createClusterUser: part({
    username: fc.stringMatching(/^op-[0-9]$/),
    priv_spec: words('cluster_admin', 'cluster_su', 'x'),
  }),
  createSession: part({ username: words('@u0', 'nobody'), password: words('wrong', '') }),
};

/** What stands in the place of an account that may be closed. */
export const anyAccount = words('default', 'acct-1', 'acct-2', 'acct-3', 'nobody');

/** What stands in the place of a path's parameters, by their names. */
export const places: Record<string, fc.Arbitrary<string>> = {
  account: mostly(words('default', '1'), words('acct-1', 'nobody', '999', '%00')) as fc.Arbitrary<string>,
  group: mostly(
    words('default', '@g0', '@g1', 'web', 'database', 'staging'),
    words('group-04', '999', 'x+y'),
  ) as fc.Arbitrary<string>,
  vm: mostly(
    words('@v0', '@v1', '@v2', '@v3', '@w0', '@w1', 'srv-0', 'srv-1'),
    words('srv-9', '0', '%00', 'a%2Fb'),
  ) as fc.Arbitrary<string>,
  disc: mostly(words('@d0', '@d1', '@o0', '@o1', 'disc-1', 'root'), words('my+data', '0', 'x')) as fc.Arbitrary<string>,
  nic: mostly(words('@v0', '@v1'), words('0', 'x')) as fc.Arbitrary<string>,
  backup: mostly(words('@b0', '@b1'), words('x', '0')) as fc.Arbitrary<string>,
  schedule: mostly(words('@s0', '@s1'), words('x', '0')) as fc.Arbitrary<string>,
  ip: mostly(words('@a0', '@a1', '@x0', '@x0'), words('127.0.0.1', 'x', '::1')) as fc.Arbitrary<string>,
  user: mostly(words('@u0', '@u1', '@u2'), words('nobody', '0')) as fc.Arbitrary<string>,
  privilege: mostly(words('@p0', '@p1'), words('x', '0')) as fc.Arbitrary<string>,
  key: mostly(words('@k0', '@k1'), words('x', '0')) as fc.Arbitrary<string>,
  token: words('none', '%00', '@t0'),
  ref: mostly(words('1', '@h0'), words('0', 'x')) as fc.Arbitrary<string>,
  vlan: words('1', '@l0', '77', '0', 'x'),
  id: words('@r0', '0', 'x'),
};

/** The statuses that clients know. */
const known = new Set([200, 202, 204, 400, 401, 403, 404, 503]);
const ajv = new Ajv({ strict: false });

/** What is wrong with an answer to a request, or null. */
export function faultOfAnswer(
  document: Document,
  sent: { method: string; path: string },
  { status, type, text }: { status: number; type: string | undefined; text: string },
): string | null {
  const template = templateOf(document, sent.path) ?? '';
  const operation = document.paths[template]?.[sent.method.toLowerCase()];
  // Without `purge=true` a disc is kept, and the contract's answer to that is 500.
  const isKept = status === 500 && sent.method === 'DELETE' && /\/discs\/\{disc\}$/.test(template);
  if (isKept) return sent.path.includes('purge=true') ? 'a server error' : null;
  if (!known.has(status)) return 'a status that clients do not know';
  if (sent.method === 'HEAD') return null;
  const documented = operation?.responses[status];
  if (operation && !documented) return 'a status that is not documented';
  if (status === 204) return text === '' ? null : '204 with a body';
  // Refusals of a login are sentences, and its token is bare.
  if (type?.startsWith('text/plain')) return template.startsWith('/session') ? null : 'bare text';
  if (!type?.startsWith('application/json')) return `not JSON but ${type}`;
  const body: unknown = JSON.parse(text);
  if (status === 400) return areFaults(body) ? null : 'faults that clients can not read';
  if (status > 400) {
    const { error, ...rest } = body as { error?: unknown };
    return typeof error === 'string' && error !== '' && Object.keys(rest).length === 0
      ? null
      : 'an error of another shape';
  }
  if (!documented) return 'an answer where nothing is documented';
  const schema = documented.content?.['application/json']?.schema;
  return !schema || ajv.validate(schema, body) ? null : `not the documented shape: ${ajv.errorsText()}`;
}

const isList = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

/** A flat object of sentences; for discs alone a list of such objects. */
function areFaults(body: unknown): boolean {
  if (body === null || typeof body !== 'object' || Object.keys(body).length === 0) return false;
  return Object.entries(body).every(([field, value]) => {
    if (field !== 'discs') return isList(value) || typeof value === 'string';
    return Array.isArray(value) && value.every((one) => typeof one === 'object' && Object.values(one).every(isList));
  });
}
