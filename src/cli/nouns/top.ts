// `berth top`: instances, and for operators hosts, as they are now and as they become. Once where this is no terminal. It asks again
// every few seconds and needs no stream of events. What the keys do is in top-view.ts.

import { AccessError, type BerthError, ConnectionError, ForeignAnswerError, ServerError } from '../../../sdk/error.ts';
import type { Host, Instance } from '../../../sdk/generated/types.ts';
import { pause } from '../../../sdk/transport.ts';
import { type Desk, option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { instanceColumns } from '../instance.ts';
import { type Column, coloured, type Look, plainText, relative, tableOf } from '../table.ts';
import { keysOf, keyTexts, pressed, rowsOf, type Sort, sorts, type View } from '../top-view.ts';
import { readList } from '../verbs.ts';

interface Options {
  once?: boolean;
  every?: number;
  sort?: Sort;
  reverse?: boolean;
  filter?: string;
}

const everySecondsDefault = 2;
/** More than anybody looks through; the newest are left out. */
const rowsMax = 1_000;
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

interface Known {
  instances: Instance[];
  hosts: Host[] | null;
  /** Why it is not newer, where it could be. */
  away: string | null;
}

async function look({ berth, signal }: Desk, isOperator: boolean): Promise<Known> {
  const limit = 200;
  const [{ items }, hosts] = await Promise.all([
    readList(berth.instances.list({ limit }, { signal }), rowsMax),
    isOperator ? readList(berth.hosts.list({ limit }, { signal }), limit) : null,
  ]);
  return { instances: items, hosts: hosts?.items ?? null, away: null };
}

/** What is of the moment; the next look may be better. */
const isPassing = (error: unknown): error is BerthError =>
  error instanceof ConnectionError || error instanceof ForeignAnswerError || error instanceof ServerError;

function textOf({ instances, hosts, away }: Known, view: View, url: string, now: Look): string {
  const counts = new Map<string, number>();
  for (const { status } of instances) counts.set(status, (counts.get(status) ?? 0) + 1);
  const sums = [...counts].map(([status, count]) => `${count} ${status}`).join(', ') || 'no instances';
  const cutTo = (text: string) => [...text].slice(0, Math.min(now.columns, 10_000)).join('');
  const rows = rowsOf(instances, view);
  const shown = rows.slice(Math.min(view.from, Math.max(0, rows.length - 1)));
  return [
    `${coloured(cutTo(`${url}  ${now.now.toISOString().slice(11, 19)}Z  ${sums}`), 'bold', now)}\n`,
    ...(away === null ? [] : [`${coloured(cutTo(plainText(`Not news: ${away}`)), 'bad', now)}\n`]),
    ...(hosts ? ['\n', tableOf(hostColumns, hosts, now)] : []),
    ...(shown.length > 0 ? ['\n', tableOf(instanceColumns, shown, now)] : []),
  ].join('');
}

/** The last line: what is typed, or how it is seen and what the keys are. */
function footOf({ typing, filter, sort, reversed }: View, columns: number): string {
  if (typing) return `Filter: ${filter}_`;
  const seen = [`by ${sort}${reversed ? ', reversed' : ''}`, ...(filter ? [`only "${filter}"`] : [])].join(', ');
  // Keys that no longer fit are left out, rather than cut in two.
  return keyTexts.reduce((line, key, at) => {
    const longer = `${line}${at === 0 ? '  |  ' : '  '}${key}`;
    return longer.length > columns ? line : longer;
  }, seen);
}

/** The `top` command. */
export const verb: Verb<Options> = {
  usage: 'top',
  description: 'show instances, and for operators hosts, as they are and as they change',
  detail: `What has failed stands first, then what changed last. Keys: ${keyTexts.join('  ')}. Elsewhere than on a terminal it is shown once.`,
  operation: null,
  examples: ['top', 'top --every 5 --sort price', 'top --once --filter failed'],
  options: [
    option('--every <SECONDS>', `how often, in seconds; ${everySecondsDefault} unless given`, seconds),
    option('--sort <BY>', `in order of what; ${sorts[0]} unless given`).choices([...sorts]),
    option('--reverse', 'the other way round'),
    option('--filter <TEXT>', 'only those with this in their name, status or address'),
    option('--once', 'show it once, as on no terminal'),
  ],
  async run(desk, _, { once, every = everySecondsDefault, sort = 'urgency', reverse = false, filter = '' }) {
    const isOperator = await seesHosts(desk);
    const view: View = { sort, reversed: reverse, filter, typing: false, from: 0 };
    if (once || desk.json || desk.out.isTTY !== true) {
      const known = await look(desk, isOperator);
      const value = { instances: rowsOf(known.instances, view), hosts: known.hosts };
      return { value, text: (now) => textOf(known, view, desk.berth.url, now) };
    }
    await live(desk, isOperator, view, every * 1000);
    return undefined;
  },
};

/** Shows it until the person has seen enough; however it ends, the terminal is as it was. */
async function live(desk: Desk, isOperator: boolean, first: View, everyMs: number): Promise<void> {
  const { out, input, signal } = desk;
  let view = first;
  let known: Known | null = null;
  let wake = () => {};
  const quit = new AbortController();
  const draw = () => {
    if (known === null || signal.aborted || quit.signal.aborted) return;
    const columns = out.columns ?? desk.look.columns;
    const text = textOf(known, view, desk.berth.url, { ...desk.look, columns, now: new Date() });
    const room = Math.max(1, (out.rows ?? rowsDefault) - 1);
    const lines = text.trimEnd().split('\n').slice(0, room);
    const width = Math.min(columns, 10_000) - 1;
    const foot = [...footOf(view, width)].slice(0, width).join('');
    out.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\r\n`).join('')}\x1b[J${coloured(foot, 'dim', desk.look)}`);
  };
  const press = (sent: Buffer | string) => {
    for (const key of keysOf(sent.toString())) {
      const { view: next, act } = pressed(view, key);
      view = next;
      if (act === 'quit') quit.abort();
      if (act !== null) wake();
    }
    draw();
  };
  const leave = takeTerminal(desk, press, draw);
  desk.goesOn = '';
  // What ends the process does not come back to here.
  signal.addEventListener('abort', leave, { once: true });
  try {
    while (!quit.signal.aborted) {
      known = await look(desk, isOperator).catch((error: unknown) => {
        if (known === null || !isPassing(error)) throw error;
        return { ...known, away: error.message };
      });
      draw();
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const next = new AbortController();
      await Promise.race([pause(everyMs, AbortSignal.any([signal, next.signal])).catch(() => {}), woken]);
      next.abort();
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
    input.pause();
  }
}

/** Takes the other page of the terminal, without a cursor, and letters as they are typed. @returns what gives all of it back, once */
function takeTerminal({ out, input }: Desk, press: (sent: Buffer | string) => void, resized: () => void): () => void {
  const hasKeys = input.isTTY === true && input.setRawMode !== undefined;
  out.write('\x1b[?1049h\x1b[?25l');
  out.on?.('resize', resized);
  if (hasKeys) input.setRawMode?.(true);
  input.on('data', press);
  input.resume();
  let isTaken = true;
  return () => {
    if (!isTaken) return;
    isTaken = false;
    out.off?.('resize', resized);
    input.off('data', press);
    if (hasKeys) input.setRawMode?.(false);
    out.write('\x1b[?25h\x1b[?1049l');
  };
}

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
