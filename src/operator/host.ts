// `berth local host`: looking at hosts, enrolling them, and whether they take instances. Their terms are set in host-set.ts.

import type { Command } from 'commander';
import { enrolHost, type HostRow, listHosts, setHostState, showHost } from '../app/host-terms.ts';
import { listOrphans } from '../app/orphan.ts';
import { revenueBy } from '../app/revenue.ts';
import type { HostState } from '../model/host.ts';
import { formatUsd } from '../model/money.ts';
import { networkModeSummary } from '../model/network.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { addHostSet } from './host-set.ts';
import { collect } from './parse.ts';
import { addPoolCommands } from './pool.ts';
import { type RateOptions, rateFields, ratesOf, shownRates, withRates } from './price.ts';
import { ago, facts, table } from './print.ts';
import { type SpanOptions, spanOf, withSpan } from './span.ts';

/** The `host` command. */
export function hostCommand(ground: Ground): Command {
  const command = group('host', 'machines that run instances');
  addCommand(command, ground, 'list', 'show all hosts', plain, async (context) => {
    const hosts = await listHosts(context);
    const now = context.clock.now();
    const heading = [
      'host',
      'state',
      'reach',
      'seen',
      'datacenter',
      'vms',
      'vcpus',
      'memory gib',
      'storage gib',
      'cpu',
    ];
    const rows = hosts.map((host) => [
      ...[host.name, host.state, host.reachable ? 'yes' : 'no', ago(host.lastSeenAt, now), host.datacenter ?? ''],
      ...[String(host.instances), ...usage(host), cpuOf(host)],
    ]);
    return { value: { hosts: hosts.map(toValue) }, text: table(heading, rows) };
  });
  addCommand(command, ground, 'show <NAME>', 'show all of one host', plain, async (context, [name = '']) => {
    const { pools, ...host } = await showHost(context, name);
    const [vcpus = '', memory = '', storage = ''] = usage(host);
    const { overcommit, hardware } = host;
    const rates = shownRates(host.rates);
    const text = facts([
      ['host', host.name],
      ['id', host.id],
      ['state', host.state],
      ['reachable', host.reachable ? 'yes' : 'no'],
      ['last seen', ago(host.lastSeenAt, context.clock.now())],
      ['datacenter', host.datacenter ?? ''],
      ['instances', String(host.instances)],
      ['orphans', String(host.orphans)],
      ['vCPUs sold', `${vcpus} (overcommit ${overcommit.cpu})`],
      ['memory sold', `${memory} GiB (overcommit ${overcommit.memory})`],
      ['storage sold', `${storage} GiB (overcommit ${overcommit.disk})`],
      [
        'additional storage',
        host.additionalDiskGibMax === null ? 'no limit' : `at most ${host.additionalDiskGibMax} GiB a VM`,
      ],
      ['network', networkModeSummary[host.network]],
      ['processor', cpuOf(host)],
      ['memory', [hardware.memory?.type, hardware.memory?.generation].filter(Boolean).join('')],
      ['storage', hardware.storage?.type ?? ''],
      ['stated by you', JSON.stringify(host.hardwareOverrides)],
      ['price of a vCPU', `${rates.vcpu} USD an epoch`],
      ['of a GiB of memory', rates.memoryGib],
      ['of a GiB of storage', rates.storageGib],
      ...Object.entries(rates.gradeGib).map(([grade, rate]) => [`of a GiB of ${grade}`, rate] as const),
      ['of an address', rates.publicIp],
      ...pools.map(({ cidr, used, size }) => ['addresses', `${cidr} (${used} of ${size} in use)`] as const),
    ]);
    return { value: { ...toValue(host), pools }, text };
  });
  addEnrol(command, ground);
  addHostSet(command, ground);
  addPoolCommands(command, ground);
  const states: [verb: string, state: HostState, description: string][] = [
    ['open', 'open', 'let a host take new instances'],
    ['drain', 'drained', 'let a host take no new instances; those it has stay'],
    ['retire', 'retired', 'take a host without instances out of the market; "open" brings it back'],
  ];
  for (const [verb, state, description] of states) {
    addCommand(command, ground, `${verb} <NAME>`, description, plain, async (context, [name = '']) => {
      const changed = await setHostState(context, name, state);
      return { value: { name, state, changed }, text: `Host ${name} is ${state}${changed ? '' : ' already'}.\n` };
    });
  }
  addCommand(
    command,
    ground,
    'orphans <NAME>',
    'show what a host has and nobody owns',
    plain,
    async (context, [name = '']) => {
      const orphans = await listOrphans(context, { hostId: (await showHost(context, name)).id });
      const rows = orphans.map(({ instanceId, state, address, vcpus, memoryMib, diskGib, seenAt }) => [
        ...[instanceId, state, address ?? '', String(vcpus), `${memoryMib} MiB`, `${diskGib} GiB`],
        ago(seenAt, context.clock.now()),
      ]);
      const heading = ['instance', 'state', 'address', 'vcpus', 'memory', 'storage', 'seen'];
      return { value: { orphans }, text: rows.length === 0 ? 'There are none.\n' : table(heading, rows) };
    },
  );
  addCommand<SpanOptions>(
    command,
    ground,
    'revenue',
    'show what each host has earned',
    withSpan,
    async (context, _, options) => {
      const earned = await revenueBy(context, spanOf(options, context.clock.now()), 'host');
      const hosts = earned.map(({ id, name, revenue }) => ({
        id,
        name: name ?? '',
        revenue: formatUsd(revenue),
      }));
      const total = formatUsd(earned.reduce((sum, { revenue }) => sum + revenue, 0n));
      const rows = [...hosts.map(({ name, revenue }) => [name, revenue]), ['all', total]];
      return { value: { hosts, total }, text: table(['host', 'revenue usd'], rows) };
    },
  );
  return command;
}

interface EnrolOptions extends RateOptions {
  datacenter?: string;
  priceOf?: string;
  addressPool?: string[];
  server: string;
}

function addEnrol(command: Command, ground: Ground): void {
  addCommand<EnrolOptions>(
    command,
    ground,
    'enrol <NAME>',
    'make a one-time token that makes a machine this host; a new host begins with these terms',
    (own) =>
      withRates(own)
        .option('--datacenter <SLUG>', 'where it stands')
        .option('--price-of <HOST>', "begin with another host's rates instead of the settings'")
        .option('--address-pool <CIDR>', 'addresses for its instances; may be given more than once', collect)
        .option('--server <URL>', 'under which the machine reaches the server', 'https://YOUR-SERVER'),
    async (context, [name = ''], options) => {
      const { datacenter, priceOf, addressPool: pools = [], server } = options;
      const given = { name, datacenter, priceOf, rates: ratesOf(options), pools };
      const fields = { ...rateFields, name: 'the name', pools: '--address-pool' };
      const { hostId, isNew, token } = await enrolHost(context, given, fields);
      const start = `berth agent --server ${server} --token ${token}`;
      const needsPool = isNew && pools.length === 0;
      const text = [
        `Host ${name} is ${isNew ? 'new' : 'there'}. Start its agent within an hour, on the machine, by`,
        `\n  ${start}\n`,
        ...(needsPool ? [`It takes no instances before it has addresses: berth local host pool add ${name} CIDR`] : []),
      ];
      return { value: { hostId, name, isNew, token, command: start }, text: `${text.join('\n')}\n` };
    },
  );
}

/** A host for programs. */
const toValue = ({ rates, inventory, ...host }: HostRow) => ({ ...host, rates: shownRates(rates) });

const gib = (mib: number) => String(Math.floor(mib / 1024));

/** What is sold of what there is to sell: vCPUs, memory and storage. */
const usage = ({ used, limit }: HostRow): string[] => [
  `${used.vcpus}/${limit.vcpus}`,
  `${gib(used.memoryMib)}/${gib(limit.memoryMib)}`,
  `${used.diskGib}/${limit.diskGib}`,
];

function cpuOf({ hardware: { cpu } }: HostRow): string {
  const named = [cpu?.manufacturer, cpu?.brand, cpu?.architecture, cpu?.generation].filter(Boolean).join(' ');
  return named || (cpu?.model ?? '');
}
