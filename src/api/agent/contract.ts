// What agent and server say to each other: two calls that carry everything, and the one that enrols a host. Agents of any
// kind (the real one, the simulated one) know this file and the model, and nothing else of the server.

import Type, { type Static } from 'typebox';
import { observedStates } from '../../model/assignment.ts';
import { storageTypes } from '../../model/hardware.ts';
import { logEndings, logLineLengthMax, logLinesMax } from '../../model/log.ts';

/** How long a poll may wait for news, in seconds. Below the idle time-outs of common proxies (60 s). */
export const pollSecondsMax = 25;
/** How often a host reports when nothing changes; the server gives up on a host after 20 s of silence. */
export const heartbeatMs = 5_000;
/** Instances and events in one report; a host with more sends several. */
export const reportItemsMax = 2_000;
/** Streams that a host sends at once; it passes over what goes beyond. */
export const streamsMax = 100;
/** A batch of a stream that grows, in bytes of JSON: it goes out when it has as many, or when the last one has arrived. */
export const streamBatchBytesMax = 256 * 1024;
/** A stream about which there is nothing to say sends an empty batch this often; the server gives up on it after 10 s. */
export const streamSignMs = 5_000;

const InstanceId = Type.String({ pattern: '^0x[0-9a-f]{40}$' });

export const PortRuleSchema = Type.Object({
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
});

/** What PostgreSQL's `int` holds; nothing that is counted here comes near it. */
const integerMax = 2 ** 31 - 1;
const Count = Type.Integer({ minimum: 0, maximum: integerMax });

/** What one VM should be. */
export const VmAssignmentSchema = Type.Object({
  hostname: Type.String(),
  vcpus: Type.Integer(),
  memoryMib: Type.Integer(),
  diskGib: Type.Integer(),
  imageUrl: Type.String(),
  sshKeys: Type.Array(Type.String()),
  address: Type.String(),
  portRules: Type.Array(PortRuleSchema),
});

/** What one container should be. Its registry's login is not in here: whoever pulls the image asks for it. */
export const ContainerAssignmentSchema = Type.Object({
  hostname: Type.String(),
  vcpus: Type.Integer(),
  memoryMib: Type.Integer(),
  diskGib: Type.Integer(),
  gpus: Type.Array(Type.String()),
  image: Type.String(),
  hasRegistryAuth: Type.Boolean(),
  ports: Type.Array(
    Type.Object({
      hostPort: Type.Integer({ minimum: 1, maximum: 65535 }),
      protocol: Type.Union([Type.Literal('tcp'), Type.Literal('https')]),
    }),
  ),
  environment: Type.Record(Type.String(), Type.String()),
  startupScript: Type.Union([Type.String(), Type.Null()]),
  sshKeys: Type.Array(Type.String()),
  address: Type.String(),
});

/**
 * An order about one instance, which is a VM or a container. It counts only where its generation is newer than the one the
 * host has.
 */
export const AssignmentSchema = Type.Object({
  instanceId: InstanceId,
  generation: Type.Integer({ minimum: 1, maximum: integerMax }),
  desired: Type.Union([Type.Literal('running'), Type.Literal('absent')]),
  vm: Type.Optional(VmAssignmentSchema),
  container: Type.Optional(ContainerAssignmentSchema),
});
export type Assignment = Static<typeof AssignmentSchema>;

/** A container's output that somebody reads now. The host sends it in batches, to the stream's own path. */
export const StreamSchema = Type.Object({
  id: Type.String(),
  instanceId: InstanceId,
  tail: Type.Integer({ minimum: 0, maximum: logLinesMax }),
  since: Type.Union([Type.String(), Type.Null()]),
  follow: Type.Boolean(),
});
export type Stream = Static<typeof StreamSchema>;

/**
 * The answer to a poll: what changed since the revision that was asked for, or, when `full`, everything there is. A full
 * answer that lacks an instance does not order it away.
 */
export const AssignmentsSchema = Type.Object({
  revision: Type.Integer(),
  full: Type.Boolean(),
  assignments: Type.Array(AssignmentSchema),
  // What has to be sent from now on. One that has begun may be told again. Servers from before this field leave it out.
  streams: Type.Optional(Type.Array(StreamSchema)),
});
export type Assignments = Static<typeof AssignmentsSchema>;

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
  // With the state `failed`: why, for programs.
  failureCode: Type.Optional(Type.String({ maxLength: 64 })),
});
export type Observation = Static<typeof ObservationSchema>;

/** One line of what happened on the host. The id makes it safe to send twice. */
export const AgentEventSchema = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }),
  instanceId: InstanceId,
  at: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' }),
  kind: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 1000 }),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
export type AgentEvent = Static<typeof AgentEventSchema>;

/** Names of hardware are short; what a processor says of itself has 48 characters. */
const HardwareName = Type.Union([Type.String({ maxLength: 100 }), Type.Null()]);
/** Larger machines exist; they leave the rest out. */
const disksMax = 256;
const addressesMax = 256;
const gpusMax = 64;

/** What the machine is made of. What could not be found out is null. */
export const HostHardwareSchema = Type.Object({
  cpu: Type.Object({
    manufacturer: HardwareName,
    brand: HardwareName,
    architecture: HardwareName,
    generation: HardwareName,
    model: HardwareName,
    cores: Type.Union([Count, Type.Null()]),
    threads: Type.Union([Count, Type.Null()]),
  }),
  memory: Type.Object({ type: HardwareName, generation: HardwareName }),
  disks: Type.Array(
    Type.Object({
      name: Type.String({ maxLength: 100 }),
      type: Type.Enum([...storageTypes]),
      sizeGib: Count,
      // Where nothing of it is mounted, nobody knows.
      freeGib: Type.Union([Count, Type.Null()]),
    }),
    { maxItems: disksMax },
  ),
  addresses: Type.Array(Type.String({ maxLength: 45 }), { maxItems: addressesMax }),
  // Agents from before this field leave it out.
  gpus: Type.Optional(
    Type.Array(
      Type.Object({
        // As its driver names it; null where no driver does, and then no container can have it.
        id: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
        name: Type.String({ maxLength: 100 }),
        memoryMib: Type.Union([Count, Type.Null()]),
        cudaVersion: Type.Union([Type.String({ maxLength: 20 }), Type.Null()]),
      }),
      { maxItems: gpusMax },
    ),
  ),
});
export type HostHardware = Static<typeof HostHardwareSchema>;

/** What the machine is and can hold; capacity before any overcommit. */
export const InventorySchema = Type.Object({
  cores: Count,
  memoryMib: Count,
  diskGib: Count,
  storageType: Type.Enum([...storageTypes]),
  acceleration: Type.String(),
  accelerationReason: Type.String(),
  cpuModel: Type.String(),
  hypervisor: Type.String(),
  agentVersion: Type.String(),
  // Agents from before these fields leave them out.
  hardware: Type.Optional(HostHardwareSchema),
  // What runs containers here; null where nothing does.
  containerEngine: Type.Optional(
    Type.Union([
      Type.Object({
        name: Type.String({ maxLength: 100 }),
        version: Type.String({ maxLength: 100 }),
        storageDriver: Type.String({ maxLength: 100 }),
        // Whether the storage driver itself holds a container to its disk.
        diskQuota: Type.Boolean(),
      }),
      Type.Null(),
    ]),
  ),
  // Where HTTPS ports are reached: by names below this domain, on this port; null where they can't be.
  ingress: Type.Optional(
    Type.Union([Type.Object({ domain: Type.String({ maxLength: 253 }), port: Count }), Type.Null()]),
  ),
});
export type Inventory = Static<typeof InventorySchema>;

/** A host's report. `complete` says that `instances` lists everything the host has, so that what is not in it is not there. */
export const ReportSchema = Type.Object({
  inventory: InventorySchema,
  complete: Type.Boolean(),
  instances: Type.Array(ObservationSchema, { maxItems: reportItemsMax }),
  events: Type.Array(AgentEventSchema, { maxItems: reportItemsMax }),
  strays: Type.Array(Type.String({ maxLength: 300 }), { maxItems: 100 }),
});
export type Report = Static<typeof ReportSchema>;

/** A part of a stream. They are numbered from 1 on; one whose answer was lost is sent again under its number. */
export const StreamBatchSchema = Type.Object({
  sequence: Type.Integer({ minimum: 1, maximum: integerMax }),
  lines: Type.Array(
    Type.Object({
      timestamp: Type.String({ maxLength: 64 }),
      stream: Type.Union([Type.Literal('stdout'), Type.Literal('stderr')]),
      line: Type.String({ maxLength: logLineLengthMax }),
    }),
    { maxItems: logLinesMax },
  ),
  // In the last one: why no more come.
  ending: Type.Optional(Type.Enum([...logEndings])),
});
export type StreamBatch = Static<typeof StreamBatchSchema>;

/**
 * What becomes of a batch. A stream that is not `wanted` any longer is not gone on with; a batch that is not `accepted` has
 * found no room, since its reader is slow, and is sent again.
 */
export const StreamAnswerSchema = Type.Object({ wanted: Type.Boolean(), accepted: Type.Boolean() });
export type StreamAnswer = Static<typeof StreamAnswerSchema>;

/** The login that goes with a container's image; null where none does. Never kept beyond the pull. */
export const RegistryAuthSchema = Type.Object({
  auth: Type.Union([
    Type.Object({ server: Type.String(), login: Type.String(), password: Type.String() }),
    Type.Null(),
  ]),
});
export type RegistryAuth = NonNullable<Static<typeof RegistryAuthSchema>['auth']>;

export const EnrolSchema = Type.Object({ token: Type.String({ maxLength: 200 }), inventory: InventorySchema });
export const EnrolledSchema = Type.Object({ hostId: Type.String(), credential: Type.String() });
export type Enrolled = Static<typeof EnrolledSchema>;
