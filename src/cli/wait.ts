// Waiting for what a host does: a living line on a terminal with what happens, and an end when the person has had enough, which ends
// nothing but the waiting.

import { TimeUpError } from '../../sdk/error.ts';
import type { Event, Instance, Operation } from '../../sdk/generated/types.ts';
import { pause } from '../../sdk/transport.ts';
import { type Desk, option } from './command.ts';
import { UsageError } from './exit.ts';
import { Screen } from './screen.ts';
import { plainText } from './table.ts';

/** How often an operation is asked about. */
const askEveryMs = 500;
const secondsDefault = 600;

/** The options of a command that can wait. */
export interface WaitOptions {
  wait?: boolean;
  timeout?: number;
}

/** Adds --wait and --timeout. @param until what is waited for */
export const waitOptions = (until: string) => [
  option('-w, --wait', `wait until ${until}`),
  option('--timeout <SECONDS>', `give up waiting after so long; ${secondsDefault} unless given`, seconds),
];

function seconds(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--timeout is "${text}"; it must be a number of seconds.`);
}

const timeoutMsOf = ({ timeout = secondsDefault }: WaitOptions) => timeout * 1000;

/** @param shows the command that says how far it is */
const tooLong = (what: string, how: string, { timeout = secondsDefault }: WaitOptions, shows: string) =>
  new TimeUpError(`${what} is ${how} after ${timeout} s, and goes on. ${shows} shows how far it is.`);

/**
 * Waits until instances have a status.
 * @param what how they are spoken of, such as `web-1`
 * @returns them as they are then
 */
export async function untilStatus(
  desk: Desk,
  ids: readonly string[],
  what: string,
  wanted: Instance['status'],
  options: WaitOptions,
): Promise<Instance[]> {
  const screen = new Screen(desk.err, { ...desk.env });
  desk.goesOn = `Stopped waiting; ${what} goes on. "berth vm list" shows how far it is.`;
  const done = new AbortController();
  const timeoutMs = timeoutMsOf(options);
  screen.activity(`Waiting until ${what} is ${wanted}`);
  const isWatched = watch(desk, screen, new Set(ids), done.signal);
  try {
    const signal = AbortSignal.any([done.signal, desk.signal]);
    return await Promise.all(ids.map((id) => desk.berth.instances.until(id, wanted, { timeoutMs, signal })));
  } catch (error) {
    // What it is called says more than its id.
    if (error instanceof TimeUpError) throw tooLong(what, `not ${wanted}`, options, '"berth vm list"');
    throw error;
  } finally {
    done.abort();
    await isWatched;
    screen.activity(null);
    if (!desk.signal.aborted) desk.goesOn = null;
  }
}

/** Shows the events of instances as they come; whoever may not read them waits without. */
async function watch(
  { berth, err }: Desk,
  screen: Screen,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const [only, ...others] = ids;
  let last = '';
  try {
    const stream = berth.events.stream(others.length === 0 && only ? { instance: only } : {}, { signal });
    for await (const event of stream) {
      if (event.instance === null || !ids.has(event.instance)) continue;
      // What takes long is told again and again, in a log once.
      if (err.isTTY === true || event.message !== last) showEvent(event, screen, err.isTTY === true);
      last = event.message;
    }
  } catch {
    // Whether it came up is told all the same.
  }
}

function showEvent({ kind, message, data }: Event, screen: Screen, isTTY: boolean): void {
  if (kind === 'image.download') {
    const [done, total] = [Number(data?.done ?? 0), Number(data?.total ?? 0)];
    const figures = `${(done / 1e6).toFixed(1)}${total > 0 ? ` of ${(total / 1e6).toFixed(1)}` : ''} MB`;
    const bar = screen.bar({ share: total > 0 ? done / total : null, figures });
    screen.activity(`Downloading the image ${bar}`, 'download');
    return;
  }
  // A program that logs standard error wants to know what went on, a line each.
  if (isTTY) screen.activity(plainText(message));
  else screen.event(plainText(message));
}

/**
 * Waits until an operation is over.
 * @param what how its instance is spoken of
 * @throws Error where it has failed; TimeUpError
 */
export async function untilOver(desk: Desk, asked: Operation, what: string, options: WaitOptions): Promise<Operation> {
  const screen = new Screen(desk.err, { ...desk.env });
  desk.goesOn = `Stopped waiting; the operation goes on. "berth operation show ${asked.id}" shows how it went.`;
  const endMs = performance.now() + timeoutMsOf(options);
  screen.activity(`${what}: ${asked.kind}`);
  try {
    for (let now = asked; ; now = await desk.berth.operations.get(asked.id, { signal: desk.signal })) {
      if (now.status === 'succeeded') return now;
      if (now.status === 'failed') throw new Error(`${what}: ${now.error?.detail ?? `${now.kind} has failed`}`);
      if (performance.now() > endMs) {
        throw tooLong(`${what}: ${now.kind}`, 'not over', options, `"berth operation show ${asked.id}"`);
      }
      await pause(askEveryMs, desk.signal);
    }
  } finally {
    screen.activity(null);
    if (!desk.signal.aborted) desk.goesOn = null;
  }
}
