// Hosts: enrolling their agents, and telling them what changed.

import type { Size } from '../model/configuration.ts';
import { BerthError } from '../model/errors.ts';
import type { Hardware, StorageType } from '../model/hardware.ts';
import { newSecret } from '../model/id.ts';
import type { NetworkMode } from '../model/network.ts';
import { defaultPoolLabel, gradesOf } from '../model/storage-pool.ts';
import { type AssignmentRow, listAssignments } from '../store/assignment.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import {
  insertEnrolment,
  isAnyHostOpen,
  isNewsOfHost,
  noteReachable,
  noteUnreachable,
  readRevision,
  redeemEnrolment,
  updateLimits,
  writeHardware,
  writeHealth,
} from '../store/host.ts';
import { readInventory } from '../store/host-terms.ts';
import { listRemovals } from '../store/orphan.ts';
import { type ToldPool, writePools } from '../store/storage-pool.ts';
import { type OfferedAct, offerActs } from './act.ts';
import { sha256 } from './authenticate.ts';
import { type OfferedConsole, offerConsoles } from './console.ts';
import type { Context } from './context.ts';
import { applianceUrl } from './image.ts';
import { type OfferedStream, offerStreams } from './stream.ts';

/** A host that has not reported for this long is out of reach and gets no new instances. Four heartbeats. */
export const silenceMsMax = 20_000;
/** How long a token is good for. */
export const enrolmentValidMs = 60 * 60 * 1000;
/** A waiting poll looks for itself this often, for the wake-up that got lost. */
const slowPollMs = 2_000;

/** What a host says of its machine, as far as the server acts on it. */
export interface HostInventory {
  cores: number;
  memoryMib: number;
  diskGib: number;
  storageType: StorageType;
  storagePools?: readonly ToldPool[];
  cpuModel: string;
  hardware?: Pick<Hardware, 'cpu' | 'memory'> & { gpus?: { id: string | null }[] };
  /** What runs containers there; null where nothing does. */
  containerEngine?: { name: string; version: string; storageDriver: string; diskQuota: boolean } | null;
  /** Where HTTPS ports are reached; null where they can't be. */
  ingress?: { domain: string; port: number } | null;
  /** How it connects its VMs; agents from before there was a choice connect each by itself. */
  network?: NetworkMode;
}

/** Makes a one-time token that enrols an agent as this host within an hour. */
export async function makeEnrolmentToken(context: Context, hostId: string): Promise<string> {
  const token = newSecret('enrol', context.entropy);
  const expiresAt = new Date(context.clock.now().getTime() + enrolmentValidMs);
  await inTransaction(context.database, (tx) => insertEnrolment(tx, { tokenSha256: sha256(token), hostId, expiresAt }));
  return token;
}

/**
 * Enrols an agent: uses up its token and gives it a credential, of which only a hash is kept.
 * @throws BerthError `unauthenticated` when the token is unknown, used or expired
 */
export async function enrol(
  context: Context,
  token: string,
  inventory: HostInventory,
): Promise<{ hostId: string; credential: string }> {
  const credential = newSecret('agent', context.entropy);
  const now = context.clock.now();
  const hostId = await inTransaction(context.database, (tx) =>
    redeemEnrolment(tx, { tokenSha256: sha256(token), credentialSha256: sha256(credential), now }),
  );
  if (!hostId)
    throw new BerthError('unauthenticated', 'This enrolment token is unknown, used or expired; make a new one.');
  await noteHealth(context, hostId, inventory, []);
  return { hostId, credential };
}

/** Notes that a host was heard of, and what it can hold. */
export async function noteHealth(
  context: Context,
  hostId: string,
  inventory: HostInventory,
  strays: readonly string[],
): Promise<void> {
  await updateLimits(context.database, hostId, capacityOf(inventory));
  const now = context.clock.now();
  await writePools(context.database, hostId, poolsOf(inventory));
  await writeHealth(context.database, { hostId, seenAt: now, inventory: { ...inventory }, strays });
  const { network = 'user' } = inventory;
  const heardOf = { hostId, hardware: hardwareOf(inventory), ...containerPartsOf(inventory), network };
  if (!(await isNewsOfHost(context.database, heardOf))) return;
  await inTransaction(context.database, async (tx) => {
    const isBack = await noteReachable(tx, heardOf, now);
    if (isBack) await insertEvents(tx, [hostEvent(hostId, 'host.reachable', 'The host is in reach.', now)]);
  });
}

/** Takes the operator's new word on a host into account at once, where the host has told of itself before. */
export async function applyTerms(tx: Tx, hostId: string): Promise<void> {
  const inventory = (await readInventory(tx, hostId)) as HostInventory | undefined;
  if (!inventory) return;
  await updateLimits(tx, hostId, capacityOf(inventory));
  await writeHardware(tx, hostId, hardwareOf(inventory));
}

/** Hosts from before there were several pools have one. */
function poolsOf({ storagePools, storageType, diskGib }: HostInventory): readonly ToldPool[] {
  const grades = gradesOf(storageType);
  return storagePools ?? [{ label: defaultPoolLabel, grades, storageType, sizeGib: diskGib, freeGib: diskGib }];
}

const capacityOf = ({ cores, memoryMib, diskGib }: HostInventory): Size => ({ vcpus: cores, memoryMib, diskGib });

/** What a host has for containers. */
export function containerPartsOf({ containerEngine, hardware }: HostInventory): {
  runsContainers: boolean;
  gpuIds: string[];
} {
  return {
    runsContainers: (containerEngine ?? null) !== null,
    gpuIds: (hardware?.gpus ?? []).flatMap(({ id }) => id ?? []),
  };
}

/** What customers can choose a host by; agents from before hardware was told know only the processor's name. */
function hardwareOf({ hardware, storageType, cpuModel }: HostInventory): Hardware {
  const named = (part: Hardware['cpu']): Hardware['cpu'] => {
    const { manufacturer, brand, architecture, generation, model } = part;
    return { manufacturer, brand, architecture, generation, model };
  };
  const unknown = { manufacturer: null, brand: null, architecture: null, generation: null };
  return {
    cpu: hardware ? named(hardware.cpu) : { ...unknown, model: cpuModel === 'unknown' ? null : cpuModel },
    memory: hardware
      ? { type: hardware.memory.type, generation: hardware.memory.generation }
      : { type: null, generation: null },
    storage: { type: storageType },
  };
}

/** Notes which hosts were last heard of before a moment; they get no new instances until they are heard of again. */
export async function noteSilentHosts(context: Context, before: Date): Promise<void> {
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const silent = await noteUnreachable(tx, { before, now });
    for (const { id, name } of silent) context.logger.warn({ hostId: id, name }, 'host is out of reach');
    const message = `The host has not been heard of for ${silenceMsMax / 1000} s; it gets no new instances.`;
    await insertEvents(
      tx,
      silent.map(({ id }) => hostEvent(id, 'host.unreachable', message, now)),
    );
  });
}

function hostEvent(hostId: string, kind: string, message: string, now: Date): NewEvent {
  return { accountId: null, instanceId: null, hostId, kind, message, actor: 'berth', createdAt: now };
}

/** An assignment as a host is told of it: with places in the place of names. */
export type HostAssignment = Omit<AssignmentRow, 'vm'> & { vm?: HostVm };

type AssignedVm = NonNullable<AssignmentRow['vm']>;
type HostVm = Omit<AssignedVm, 'machine'> & {
  machine: Omit<AssignedVm['machine'], 'appliance'> & { appliance: { url: string; permanent: boolean } | null };
};

/** The answer to a host's poll. */
export interface HostAssignments {
  revision: number;
  full: boolean;
  assignments: HostAssignment[];
  /** What customers want to read from this host; each is told once or a few times. */
  streams: OfferedStream[];
  /** The consoles of its VMs that people open; told of as streams are. */
  consoles: OfferedConsole[];
  /** What is to be done to VMs there; each is told once or a few times. */
  acts: OfferedAct[];
}

/**
 * Waits until something about a host changed after a revision, and tells it; or tells everything, when `after` is left out
 * or is ahead of this database (which then is an older copy).
 * @param waitMs how long to wait at most; nothing new by then is an empty answer
 */
export async function pollAssignments(
  context: Context,
  hostId: string,
  after: bigint | undefined,
  waitMs: number,
  signal: AbortSignal,
): Promise<HostAssignments> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const leftMs = deadline - performance.now();
    // Listening begins before looking: a change in between would otherwise wait for the next slow look.
    const looked = new AbortController();
    const heard = AbortSignal.any([signal, looked.signal]);
    const woken = context.wakeups.next(hostId, Math.min(slowPollMs, Math.max(0, leftMs)), heard);
    try {
      const news = await newsAfter(context, hostId, after, leftMs <= 0);
      if (news) return news;
      await woken;
    } finally {
      looked.abort();
    }
    if (signal.aborted)
      return { revision: Number(after), full: false, assignments: [], streams: [], acts: [], consoles: [] };
  }
}

/** What changed after a revision; undefined when nothing did, unless an answer without news is asked for. */
async function newsAfter(
  context: Context,
  hostId: string,
  after: bigint | undefined,
  answerAnyway: boolean,
): Promise<HostAssignments | undefined> {
  // The revision is read before the rows: a row that comes in between is told twice rather than never.
  const revision = await readRevision(context.database, hostId);
  if (revision === undefined) throw new BerthError('not_found', 'There is no such host.', hostId);
  const full = after === undefined || after > revision;
  const [streams, acts, consoles] = await Promise.all([
    offerStreams(context, hostId),
    offerActs(context, hostId),
    offerConsoles(context, hostId),
  ]);
  const isNews = streams.length > 0 || acts.length > 0 || consoles.length > 0;
  if (!full && revision === after && !isNews && !answerAnyway) return undefined;
  const since = full ? 0n : after;
  const isNewer = full || revision > after;
  const rows = isNewer ? await listAssignments(context.database, hostId, since) : [];
  const removals = isNewer ? await listRemovals(context.database, hostId, since) : [];
  const assignments: HostAssignment[] = [
    ...rows.map((row) => toHostAssignment(context, row)),
    ...removals.map((removal): HostAssignment => ({ ...removal, desired: 'absent' })),
  ];
  return { revision: Number(revision), full, assignments, streams, acts, consoles };
}

function toHostAssignment(context: Context, { vm, ...row }: AssignmentRow): HostAssignment {
  if (!vm) return row;
  const { appliance, ...machine } = vm.machine;
  const place = appliance && { url: applianceUrl(context, appliance.name), permanent: appliance.permanent };
  return { ...row, vm: { ...vm, machine: { ...machine, appliance: place } } };
}

/** Whether at least one host could take an instance now. */
export function isReadyToDeploy(context: Context): Promise<boolean> {
  return isAnyHostOpen(context.database);
}
