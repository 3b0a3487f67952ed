// What goes over the wire in Hiveon's vendors API. Where its documentation prints a field, it stands here under that name;
// further fields of answers are additions that documented clients pass over.

import Type, { type Static, type TSchema } from 'typebox';

/** A field that may be left out or null, which are the same to protobuf's JSON readers. */
export function Optional<Schema extends TSchema & { type?: string }>(schema: Schema) {
  return Type.Optional(Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] }));
}

/** A map of the customer's own; nothing in it may be nested. */
const MetadataSchema = Type.Unsafe<Record<string, string | number | boolean>>({
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  description: "The customer's own keys and values",
});

const PortSchema = Type.Unsafe<number | { host_port?: number | null; protocol?: string | number | null }>({
  type: ['object', 'integer'],
  properties: {
    host_port: { type: ['integer', 'null'], description: 'From 1 to 65535' },
    protocol: {
      type: ['string', 'integer', 'null'],
      description: 'PORT_PROTOCOL_TCP or PORT_PROTOCOL_HTTPS',
    },
  },
  description: 'A port; a bare number is a TCP port',
});

export const StartSchema = Type.Object({
  machine_id: Type.String({ minLength: 1 }),
  machine_price_id: Type.String({ minLength: 1 }),
  external_deployment_id: Optional(Type.String({ maxLength: 255 })),
  ssh_pub_keys: Optional(Type.Array(Type.String())),
  container_config: Type.Object({
    image: Type.String({ minLength: 1 }),
    docker_auth: Optional(
      Type.Object({
        server: Optional(Type.String()),
        login: Optional(Type.String()),
        password: Optional(Type.String()),
      }),
    ),
    ports: Optional(Type.Array(PortSchema)),
    startup_script: Optional(Type.String()),
    environment_variables: Optional(Type.Record(Type.String(), Type.String())),
  }),
  metadata: Optional(MetadataSchema),
});
export type StartBody = Static<typeof StartSchema>;

export const StopSchema = Type.Object({ metadata: Optional(MetadataSchema) });

export const DeploymentIdSchema = Type.Object({ deployment_id: Type.String() });

const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

export const deploymentStatuses = [
  'STATUS_PENDING',
  'STATUS_STOPPING',
  'STATUS_STOPPED',
  'STATUS_FAILED',
  'STATUS_RUNNING',
] as const;

export const DeploymentSchema = Type.Object({
  deployment_id: Type.String(),
  machine_id: Type.String(),
  external_deployment_id: Type.String(),
  status: Type.Enum([...deploymentStatuses]),
  fail_reason: Nullable(Type.Object({ code: Type.Integer(), message: Type.String() })),
  metadata: Type.Record(Type.String(), Type.String()),
  machine_price_id: Type.String(),
  image: Type.String(),
  created_at: Type.String(),
  started_at: Nullable(Type.String()),
  stopped_at: Nullable(Type.String()),
  ports: Type.Array(
    Type.Object({
      host_port: Type.Integer(),
      protocol: Type.String(),
      public_host: Nullable(Type.String()),
      public_port: Nullable(Type.Integer()),
      url: Nullable(Type.String()),
    }),
  ),
  ssh: Nullable(Type.Object({ host: Type.String(), port: Type.Integer(), user: Type.String() })),
});
export type Deployment = Static<typeof DeploymentSchema>;

export const MachineSchema = Type.Object({
  machine_id: Type.String(),
  status: Type.Enum(['available', 'rented', 'inactive']),
  machine_prices: Type.Array(
    Type.Object({ id: Type.String(), amount: Type.String(), currency: Type.String(), unit: Type.String() }),
  ),
  metadata: Type.Object({
    machine_id: Type.String(),
    geo_location: Type.Object({ country: Type.String(), city: Type.String() }),
    cuda_version: Type.String(),
  }),
  hardware_specs: Type.Object({
    cpu: Type.Object({ name: Type.String(), cores: Type.Integer(), threads: Type.Integer() }),
    memory_gb: Type.Number(),
    storage_gb: Type.Integer(),
    gpus: Type.Array(Type.Object({ name: Type.String(), count: Type.Integer(), memory_gb: Nullable(Type.Number()) })),
  }),
  network_info: Type.Object({
    public_ip: Type.String(),
    hostname: Type.String(),
    free_ports: Type.Array(Type.Integer()),
  }),
});
export type Machine = Static<typeof MachineSchema>;

const page = { page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) };
const perPage = { per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) };

export const MachineQuerySchema = Type.Object({ filter: Type.Optional(Type.String()), ...page, ...perPage });
export const DeploymentQuerySchema = Type.Object({
  status: Type.Optional(Type.String()),
  machine_id: Type.Optional(Type.String()),
  external_deployment_id: Type.Optional(Type.String()),
  ...page,
  ...perPage,
});

const paging = {
  total: Type.Integer(),
  current_page: Type.Integer(),
  per_page: Type.Integer(),
  total_pages: Type.Integer(),
};
export const MachineListSchema = Type.Object({ ...paging, machines: Type.Array(MachineSchema) });
export const DeploymentListSchema = Type.Object({ ...paging, deployments: Type.Array(DeploymentSchema) });

/** How long a page is whose length was left out. */
const perPageDefault = 50;

/** The page that a query asks for. */
export const windowOf = (query: { page?: number; per_page?: number }) => ({
  page: query.page ?? 1,
  perPage: query.per_page ?? perPageDefault,
});

/** What is said of a page beside what is on it. */
export const pagingOf = (total: number, { page: current, perPage: each }: ReturnType<typeof windowOf>) => ({
  total,
  current_page: current,
  per_page: each,
  total_pages: Math.ceil(total / each),
});
