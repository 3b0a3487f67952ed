// What a host tells its server: what it sees of its instances, and what has happened there.

import Type, { type Static } from 'typebox';
import { actOutcomes } from '../../../model/act.ts';
import { observedStates } from '../../../model/assignment.ts';
import { Count, InstanceId, Uuid } from './field.ts';
import { InventorySchema } from './inventory.ts';

/** How often a host reports when nothing changes; the server gives up on a host after 20 s of silence. */
export const heartbeatMs = 5_000;

/** Instances and events in one report; a host with more sends several. */
export const reportItemsMax = 2_000;

/** Disks of one VM that are erased at a time; a report with more tells of the rest when these are settled. */
export const erasedDisksMax = 100;

/** Backups of one VM that are told of at a time. */
export const backupsToldMax = 1_000;

/** What a host sees of one instance. `generation` is the newest order it has accepted; 0 when it knows of none. */
export const ObservationSchema = Type.Object({
  instanceId: InstanceId,
  generation: Count,
  state: Type.Enum([...observedStates]),
  reason: Type.Union([Type.String({ maxLength: 1000 }), Type.Null()]),
  restarts: Count,
  address: Type.Union([Type.String(), Type.Null()]),
  vcpus: Count,
  memoryMib: Count,
  diskGib: Count,
  // How long it has run without a break, counted by a clock that nobody sets: it survives the agent, and jumps of the
  // host's date. Null while it does not run. Agents from before this field leave it out.
  runningMs: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()])),
  // Of a VM that runs: which start of it this is, and what it was started with. Agents from before this field leave it out.
  boot: Type.Optional(Type.Object({ number: Count, vcpus: Count, memoryMib: Count })),
  // With the state `failed`: why, for programs.
  failureCode: Type.Optional(Type.String({ maxLength: 64 })),
  // What has become of the backups that the order names.
  backups: Type.Optional(
    Type.Object({
      ready: Type.Array(Uuid, { maxItems: backupsToldMax }),
      failed: Type.Array(Type.Object({ id: Uuid, reason: Type.String({ maxLength: 1000 }) }), {
        maxItems: backupsToldMax,
      }),
      erased: Type.Array(Uuid, { maxItems: backupsToldMax }),
    }),
  ),
  // Of the disks that it was told to erase, those of which nothing is left.
  erasedDisks: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: erasedDisksMax })),
});
export type Observation = Static<typeof ObservationSchema>;

/** One line of what happened on the host. The id makes it safe to send twice. */
export const AgentEventSchema = Type.Object({
  id: Uuid,
  instanceId: InstanceId,
  at: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' }),
  kind: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 1000 }),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
export type AgentEvent = Static<typeof AgentEventSchema>;

/** How an act went. */
export const SettledSchema = Type.Object({ id: Uuid, outcome: Type.Enum([...actOutcomes]) });
export type Settled = Static<typeof SettledSchema>;

/** A host's report. `complete` says that `instances` lists everything the host has, so that what is not in it is not there. */
export const ReportSchema = Type.Object({
  inventory: InventorySchema,
  complete: Type.Boolean(),
  instances: Type.Array(ObservationSchema, { maxItems: reportItemsMax }),
  events: Type.Array(AgentEventSchema, { maxItems: reportItemsMax }),
  strays: Type.Array(Type.String({ maxLength: 300 }), { maxItems: 100 }),
  // How acts went.
  acts: Type.Optional(Type.Array(SettledSchema, { maxItems: reportItemsMax })),
});
export type Report = Static<typeof ReportSchema>;
