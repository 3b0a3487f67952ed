// Fluence's bodies as schemas. Only types are checked here: what a value may be is the model's business, and unknown fields
// are left alone, as clients send them. Every optional field may be null.

import Type, { type Static } from 'typebox';
import { quoteHeader } from '../quote-header.ts';
import { ConstraintsSchema } from './constraints.ts';
import { DatacenterSchema, FactsSchema, ResourceTypeSchema } from './resource.ts';
import { Optional } from './shape.ts';

const Port = Type.Object({ port: Type.Integer(), protocol: Type.String() });
const Ports = Type.Array(Port, { maxItems: 1000 });

export const DeployHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Up to 255 printable characters of your choice. A repeat with the same key and body gets the same answer and deploys nothing.',
    }),
  ),
  ...quoteHeader,
});

export const DeploySchema = Type.Object({
  constraints: Optional(ConstraintsSchema),
  instances: Optional(Type.Integer()),
  vmConfiguration: Type.Object({
    name: Type.String(),
    hostname: Optional(Type.String()),
    openPorts: Optional(Ports),
    osImage: Type.String(),
    sshKeys: Optional(Type.Array(Type.String(), { maxItems: 1000 })),
  }),
});
export type DeployBody = Static<typeof DeploySchema>;

export const DeployedSchema = Type.Array(Type.Object({ vmId: Type.String(), vmName: Type.String() }));

const Resource = Type.Object({
  type: ResourceTypeSchema,
  supply: Type.Integer(),
  quantity: Type.Integer(),
  units: Type.Optional(Type.String()),
  details: FactsSchema,
  metadata: FactsSchema,
});

export const VmSchema = Type.Object({
  id: Type.String(),
  vmName: Type.String(),
  status: Type.String(),
  statusChangedAt: Type.String(),
  pricePerEpoch: Type.String(),
  resources: Type.Array(Resource),
  createdAt: Type.String(),
  nextBillingAt: Type.Optional(Type.String()),
  osImage: Type.String(),
  datacenter: DatacenterSchema,
  publicIp: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
  ports: Type.Array(Port),
  reservedBalance: Type.String(),
  totalSpent: Type.String(),
});
export type Vm = Static<typeof VmSchema>;

export const VmStatusSchema = Type.Object({
  id: Type.String(),
  status: Type.String(),
  statusChangedAt: Type.String(),
  publicIp: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
});
export type VmStatus = Static<typeof VmStatusSchema>;

export const StatusQuerySchema = Type.Object({ ids: Type.Optional(Type.String({ maxLength: 100_000 })) });

export const UpdateSchema = Type.Object({
  updates: Type.Array(Type.Object({ id: Type.String(), vmName: Optional(Type.String()), openPorts: Optional(Ports) }), {
    maxItems: 1_000,
  }),
});

export const DeleteSchema = Type.Object({ vmIds: Type.Array(Type.String(), { maxItems: 1_000 }) });

/** The public Go client reads this object and fails on an empty body. */
export const DeletedSchema = Type.Object({
  removed_ids: Type.Array(Type.String()),
  transactions: Type.Array(Type.Unknown()),
});

export const DefaultImageSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  distribution: Type.String(),
  slug: Type.String(),
  downloadUrl: Type.String(),
  username: Type.String(),
  createdAt: Type.String(),
  updatedAt: Type.String(),
});

export const ErrorSchema = Type.Object({ error: Type.String() });
export const NothingSchema = Type.Null({ description: 'No content' });
