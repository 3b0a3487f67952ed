// What an instance has said: a container's output, which its host has, and what Berth has noted about it. What a container
// said last outlives it as an event.

import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError, shown } from '../model/errors.ts';
import type { InstanceKind } from '../model/instance.ts';
import { type LogLine, lastWordsKind, newestLines } from '../model/log.ts';
import { may } from '../model/privilege.ts';
import { type EventRow, isEventHeldBack, listEvents, listNewestEvents } from '../store/event.ts';
import { findInstancePlace } from '../store/instance-list.ts';
import { reachAccount } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { type ContainerRow, findContainer } from './container.ts';
import type { Context } from './context.ts';
import { openStream, readStream } from './stream.ts';

/** What is asked for. */
export interface LogRequest {
  source: 'container' | 'system';
  /** The last so many lines. */
  tail: number;
  /** Only what was said from this moment on. */
  since: Date | null;
}

/** An answer in one piece is held in memory: of more than this the newest lines are kept. */
const answerBytesMax = 4 * 1024 * 1024;
/** Room for what surrounds a line in an answer. */
const lineBytesMin = 80;
/** How often the feed is looked at. */
const lookEveryMs = 500;
/** How often a host is asked again for a container that is to be followed and that it has not made yet. */
const askEveryMs = 1_000;
const eventsMax = 1_000;

/**
 * The newest lines, oldest first.
 * @param id the deployment's, or the external one
 * @throws BerthError `not_found`, `too_many_requests`, and `unavailable` when the host does not answer
 */
export async function readLogs(
  context: Context,
  principal: Principal,
  id: string,
  request: LogRequest,
  signal: AbortSignal,
): Promise<LogLine[]> {
  const container = await findContainer(context, principal, id);
  return newestOf(
    linesOf(context, principal, sourceOf(context, principal, container), { ...request, follow: false }, signal),
  );
}

/** What is told at once, as far as an answer holds it. */
async function newestOf(batches: AsyncGenerator<LogLine[]>): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let bytes = 0;
  let from = 0;
  const sizeOf = ({ line }: LogLine) => Buffer.byteLength(line) + lineBytesMin;
  for await (const batch of batches) {
    for (const line of batch) {
      lines.push(line);
      bytes += sizeOf(line);
    }
    for (let oldest = lines[from]; oldest && bytes > answerBytesMax; oldest = lines[from]) {
      bytes -= sizeOf(oldest);
      from += 1;
    }
  }
  return lines.slice(from);
}

/**
 * The newest lines and all that follow, until the container has ended, which the last line says. A batch without lines is a
 * sign that the reader is not forgotten.
 * @param signal aborts when the reader has gone; then it ends, too
 * @throws BerthError as {@link readLogs} does, at first or on the way
 */
export async function* followLogs(
  context: Context,
  principal: Principal,
  id: string,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  const container = await findContainer(context, principal, id);
  yield* linesOf(context, principal, sourceOf(context, principal, container), { ...request, follow: true }, signal);
}

/** An instance as a caller reaches its logs; also one that is over. */
export interface LoggedInstance {
  principal: Principal;
  instanceId: string;
  kind: InstanceKind;
  deploymentId: string;
}

/**
 * An instance whose logs a caller may read.
 * @param ref how he names it, for messages
 * @throws BerthError `not_found`
 */
export async function reachLogs(context: Context, caller: Caller, id: string, ref: string): Promise<LoggedInstance> {
  const instance = await findInstancePlace(context.database, id, { orDeleted: true });
  const place = instance && { accountId: instance.accountId, groupId: instance.groupId, instanceId: id };
  if (!place || !may(caller.grants, 'vm_console', place)) {
    throw new BerthError('not_found', `There is no instance ${shown(ref)}.`, ref);
  }
  const { principal } = await reachAccount(context, caller, { id: place.accountId }, 'see');
  return { principal, instanceId: id, kind: instance.kind, deploymentId: instance.deploymentId };
}

/**
 * {@link readLogs} of any instance.
 * @throws BerthError `unsupported` for a VM's output, and as {@link readLogs} does
 */
export async function readInstanceLogs(
  context: Context,
  instance: LoggedInstance,
  request: LogRequest,
  signal: AbortSignal,
): Promise<LogLine[]> {
  requireOutput(instance, request);
  const source = sourceOfInstance(context, instance);
  return newestOf(linesOf(context, instance.principal, source, { ...request, follow: false }, signal));
}

/**
 * {@link followLogs} of any instance.
 * @throws BerthError as {@link readInstanceLogs} does
 */
export async function* followInstanceLogs(
  context: Context,
  instance: LoggedInstance,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  requireOutput(instance, request);
  const source = sourceOfInstance(context, instance);
  yield* linesOf(context, instance.principal, source, { ...request, follow: true }, signal);
}

function requireOutput({ kind }: LoggedInstance, { source }: LogRequest): void {
  if (kind === 'container' || source === 'system') return;
  const message =
    'source is container, and this is a VM: what it says is at its console; system tells what was noted about it.';
  throw new BerthError('unsupported', message, 'source');
}

/** Where lines come from. */
interface Source {
  instanceId: string;
  /** What is called by this name in the last line. */
  noun: string;
  deploymentId: string;
  hasEnded(): Promise<boolean>;
}

const sourceOf = (
  context: Context,
  principal: Principal,
  { instanceId, deploymentId }: Pick<ContainerRow, 'instanceId' | 'deploymentId'>,
): Source => ({
  ...{ instanceId, deploymentId, noun: 'container' },
  hasEnded: async () => (await findContainer(context, principal, deploymentId)).endedAt !== null,
});

function sourceOfInstance(context: Context, instance: LoggedInstance): Source {
  if (instance.kind === 'container') return sourceOf(context, instance.principal, instance);
  const { instanceId, deploymentId } = instance;
  return {
    ...{ instanceId, deploymentId, noun: 'instance' },
    hasEnded: async () => (await findInstancePlace(context.database, instanceId)) === undefined,
  };
}

interface Query extends LogRequest {
  follow: boolean;
}

async function* linesOf(
  context: Context,
  principal: Principal,
  source: Source,
  query: Query,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  if (query.source === 'system') yield* eventLines(context, principal, source, query, signal);
  else yield* outputLines(context, principal, source, query, signal);
  if (!query.follow || signal.aborted) return;
  yield [{ timestamp: context.clock.now().toISOString(), stream: 'system', line: `The ${source.noun} has ended.` }];
}

/** A container's output, of one that is not there yet as soon as it is. */
async function* outputLines(
  context: Context,
  principal: Principal,
  { deploymentId }: Source,
  { tail, since, follow }: Query,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  const query = { tail, since: since?.toISOString() ?? null, follow };
  for (;;) {
    const { instanceId, hostId, status, endedAt } = await findContainer(context, principal, deploymentId);
    const { accountId } = principal;
    let isGone = endedAt !== null;
    if (!isGone) {
      for await (const batch of readStream(context, { accountId, instanceId }, { hostId, query }, signal)) {
        yield batch.lines;
        if (batch.ending === 'unavailable') {
          throw new BerthError('unavailable', "The host can't read what the container says; try again in a moment.");
        }
        isGone = batch.ending === 'gone';
      }
    }
    if (signal.aborted) return;
    if (isGone && follow && status === 'launching') {
      await sleep(askEveryMs, undefined, { signal }).catch(() => {});
      continue;
    }
    if (isGone) yield newestLines(await lastWords(context, accountId, instanceId), tail, since);
    return;
  }
}

async function lastWords(context: Context, accountId: string, instanceId: string): Promise<LogLine[]> {
  const filter = { instanceId, kind: lastWordsKind, limit: 1 };
  const [event] = await listNewestEvents(context.database, accountId, filter);
  const lines = event?.data?.lines;
  return Array.isArray(lines) ? lines.filter(isLine) : [];
}

/** Agents of any version, and not only ours, have written it. */
function isLine(value: unknown): value is LogLine {
  const { timestamp, stream, line } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof timestamp === 'string' && typeof line === 'string' && (stream === 'stdout' || stream === 'stderr');
}

/** What was noted about an instance. */
async function* eventLines(
  context: Context,
  principal: Principal,
  { instanceId, hasEnded }: Source,
  { tail, since, follow }: Query,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  const { database } = context;
  const { accountId } = principal;
  // Of nothing that is to be shown, too, the last one is needed to go on from.
  const newest = await listNewestEvents(database, accountId, { instanceId, limit: Math.max(tail, 1) });
  const lines = newestLines(newest.map(lineOf), tail, since);
  if (!follow) return yield lines;
  const lease = await openStream(context, { accountId, instanceId }, null);
  try {
    yield lines;
    let after = newest.at(-1)?.cursor;
    while (!signal.aborted) {
      const isOver = await hasEnded();
      const filter = { instanceId, limit: eventsMax, ...(after ? { after } : {}) };
      const events = await listEvents(database, accountId, filter);
      after = events.at(-1)?.cursor ?? after;
      yield events.map(lineOf);
      if (events.length > 0) continue;
      if (isOver && !(await isEventHeldBack(database, accountId, instanceId, after))) return;
      await lease.renew();
      await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await lease.close();
  }
}

const lineOf = ({ createdAt, message }: EventRow): LogLine => ({
  timestamp: createdAt.toISOString(),
  stream: 'system',
  line: message,
});
