// What a host is and can hold, and how it is enrolled.

import Type, { type Static } from 'typebox';
import { storageTypes } from '../../../model/hardware.ts';
import { networkModes } from '../../../model/network.ts';
import { storageGrades } from '../../../model/storage-grade.ts';
import { Count } from './field.ts';

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

/** More places for disks than a machine has file systems worth it. */
const poolsMax = 32;

/** A place where disks of VMs lie. The room of the one called `default` is what the inventory says of the whole host. */
export const StoragePoolSchema = Type.Object({
  label: Type.String({ minLength: 1, maxLength: 32 }),
  grades: Type.Array(Type.Enum([...storageGrades]), { maxItems: storageGrades.length }),
  storageType: Type.Enum([...storageTypes]),
  sizeGib: Count,
  freeGib: Count,
});

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
  storagePools: Type.Optional(Type.Array(StoragePoolSchema, { maxItems: poolsMax })),
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
  // How it connects its VMs. Agents from before there was a choice leave it out: each by itself.
  network: Type.Optional(Type.Enum([...networkModes])),
});
export type Inventory = Static<typeof InventorySchema>;

export const EnrolSchema = Type.Object({ token: Type.String({ maxLength: 200 }), inventory: InventorySchema });

export const EnrolledSchema = Type.Object({ hostId: Type.String(), credential: Type.String() });
export type Enrolled = Static<typeof EnrolledSchema>;
