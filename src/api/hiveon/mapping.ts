// Between Hiveon's words and Berth's. No rules: what a field may hold is decided in the model and the use cases.

import type { ContainerRow, StartFields, StartRequest } from '../../app/container.ts';
import type { SlotView } from '../../app/slot.ts';
import { type FailureCode, failureCodes } from '../../model/container.ts';
import { BerthError, shown } from '../../model/errors.ts';
import type { InstanceStatus } from '../../model/instance.ts';
import { formatUsd } from '../../model/money.ts';
import { type Deployment, deploymentStatuses, type Machine, type StartBody } from './schema.ts';

/** How this dialect calls the fields of a start. */
export const startFields: StartFields = {
  slotId: 'machine_id',
  priceId: 'machine_price_id',
  externalId: 'external_deployment_id',
  sshKeys: 'ssh_pub_keys',
  image: 'container_config.image',
  registryAuth: 'container_config.docker_auth',
  ports: 'container_config.ports',
  port: 'host_port',
  protocol: 'protocol',
  startupScript: 'container_config.startup_script',
  environment: 'container_config.environment_variables',
  metadata: 'metadata',
};

/** A start's body in Berth's words. @throws BerthError `invalid_value` for a protocol that is none */
export function toStartRequest(body: StartBody): StartRequest {
  const { container_config: config } = body;
  const auth = config.docker_auth;
  return {
    slotId: body.machine_id,
    priceId: body.machine_price_id,
    externalId: body.external_deployment_id || null,
    image: config.image,
    registryAuth: auth ? { server: auth.server ?? '', login: auth.login ?? '', password: auth.password ?? '' } : null,
    ports: (config.ports ?? []).map((port, index) =>
      typeof port === 'number'
        ? { hostPort: port, protocol: 'tcp' }
        : { hostPort: port.host_port ?? 0, protocol: protocolOf(port.protocol, index) },
    ),
    startupScript: config.startup_script ?? null,
    environment: config.environment_variables ?? {},
    sshKeys: body.ssh_pub_keys ?? [],
    metadata: Object.fromEntries(Object.entries(body.metadata ?? {}).map(([key, value]) => [key, String(value)])),
  };
}

/** Protobuf's JSON readers take an enum by its name or by its number. */
const protocols = new Map<string | number, 'tcp' | 'https'>([
  ['PORT_PROTOCOL_TCP', 'tcp'],
  [1, 'tcp'],
  ['PORT_PROTOCOL_HTTPS', 'https'],
  [2, 'https'],
]);

function protocolOf(protocol: string | number | null | undefined, index: number): 'tcp' | 'https' {
  const known = protocols.get(protocol ?? 0);
  if (known) return known;
  const field = `${startFields.ports}[${index}].protocol`;
  const isUnspecified = [undefined, null, 0, '', 'PORT_PROTOCOL_UNSPECIFIED'].includes(protocol);
  const what = isUnspecified ? 'must not be unspecified' : `is ${shown(protocol)}`;
  const message = `${field} ${what}; it must be PORT_PROTOCOL_TCP or PORT_PROTOCOL_HTTPS.`;
  throw new BerthError('invalid_value', message, field);
}

const statuses: Record<InstanceStatus, Deployment['status']> = {
  launching: 'STATUS_PENDING',
  active: 'STATUS_RUNNING',
  stopped: 'STATUS_STOPPING',
  'soft-deleted': 'STATUS_STOPPING',
  deleting: 'STATUS_STOPPING',
  deleted: 'STATUS_STOPPED',
  failed: 'STATUS_FAILED',
  terminated: 'STATUS_FAILED',
};

/**
 * The statuses of instances that a deployment's status stands for; undefined for any.
 * @throws BerthError `invalid_value`
 */
export function statusesOf(text: string | undefined): InstanceStatus[] | undefined {
  if (text === undefined || text === '') return undefined;
  const name = text.toUpperCase().replace(/^(?!STATUS_)/, 'STATUS_');
  if (name === 'STATUS_UNSPECIFIED') return undefined;
  const fitting = (Object.keys(statuses) as InstanceStatus[]).filter((status) => statuses[status] === name);
  if (fitting.length > 0) return fitting;
  const message = `status is ${shown(text)}; it is one of ${deploymentStatuses.join(', ')}.`;
  throw new BerthError('invalid_value', message, 'status');
}

const unknownFailure = 2;

/** A container as this dialect shows it. */
export function deploymentObject(container: ContainerRow): Deployment {
  const { status, failureCode, statusReason, address } = container;
  const hasFailed = statuses[status] === 'STATUS_FAILED';
  const code = failureCodes[failureCode as FailureCode] ?? unknownFailure;
  return {
    deployment_id: container.deploymentId,
    machine_id: container.slotId,
    external_deployment_id: container.externalId ?? '',
    status: statuses[status],
    fail_reason: hasFailed ? { code, message: statusReason ?? 'It failed.' } : null,
    metadata: {
      ...container.metadata,
      ...(hasFailed && failureCode ? { fail_reason_code: failureCode } : {}),
    },
    machine_price_id: container.slotPriceId,
    image: container.image,
    created_at: container.createdAt.toISOString(),
    started_at: container.activatedAt?.toISOString() ?? null,
    stopped_at: container.endedAt?.toISOString() ?? null,
    ports: container.ports.map(({ hostPort, protocol, url }) => {
      if (protocol === 'tcp') {
        const host = address === null ? null : { public_host: address, public_port: hostPort };
        return { host_port: hostPort, protocol: 'PORT_PROTOCOL_TCP', ...(host ?? nowhere), url: null };
      }
      const place = url === null ? null : new URL(url);
      const host = place && { public_host: place.hostname, public_port: Number(place.port || 443) };
      return { host_port: hostPort, protocol: 'PORT_PROTOCOL_HTTPS', ...(host ?? nowhere), url };
    }),
    ssh: container.ssh,
  };
}

const nowhere = { public_host: null, public_port: null };

const mibPerGb = 1024;

/** A slot as this dialect shows it, in lists and in webhooks. */
export function machineObject(slot: SlotView): Machine {
  return {
    machine_id: slot.id,
    status: slot.status,
    machine_prices: slot.prices.map(({ id, amountMicroUsd, unit }) => {
      return { id, amount: formatUsd(amountMicroUsd), currency: 'USD', unit: unit.toUpperCase() };
    }),
    metadata: {
      machine_id: slot.id,
      geo_location: { country: slot.countryCode ?? '', city: slot.cityCode ?? '' },
      cuda_version: slot.cudaVersion ?? '',
    },
    hardware_specs: {
      cpu: { name: slot.cpuName ?? '', cores: slot.vcpus, threads: slot.vcpus },
      memory_gb: slot.memoryMib / mibPerGb,
      storage_gb: slot.diskGib,
      gpus: slot.gpus.map(({ name, count, memoryMib }) => {
        return { name, count, memory_gb: memoryMib === null ? null : memoryMib / mibPerGb };
      }),
    },
    // Every deployment has an address of its own, on which every port is free.
    network_info: { public_ip: slot.publicIp ?? '', hostname: slot.hostName, free_ports: [1, 65535] },
  };
}
