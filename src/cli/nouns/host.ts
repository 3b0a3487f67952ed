// `berth host`: machines that run instances, for operators. Their terms are set in host-set.ts.

import type { Host, HostInstance, Orphan, StoragePool } from '../../../sdk/generated/types.ts';
import { confirm } from '../ask.ts';
import { each, type Noun, option, type Verb } from '../command.ts';
import { find, hostKind } from '../find.ts';
import { type Cell, type Look, moment, relative, size } from '../table.ts';
import { actVerb, listVerb, showVerb, yesOption } from '../verbs.ts';
import { hostMetricsVerb } from './host-metrics.ts';
import { poolVerbs } from './host-pool.ts';
import { setVerb } from './host-set.ts';

const tones = { open: 'good', drained: 'busy', retired: 'dim' } as const;
const stateCell = ({ state, reachable }: Host): Cell =>
  reachable ? { text: state, tone: tones[state] } : { text: `${state}, away`, tone: 'bad' };

/** What is sold of what may be sold. */
const of = (sold: number, all: number, unit = '') => `${sold} of ${all}${unit}`;
const gib = (mib: number) => Math.floor(mib / 1024);

function sheet(host: Host, look: Look): [string, Cell][] {
  const { sold, capacity, rates, overcommit, hardware, machine } = host;
  const processor = [hardware?.cpuManufacturer, hardware?.cpuBrand, hardware?.cpuArchitecture, hardware?.cpuGeneration];
  return [
    ['host', host.name],
    ['id', host.id],
    ['state', stateCell(host)],
    ['last seen', relative(host.lastSeenAt, look) || 'never'],
    ['datacenter', host.datacenter],
    ['instances', host.instances],
    ['orphans', host.orphans],
    ['strays', host.strays.join(' ')],
    ['vCPUs sold', `${of(sold.vcpus, capacity.vcpus)} (overcommit ${overcommit.cpu})`],
    ['memory sold', `${of(gib(sold.memoryMib), gib(capacity.memoryMib), ' GiB')} (overcommit ${overcommit.memory})`],
    ['storage sold', `${of(sold.diskGib, capacity.diskGib, ' GiB')} (overcommit ${overcommit.disk})`],
    [
      'extra storage',
      host.additionalDiskGibMax === null ? 'no limit' : `at most ${host.additionalDiskGibMax} GiB each`,
    ],
    ['network', host.network],
    ['processor', processor.filter(Boolean).join(' ') || hardware?.cpuModel],
    ['memory', [hardware?.memoryType, hardware?.memoryGeneration].filter(Boolean).join('')],
    ['storage', hardware?.storageType],
    ['agent', machine && `${machine.agentVersion}, ${machine.hypervisor}, ${machine.acceleration}`],
    ['containers', machine?.containerEngine],
    ['price', host.price],
    ['a vCPU', `${rates.vcpu} USD an epoch`],
    ['a GiB of memory', rates.memoryGib],
    ['a GiB of storage', rates.storageGib],
    ['a GiB of ssd', rates.gradeGib.ssd],
    ['a GiB of archive', rates.gradeGib.archive],
    ['an address', rates.publicIp],
    ['since', moment(host.createdAt, look)],
  ];
}

/** Whether a host takes instances. */
const stateVerbs: readonly Verb[] = [
  ['drain', 'drainHost', 'let a host take no new instances; those it has stay', 'takes nothing new'] as const,
  ['undrain', 'undrainHost', 'let a host take new instances again', 'takes instances'] as const,
].map(([verb, operation, description, done]) =>
  actVerb({
    ...{
      usage: `${verb} <HOST>`,
      description,
      operation,
      examples: [`host ${verb} rack-1`, `host ${verb} rack-1 --json`],
    },
    async act(desk, [text = '']) {
      const { id, name } = await find(desk, hostKind, text);
      return { value: await desk.berth.hosts[verb](id), done: `Host ${name} ${done}.` };
    },
  }),
);

/** The `host` commands. */
export const noun: Noun = {
  groups: { pool: "addresses for a host's instances" },
  verbs: [
    listVerb({
      description: 'list the hosts, by their names',
      operation: 'listHosts',
      examples: ['host list', 'host list --state open --datacenter pl-poz-1'],
      options: [
        option('--state <STATE>', 'only in this one').choices(['open', 'drained', 'retired']),
        option('--datacenter <DATACENTER>', 'only there'),
      ],
      columns: [
        { title: 'host', cell: ({ name }: Host) => name },
        { title: 'state', cell: stateCell },
        { title: 'vcpus', cell: ({ sold, capacity }) => `${sold.vcpus}/${capacity.vcpus}`, right: true },
        {
          title: 'memory gib',
          cell: ({ sold, capacity }) => `${gib(sold.memoryMib)}/${gib(capacity.memoryMib)}`,
          right: true,
          rank: 1,
        },
        {
          title: 'storage gib',
          cell: ({ sold, capacity }) => `${sold.diskGib}/${capacity.diskGib}`,
          right: true,
          rank: 2,
        },
        { title: 'inst', cell: ({ instances }) => instances, right: true },
        { title: 'seen', cell: ({ lastSeenAt }, look) => relative(lastSeenAt, look) || 'never', rank: 3 },
      ],
      name: ({ name }) => name,
      none: 'There is no host. "berth host enrol --help" shows how to add one.',
      pages: ({ berth }, limit, { state, datacenter }: { state?: Host['state']; datacenter?: string }) =>
        berth.hosts.list({ state, datacenter, limit }),
    }),
    showVerb({
      usage: 'show <HOST>',
      description: 'show all of one host',
      operation: 'getHost',
      examples: ['host show rack-1', 'host show rack-1 --json'],
      find: (desk, text) => find(desk, hostKind, text),
      sheet,
    }),
    actVerb<{ datacenter?: string; price?: string; addressPool?: string[] }>({
      usage: 'enrol <NAME>',
      description: 'make a one-time token that makes a machine this host',
      detail: 'Terms are for a new host; one that is there keeps its own, and is enrolled again by its name alone.',
      operation: 'createEnrolmentToken',
      examples: ['host enrol rack-1 --datacenter pl-poz-1 --address-pool 203.0.113.0/26', 'host enrol rack-1'],
      options: [
        option('--datacenter <DATACENTER>', 'where it stands'),
        option('--price <ID>', 'a rate card of "berth price list"; the settings\' unless given'),
        option('--address-pool <CIDR>', 'addresses for its instances', each),
      ],
      async act({ berth }, [name = ''], { datacenter, price, addressPool: addressPools }) {
        const value = await berth.hosts.createEnrolmentToken({ name, datacenter, price, addressPools });
        const until = `Start its agent before ${value.expiresAt.slice(11, 16)}Z, on the machine, by`;
        return { value, done: `Host ${name} is ${value.added ? 'new' : 'there'}. ${until}\n\n  ${value.command}\n` };
      },
    }),
    setVerb,
    ...stateVerbs,
    actVerb<{ yes?: boolean }>({
      usage: 'retire <HOST>',
      description: 'take a host without instances out of the market; "undrain" brings it back',
      operation: 'retireHost',
      examples: ['host retire rack-3', 'host retire rack-3 --yes'],
      options: [yesOption()],
      async act(desk, [text = ''], { yes = false }) {
        const { id, name } = await find(desk, hostKind, text);
        await confirm(desk, yes, `Retire host ${name}?`);
        return { value: await desk.berth.hosts.retire(id), done: `Host ${name} is retired.` };
      },
    }),
    listVerb({
      usage: 'instances <HOST>',
      description: 'list what a host holds something of: what it was told, and what it last said',
      operation: 'listHostInstances',
      examples: ['host instances rack-1', 'host instances rack-1 --json'],
      columns: [
        { title: 'name', cell: ({ name }: HostInstance) => name },
        { title: 'kind', cell: ({ kind }) => kind, rank: 3 },
        { title: 'status', cell: ({ status }) => status },
        { title: 'told', cell: ({ desired }) => desired },
        { title: 'says', cell: ({ observed }) => observed },
        { title: 'restarts', cell: ({ restarts }) => restarts, right: true, rank: 2 },
        { title: 'instance', cell: ({ instance }) => instance, rank: 1 },
      ],
      none: 'It holds nothing.',
      pages: async (desk, limit, _, [text = '']) =>
        desk.berth.hosts.listInstances((await find(desk, hostKind, text)).id, { limit }),
    }),
    listVerb({
      usage: 'orphans <HOST>',
      description: 'list what a host has and nobody owns',
      operation: 'listOrphans',
      examples: ['host orphans rack-1', 'host orphans rack-1 --json'],
      columns: [
        { title: 'instance', cell: ({ instance }: Orphan) => instance },
        { title: 'state', cell: ({ state }) => state },
        { title: 'address', cell: ({ address }) => address, rank: 1 },
        { title: 'memory', cell: ({ memoryMib }) => size(memoryMib), right: true, rank: 2 },
        { title: 'seen', cell: ({ seenAt }, look) => relative(seenAt, look), rank: 3 },
      ],
      none: 'There are none.',
      pages: async (desk, limit, _, [text = '']) =>
        desk.berth.orphans.list({ limit, host: (await find(desk, hostKind, text)).id }),
    }),
    listVerb({
      usage: 'storage <HOST>',
      description: 'list where disks lie on a host',
      operation: 'listStoragePools',
      examples: ['host storage rack-1', 'host storage rack-1 --json'],
      columns: [
        { title: 'pool', cell: ({ label }: StoragePool) => label },
        { title: 'grades', cell: ({ grades }) => grades.join(' ') },
        { title: 'sold gib', cell: ({ soldGib, capacityGib }) => `${soldGib}/${capacityGib}`, right: true },
        { title: 'free gib', cell: ({ freeGib, sizeGib }) => `${freeGib}/${sizeGib}`, right: true },
        { title: 'disks', cell: ({ disks }) => disks, right: true, rank: 1 },
        { title: 'backups', cell: ({ backups }) => backups, right: true, rank: 2 },
      ],
      none: 'It has told of none.',
      pages: async (desk, limit, _, [text = '']) =>
        desk.berth.hosts.listStoragePools((await find(desk, hostKind, text)).id, { limit }),
    }),
    hostMetricsVerb,
    ...poolVerbs,
  ],
};
