// For each command that asks a server, a way to call it that succeeds: its arguments, given a Berth with something of everything in it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleOrphan, sampleOwnImage, samplesOff, toId } from '../../src/api/native/id.ts';
import { totpCode } from '../../src/model/totp.ts';
import { addUser, tokenOf } from '../api/bytemark/identity.ts';
import { letSlots, type Machine } from '../api/hiveon/support.ts';
import type { World } from '../api/native/world.ts';
import { keys } from '../api/support.ts';
import { callApi, until } from '../support/berth.ts';
import { Person } from './support.ts';

/** How a command is called. */
export interface Case {
  args(world: World, person: Person): Promise<string[]>;
  isForOperators?: boolean;
  /** Who calls it, each time anew, where that is neither the world's customer nor its operator. */
  person?(world: World): Promise<Person>;
  /** What comes on standard input. */
  input?(person: Person): string;
}

const none: Case = { args: async () => [] };
const of = (args: Case['args']): Case => ({ args });
const byOperator = (args: Case['args']): Case => ({ args, isForOperators: true });
const byUser = (args: Case['args']): Case => ({ args, person: user });
let made = 0;

/** What is known of users who were made for a case. */
const secrets = new WeakMap<Person, { password: string; secret?: string }>();

/** A fresh user, logged in. */
async function user({ berth }: World): Promise<Person> {
  const one = await addUser(berth, 'default');
  const person = new Person({ url: berth.url, apiKey: await tokenOf(berth, one) });
  secrets.set(person, { password: one.password });
  return person;
}

/** A code of a user's app, which they have begun to set up. @param ahead so many steps later: each code is taken once */
async function code(person: Person, ahead = 0): Promise<string> {
  const known = secrets.get(person);
  if (!known) throw new Error('Nothing is known of this one.');
  if (!known.secret) {
    const { out } = await person.run(['second-factor', 'add', '--json'], { input: known.password });
    known.secret = (JSON.parse(out) as { secret: string }).secret;
  }
  return totpCode(known.secret, new Date(Date.now() + ahead * 30_000));
}

/** The name of the host that has an agent. */
async function host({ berth, operator }: World): Promise<string> {
  const path = '/berth/v1/hosts?limit=200';
  const { body } = await callApi<{ items: { name: string; machine: object | null }[] }>(
    ...([berth.url, operator, 'GET', path] as const),
  );
  return body.items.find(({ machine }) => machine !== null)?.name ?? '';
}

/** A size that is not on sale yet. */
function newSize(): string {
  made += 1;
  return `cpu-3-ram-3gb-storage-${made}gb`;
}

/** The name of a VM that runs. */
async function vm(world: World): Promise<string> {
  return nameOf(world, await world.make('instance'));
}

/** The name of one that is off. */
async function vmOff(world: World): Promise<string> {
  return nameOf(world, await world.make('instance', samplesOff[0]));
}

async function nameOf({ berth }: World, id: string): Promise<string> {
  return (await berth.call<{ name: string }>('GET', `/berth/v1/instances/${id}`)).body.name;
}

/** One that is deleted and can be brought back. */
async function vmDeleted(world: World): Promise<string> {
  const id = await world.make('instance');
  await world.berth.call('DELETE', `/berth/v1/instances/${id}`);
  await until(`${id} is deleted`, async () => {
    const { body } = await world.berth.call<{ status: string }>('GET', `/berth/v1/instances/${id}`);
    return body.status === 'soft-deleted';
  });
  return nameOf(world, id);
}

/** The file of a public key that is registered nowhere yet. */
function keyFile(person: Person): string {
  made += 1;
  const [type, text = ''] = keys.ed25519.split(' ');
  const blob = Buffer.from(text, 'base64');
  blob.writeUInt32BE(0xc0_00_00_00 + made, blob.length - 4);
  const file = join(person.home, `key-${made}.pub`);
  writeFileSync(file, `${type} ${blob.toString('base64')} ann@laptop\n`);
  return file;
}

/** Slots that were let for containers, as they are used up. */
let machines: Machine[] | null = null;

async function freeSlot({ berth }: World): Promise<string[]> {
  machines ??= await letSlots(berth, 20);
  const machine = machines.pop();
  const price = machine?.machine_prices.find(({ unit }) => unit === 'HOUR');
  if (!machine || !price) throw new Error('There are no slots left for the cases.');
  return ['--slot', toId('slot', machine.machine_id), '--slot-price', toId('slotPrice', price.id)];
}

/** The name of a container that runs. */
async function container(world: World, person: Person): Promise<string> {
  const name = newName('ct');
  await person.text('ct', 'create', name, '--image', 'nginx:latest', ...(await freeSlot(world)), '--wait');
  return name;
}

function newName(what: string): string {
  made += 1;
  return `${what}-${made}`;
}

/** By the words of the command. */
export const cases: Record<string, Case> = {
  me: none,
  'vm list': of(async (world) => {
    await world.make('instance');
    return [];
  }),
  'vm count': none,
  'vm show': of(async (world) => [await vm(world)]),
  'vm create': of(async (_, person) => [
    ...[newName('made'), '--image', 'micro', '--vcpus', '1', '--memory', '1GiB', '--disk', '5GiB'],
    ...['--ssh-key', keyFile(person), '--open', '80/tcp,53/udp'],
  ]),
  'vm start': of(async (world) => [await vmOff(world), '--wait']),
  'vm stop': of(async (world) => [await vm(world), '--wait']),
  'vm shutdown': of(async (world) => [await vm(world)]),
  'vm restart': of(async (world) => [await vm(world)]),
  'vm reset': of(async (world) => [await vm(world)]),
  'vm rename': of(async (world) => [await vm(world), newName('renamed')]),
  'vm set': of(async (world) => [await vmOff(world), '--vcpus', '2', '--memory', '2GiB', '--autoreboot']),
  'vm ports list': of(async (world) => [await vm(world)]),
  'vm ports open': of(async (world) => [await vm(world), '8080', '53/udp']),
  'vm ports close': of(async (world) => [await vm(world), '80/tcp']),
  'vm ports set': of(async (world) => [await vm(world), '443']),
  'vm keys': of(async (world) => [await vm(world), 'ctrl', 'alt']),
  'vm delete': of(async (world) => [await vm(world), '--yes']),
  'vm undelete': of(async (world) => [await vmDeleted(world)]),
  'vm purge': of(async (world) => [await vmDeleted(world), '--yes']),
  'vm reimage': of(async (world, person) => [
    ...[await vmOff(world), '--image', 'micro', '--ssh-key', keyFile(person), '--yes'],
  ]),
  'vm logs': of(async (world) => [await vm(world)]),
  'vm metrics': of(async (world) => [await vm(world)]),
  'ct list': of(async (world, person) => {
    await container(world, person);
    return [];
  }),
  'ct show': of(async (world, person) => [await container(world, person)]),
  'ct create': of(async (world, person) => [
    ...[newName('ct'), '--image', 'nginx:latest', ...(await freeSlot(world)), '--env', 'A=b', '--open', '80/tcp'],
    ...['--ssh-key', keyFile(person), '--metadata', 'team=web', '--wait'],
  ]),
  'ct logs': of(async (world, person) => [await container(world, person), '--source', 'system']),
  'ct metrics': of(async (world, person) => [await container(world, person)]),
  'ct rename': of(async (world, person) => [await container(world, person), newName('ct')]),
  'ct delete': of(async (world, person) => [await container(world, person), '--yes', '--wait']),
  'offer list': none,
  'offer hardware': none,
  'offer countries': none,
  'offer explain': of(async () => ['--country', 'PL', '--max-price', '0.000001', '--count', '3']),
  'image list': none,
  'image show': of(async () => ['micro']),
  'image add': of(async () => [newName('img'), 'https://images.example.com/own.qcow2', '--sha256', 'a'.repeat(64)]),
  'image rename': of(async (world) => [await world.make('image', sampleOwnImage), newName('img')]),
  'image delete': of(async (world) => [await world.make('image', sampleOwnImage), '--yes']),
  'deployment list': of(async (world) => {
    await world.make('deployment');
    return [];
  }),
  'deployment show': of(async (world) => [await world.make('deployment')]),
  'deployment delete': of(async (world) => [await world.make('deployment'), '--yes']),
  'quote list': of(async (world) => {
    await world.make('quote');
    return [];
  }),
  'quote show': of(async (world) => [await world.make('quote')]),
  'quote create': of(async () => ['--size', 'cpu-1-ram-1gb', '--minutes', '1']),
  'quote delete': of(async (world) => [await world.make('quote'), '--yes']),
  'size list': none,
  'size show': of(async () => ['cpu-2-ram-4gb-storage-25gb']),
  'size capacity': none,
  'datacenter list': of(async (world) => {
    await world.make('datacenter');
    return [];
  }),
  'datacenter show': of(async (world) => [await world.make('datacenter')]),
  'ssh-key list': of(async (world) => {
    await world.make('sshKey');
    return [];
  }),
  'ssh-key show': of(async (world) => [await world.make('sshKey')]),
  'ssh-key add': of(async (_, person) => [keyFile(person), '--name', newName('laptop')]),
  'ssh-key delete': of(async (world) => [await world.make('sshKey'), '--yes']),
  'group list': none,
  'group show': of(async () => ['default']),
  'group create': of(async () => [newName('group')]),
  'group rename': of(async (world) => [await world.make('group'), newName('group')]),
  'group delete': of(async (world) => [await world.make('group'), '--yes']),
  'disk list': of(async (world) => ['--vm', await vm(world)]),
  'disk show': of(async (world) => [`${await vm(world)}/disc-1`]),
  'disk add': of(async (world) => [await vm(world), '1GiB', '--label', 'data', '--grade', 'sata']),
  'disk grow': of(async (world) => [`${await vm(world)}/disc-1`, '40GiB']),
  'disk rename': of(async (world) => [await world.make('disk'), newName('label')]),
  'disk move': of(async (world) => [await world.make('disk'), await vmOff(world)]),
  'disk delete': of(async (world) => [await world.make('disk'), '--yes']),
  'backup list': of(async (world) => {
    await world.make('backup');
    return [];
  }),
  'backup show': of(async (world) => [await world.make('backup')]),
  'backup create': of(async (world) => [await vm(world)]),
  'backup restore': of(async (world) => [await world.make('backup'), '--yes']),
  'backup delete': of(async (world) => [await world.make('backup'), '--yes']),
  'schedule list': of(async (world) => {
    await world.make('backupSchedule');
    return [];
  }),
  'schedule show': of(async (world) => [await world.make('backupSchedule')]),
  'schedule create': of(async (world) => [await vm(world), '--every', '6h', '--at', '03:30', '--keep', '7']),
  'schedule delete': of(async (world) => [await world.make('backupSchedule'), '--yes']),
  'address list': of(async (world) => ['--vm', await vm(world)]),
  'address show': of(async (world) => [await world.makeAddress()]),
  'address add': of(async (world) => [await vm(world), '--count', '2', '--reason', 'a certificate each']),
  'address name': of(async (world) => [await world.makeAddress(), 'www.example.com']),
  'address swap': of(async (world) => [await vmOff(world), await vmOff(world), '--additional']),
  'address release': of(async (world) => [await world.makeAddress(), '--yes']),
  'api-key list': none,
  'api-key show': of(async (world) => [await world.make('apiKey')]),
  'api-key create': of(async () => [newName('ci'), '--expires', '90d', '--read-only']),
  'api-key revoke': of(async (world) => [await world.make('apiKey'), '--yes']),
  'webhook list': of(async (world) => {
    await world.make('webhook');
    return [];
  }),
  'webhook show': of(async (world) => [await world.make('webhook')]),
  'webhook create': of(async () => ['https://hooks.example.com/berth', '--on', 'instance.failed,instance.active']),
  'webhook set': of(async (world) => [await world.make('webhook'), '--disable']),
  'webhook deliveries': of(async (world) => [await world.make('webhook')]),
  'webhook resend': of(async (world) => [await world.make('webhook'), await world.make('delivery')]),
  'webhook delete': of(async (world) => [await world.make('webhook'), '--yes']),
  'event list': of(async (world) => ['--instance', await vm(world)]),
  'operation list': of(async (world) => {
    await world.make('operation');
    return [];
  }),
  'operation show': of(async (world) => [await world.make('operation')]),
  'operation wait': of(async (world) => [await world.make('operation')]),
  'account list': none,
  'account show': of(async () => ['default']),
  balance: none,
  statement: of(async () => ['--from', '2026-01-01']),
  spend: of(async () => ['--from', '2026-01-01']),
  'transaction list': none,
  'slot list': of(async (world) => {
    await freeSlot(world);
    return [];
  }),
  'slot show': of(async (world) => [await world.make('slot')]),
  'account create': byOperator(async () => [newName('account')]),
  'account credit': byOperator(async () => ['default', '5', '--reason', 'a test']),
  'account debit': byOperator(async () => ['default', '1', '--reason', 'a test']),
  'account delete': byOperator(async (_, person) => {
    const name = newName('account');
    await person.text('account', 'create', name);
    return [name, '--yes'];
  }),
  'datacenter create': byOperator(async () => {
    const name = newName('de-ber');
    return [name, '--country', 'DE', '--city', 'BER', '--index', String(made), '--tier', '3'];
  }),
  'datacenter set': byOperator(async (world) => [await world.make('datacenter'), '--tier', '2']),
  'datacenter delete': byOperator(async (world) => [await world.make('datacenter'), '--yes']),
  'size create': byOperator(async () => [newSize()]),
  'size delete': byOperator(async (_, person) => {
    const slug = newSize();
    await person.text('size', 'create', slug);
    return [slug, '--yes'];
  }),
  'slot create': byOperator(async (world) => [
    ...[await host(world), newName('slot'), '--vcpus', '1', '--memory', '1GiB', '--storage', '1GiB', '--hour', '0.1'],
  ]),
  'slot price': byOperator(async (world) => [await world.make('slot'), '--epoch', '1']),
  'slot open': byOperator(async (world) => [await world.make('slot')]),
  'slot close': byOperator(async (world) => [await world.make('slot')]),
  'slot delete': byOperator(async (world) => [await world.make('slot'), '--yes']),
  'session list': byUser(async () => []),
  'session show': byUser(async (_, person) => {
    const { items } = await person.json<{ items: { id: string }[] }>('session', 'list');
    return [items[0]?.id ?? ''];
  }),
  'session end': byUser(async (_, person) => {
    const { items } = await person.json<{ items: { id: string }[] }>('session', 'list');
    return [items.at(-1)?.id ?? '', '--yes'];
  }),
  'session impersonate': byOperator(async (world) => [await world.make('user'), '--save', newName('as')]),
  'second-factor add': { ...byUser(async () => []), input: (person) => secrets.get(person)?.password ?? '' },
  'second-factor confirm': byUser(async (_, person) => [await code(person)]),
  'second-factor remove': byUser(async (_, person) => {
    await person.text('second-factor', 'confirm', await code(person));
    return ['--code', await code(person, 1)];
  }),
  'user list': byOperator(async () => []),
  'user show': byOperator(async () => ['ann']),
  'user create': byOperator(async () => [newName('user'), '--email', 'ann@example.com', '--admin-of', 'default']),
  'user set': byOperator(async (world) => [await world.make('user'), '--email', 'ann@example.com']),
  'user delete': byOperator(async (world) => [await world.make('user'), '--yes']),
  'privilege list': byOperator(async (world) => {
    await world.make('privilege');
    return ['--user', 'ann'];
  }),
  'privilege show': byOperator(async (world) => [await world.make('privilege')]),
  'privilege grant': byOperator(async (world) => [
    ...[await world.make('user'), 'group_admin', '--group', await world.make('group'), '--second-factor'],
    ...['--from', '192.0.2.0/24,198.51.100.7'],
  ]),
  'privilege set': byOperator(async (world) => [await world.make('privilege'), '--second-factor', '--from', 'any']),
  'privilege revoke': byOperator(async (world) => [await world.make('privilege'), '--yes']),
  'host list': byOperator(async () => []),
  'host show': byOperator(async (world) => [await host(world)]),
  'host enrol': byOperator(async () => [newName('rack'), '--address-pool', `198.19.${made}.0/24`]),
  'host set': byOperator(async (world) => [
    ...[await world.make('host'), '--vcpu-overcommit', '4', '--cpu-manufacturer', 'AMD', '--extra-storage-max', '50'],
  ]),
  'host drain': byOperator(async (world) => [await world.make('host')]),
  'host undrain': byOperator(async (world) => [await world.make('host')]),
  'host retire': byOperator(async (world) => [await world.make('host'), '--yes']),
  'host instances': byOperator(async (world) => [await host(world)]),
  'host orphans': byOperator(async (world) => [await host(world)]),
  'host metrics': byOperator(async (world) => [await host(world)]),
  'host storage': byOperator(async (world) => [await host(world)]),
  'host pool list': byOperator(async (world) => [await host(world)]),
  'host pool show': byOperator(async (world, person) => {
    newName('pool');
    const [id, cidr] = [await world.make('host'), `198.19.${made}.0/24`];
    await person.text('host', 'pool', 'add', id, cidr);
    return [id, cidr];
  }),
  'host pool add': byOperator(async (world) => {
    newName('pool');
    return [await world.make('host'), `198.19.${made}.0/24`];
  }),
  'host pool remove': byOperator(async (world, person) => {
    newName('pool');
    const [id, cidr] = [await world.make('host'), `198.19.${made}.0/24`];
    await person.text('host', 'pool', 'add', id, cidr);
    return [id, cidr, '--yes'];
  }),
  'price list': byOperator(async () => []),
  'price show': byOperator(async (world) => [await world.make('price')]),
  'price create': byOperator(async (world) => [
    ...['--vcpu', '0.3', '--memory-gib', '0.02', '--storage-gib', '0.001', '--public-ip', '0.01', '--ssd-gib', '0.2'],
    ...['--host', await world.make('host')],
  ]),
  'price change': byOperator(async (world) => [await world.make('price'), '--vcpu', '0.41']),
  'ledger list': byOperator(async () => ['--kind', 'charge', '--limit', '3']),
  'ledger show': byOperator(async (world) => [await world.make('transaction')]),
  revenue: byOperator(async () => ['--by', 'account', '--per', 'week']),
  'orphan list': byOperator(async (world) => {
    await world.make('instance', sampleOrphan);
    return [];
  }),
  'orphan show': byOperator(async (world) => [await world.make('instance', sampleOrphan)]),
  'orphan delete': byOperator(async (world) => [await world.make('instance', sampleOrphan), '--yes']),
};
