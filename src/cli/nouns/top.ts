// `berth top`: instances, and for operators hosts, as they are now and as they become. Once where this is no terminal.

import { AccessError } from '../../../sdk/error.ts';
import type { Host, Instance } from '../../../sdk/generated/types.ts';
import { pause } from '../../../sdk/transport.ts';
import { type Desk, option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { instanceColumns } from '../instance.ts';
import { type Column, coloured, type Look, relative, tableOf } from '../table.ts';

interface Options {
  once?: boolean;
  every?: number;
}

const everySecondsDefault = 2;
/** More lines than any terminal has. */
const rowsMax = 200;
const rowsDefault = 24;
const barCells = 8;

/** A bar of how much of something is sold. */
function bar(sold: number, all: number): string {
  const share = all === 0 ? 0 : Math.min(1, sold / all);
  const full = Math.round(share * barCells);
  return `${'#'.repeat(full)}${'.'.repeat(barCells - full)} ${String(Math.round(share * 100)).padStart(3)}%`;
}

const stateTones = { open: 'good', drained: 'busy', retired: 'dim' } as const;

const hostColumns: readonly Column<Host>[] = [
  { title: 'host', cell: ({ name }) => name },
  {
    title: 'state',
    cell: ({ state, reachable }) =>
      reachable ? { text: state, tone: stateTones[state] } : { text: 'away', tone: 'bad' },
  },
  { title: 'vcpus', cell: ({ sold, capacity }) => bar(sold.vcpus, capacity.vcpus) },
  { title: 'memory', cell: ({ sold, capacity }) => bar(sold.memoryMib, capacity.memoryMib) },
  { title: 'storage', cell: ({ sold, capacity }) => bar(sold.diskGib, capacity.diskGib), rank: 1 },
  { title: 'inst', cell: ({ instances }) => instances, right: true },
  { title: 'seen', cell: ({ lastSeenAt }, look) => relative(lastSeenAt, look), rank: 2 },
];

interface Shown {
  instances: Instance[];
  hosts: Host[] | null;
}

/** What goes wrong comes first, then what changed last. */
const order: Readonly<Partial<Record<Instance['status'], number>>> = {
  failed: 0,
  terminated: 0,
  launching: 1,
  deleting: 1,
};
const byUrgency = (one: Instance, other: Instance) =>
  (order[one.status] ?? 2) - (order[other.status] ?? 2) || other.statusChangedAt.localeCompare(one.statusChangedAt);

async function look({ berth }: Desk, isOperator: boolean): Promise<Shown> {
  const [{ items }, hosts] = await Promise.all([
    berth.instances.list({ limit: rowsMax }).page(),
    isOperator ? berth.hosts.list({ limit: rowsMax }).page() : null,
  ]);
  return { instances: items.sort(byUrgency), hosts: hosts?.items ?? null };
}

function textOf({ instances, hosts }: Shown, url: string, lookNow: Look): string {
  const counts = new Map<string, number>();
  for (const { status } of instances) counts.set(status, (counts.get(status) ?? 0) + 1);
  const sums = [...counts].map(([status, count]) => `${count} ${status}`).join(', ') || 'no instances';
  const head = `${url}  ${lookNow.now.toISOString().slice(11, 19)}Z  ${sums}`;
  return [
    `${coloured(head.slice(0, Math.min(lookNow.columns, 10_000)), 'bold', lookNow)}\n`,
    ...(hosts ? ['\n', tableOf(hostColumns, hosts, lookNow)] : []),
    ...(instances.length > 0 ? ['\n', tableOf(instanceColumns, instances, lookNow)] : []),
  ].join('');
}

/** The `top` command. */
export const verb: Verb<Options> = {
  usage: 'top',
  description: 'show instances, and for operators hosts, as they are and as they change',
  detail: 'What has failed stands first, then what changed last. Ctrl-C ends it.',
  operation: null,
  examples: ['top', 'top --every 5', 'top --once'],
  options: [
    option('--every <SECONDS>', `how often; ${everySecondsDefault} unless given`, seconds),
    option('--once', 'show it once, as on no terminal'),
  ],
  async run(desk, _, { once, every = everySecondsDefault }) {
    const isOperator = await seesHosts(desk);
    const isLive = !once && !desk.json && desk.out.isTTY === true;
    if (!isLive) {
      const value = await look(desk, isOperator);
      return { value, text: (now) => textOf(value, desk.berth.url, now) };
    }
    desk.goesOn = '';
    // The other page of the terminal, without a cursor; what was there comes back.
    desk.out.write('\x1b[?1049h\x1b[?25l');
    const leave = () => desk.out.write('\x1b[?25h\x1b[?1049l');
    desk.signal.addEventListener('abort', leave, { once: true });
    try {
      for (;;) {
        const shown = await look(desk, isOperator);
        const columns = desk.out.columns ?? desk.look.columns;
        const text = textOf(shown, desk.berth.url, { ...desk.look, columns, now: new Date() });
        const lines = text.split('\n').slice(0, (desk.out.rows ?? rowsDefault) - 1);
        if (!desk.signal.aborted) desk.out.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
        await pause(every * 1000, desk.signal);
      }
    } finally {
      if (!desk.signal.aborted) leave();
    }
  },
};

function seconds(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= 3600) return value;
  throw new UsageError(`"${text}" is no number of seconds from 1 to 3600.`);
}

/** Whether the one who asks runs the installation. */
const seesHosts = ({ berth }: Desk): Promise<boolean> =>
  berth.hosts
    .list({ limit: 1 })
    .page()
    .then(
      () => true,
      (error: unknown) => {
        if (error instanceof AccessError && error.status === 403) return false;
        throw error;
      },
    );
