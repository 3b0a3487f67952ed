// What a server tells a host to do: what each instance should be, and what is to be done once. The answer to a poll.

import Type, { type Static } from 'typebox';
import { actKinds } from '../../../model/act.ts';
import { hardwareProfiles } from '../../../model/machine.ts';
import { ConsoleSchema } from './console.ts';
import { Count, InstanceId, integerMax, Uuid } from './field.ts';
import { StreamSchema } from './stream.ts';

/** How long a poll may wait for news, in seconds. Below the idle time-outs of common proxies (60 s). */
export const pollSecondsMax = 25;

export const PortRuleSchema = Type.Object({
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
});

/** One disk of a VM. Servers from before a field leave it out. */
const DiskSchema = Type.Object({
  id: Type.String(),
  sizeMib: Type.Integer({ minimum: 1, maximum: integerMax }),
  // How often its content was asked for anew. One that was made for a smaller number is made anew while the VM is off.
  imaging: Type.Optional(Count),
  // The label of the storage pool that it is in.
  pool: Type.Optional(Type.String()),
  // Reads and writes a second; null for as many as it can.
  iopsLimit: Type.Optional(Type.Union([Count, Type.Null()])),
  // Backups of it that are to be made, and that are to be erased.
  backups: Type.Optional(Type.Array(Uuid)),
  eraseBackups: Type.Optional(Type.Array(Uuid)),
  // The backup that its content is made from where it is made anew; null for what it is made from otherwise.
  restoreFrom: Type.Optional(Type.Union([Uuid, Type.Null()])),
});

/** How one VM stands in its group's network. */
const VmNetworkSchema = Type.Object({
  vlan: Type.Integer({ minimum: 1, maximum: integerMax }),
  // Whether all its ports are open where the host connects VMs to networks; else those of its port rules alone.
  allPortsOpen: Type.Boolean(),
  // All that it holds. Additional ones lead to its main one.
  addresses: Type.Array(
    Type.Object({
      ip: Type.String(),
      isAdditional: Type.Boolean(),
      // The subnet that it is in; null for one out of its host's pool, which is in none. A shared one is many networks'.
      range: Type.Union([
        Type.Object({ prefix: Count, gateway: Type.String(), isShared: Type.Boolean() }),
        Type.Null(),
      ]),
    }),
  ),
});

/** What one VM should be. Its cores and memory count from its next boot on. */
export const VmAssignmentSchema = Type.Object({
  hostname: Type.String(),
  vcpus: Type.Integer(),
  memoryMib: Type.Integer(),
  sshKeys: Type.Array(Type.String()),
  address: Type.String(),
  portRules: Type.Array(PortRuleSchema),
  // Servers from before this field leave it out.
  network: Type.Optional(VmNetworkSchema),
  // Which start of it should run: one that was started for a smaller number is powered off and on again.
  bootNumber: Type.Integer({ minimum: 1, maximum: integerMax }),
  // Whether it comes back up after its guest has switched it off.
  autoreboot: Type.Boolean(),
  // What its first disk is made from. With a greater number it is made anew; null leaves it as it is, or blank.
  image: Type.Union([
    Type.Object({
      url: Type.String(),
      imaging: Count,
      // What the file there has to hash to; left out where anything will do.
      sha256: Type.Optional(Type.String()),
    }),
    Type.Null(),
  ]),
  // In the order in which the guest sees them; the first is booted from. What is not named here is left as it is.
  disks: Type.Array(DiskSchema),
  // What it has no more, and is to be erased. Servers from before this field leave it out.
  eraseDisks: Type.Optional(Type.Array(DiskSchema)),
  // From its next start on. Servers from before this field leave it out.
  machine: Type.Optional(
    Type.Object({
      hardwareProfile: Type.Enum([...hardwareProfiles]),
      // Where the ISO image comes from that is in its CD drive.
      cdromUrl: Type.Union([Type.String(), Type.Null()]),
      keymap: Type.Union([Type.String(), Type.Null()]),
      // A system on an ISO image that is started in place of its own: always, or only in this start of the VM.
      appliance: Type.Union([Type.Object({ url: Type.String(), permanent: Type.Boolean() }), Type.Null()]),
    }),
  ),
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
  desired: Type.Union([Type.Literal('running'), Type.Literal('off'), Type.Literal('absent')]),
  vm: Type.Optional(VmAssignmentSchema),
  container: Type.Optional(ContainerAssignmentSchema),
});
export type Assignment = Static<typeof AssignmentSchema>;

/** Something that is to be done to a running VM, once: an act that was told again is not done again. */
export const ActSchema = Type.Object({
  id: Uuid,
  instanceId: InstanceId,
  kind: Type.Enum([...actKinds]),
  // What `sendkey` presses together, by QEMU's names.
  keys: Type.Array(Type.String()),
  // Past this nobody waits for it any more, and it must not be done.
  expiresInMs: Type.Integer(),
});
export type OfferedAct = Static<typeof ActSchema>;

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
  acts: Type.Optional(Type.Array(ActSchema)),
  consoles: Type.Optional(Type.Array(ConsoleSchema)),
});
export type Assignments = Static<typeof AssignmentsSchema>;
