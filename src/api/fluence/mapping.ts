// Between Fluence's words and Berth's. No rules: what a field may hold is decided in the model and the use cases.

import type { DeployFields, DeployRequest } from '../../app/deployment.ts';
import type { InstanceRow, InstanceStatusRow } from '../../app/instance.ts';
import { noConstraints } from '../../model/constraints.ts';
import { nextEpochBoundary } from '../../model/epoch.ts';
import { BerthError, shown } from '../../model/errors.ts';
import type { InstanceStatus } from '../../model/instance.ts';
import { formatUsd, parseUsd } from '../../model/money.ts';
import type { Constraints, DeployBody, Vm, VmStatus } from './schema.ts';

/** How this dialect calls the fields of a deployment. */
export const deployFields: DeployFields = {
  additionalStorage: 'constraints.additionalResources.storage',
  storage: 'constraints.hardware.storage',
  countries: 'constraints.datacenter.countries',
  instances: 'instances',
  name: 'vmConfiguration.name',
  hostname: 'vmConfiguration.hostname',
  imageUrl: 'vmConfiguration.osImage',
  sshKeys: 'vmConfiguration.sshKeys',
  portRules: 'vmConfiguration.openPorts',
};

const storageTypes = ['HDD', 'SSD', 'NVMe'];

/** The public Go client sends what is unset as an empty string, list or object. */
function isUnset(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isUnset);
}

function refuseUnmatched(constraints: Constraints): void {
  for (const name of ['hardware', 'datacenter'] as const) {
    if (isUnset(constraints[name])) continue;
    const field = `constraints.${name}`;
    const message = `${field} is ${shown(constraints[name])}; this installation can't match it yet. Leave it out or set it to null.`;
    throw new BerthError('unsupported', message, field);
  }
}

function additionalStorage(constraints: Constraints): DeployRequest['constraints']['additionalStorage'] {
  return (constraints.additionalResources?.storage ?? []).map(({ type, supply, units }, index) => {
    const field = `${deployFields.additionalStorage}[${index}]`;
    if (!storageTypes.includes(type)) {
      throw new BerthError(
        'invalid_value',
        `${field}.type is ${shown(type)}; it must be one of ${storageTypes.join(', ')}.`,
        field,
      );
    }
    if (units && units !== 'GiB') {
      throw new BerthError('invalid_value', `${field}.units is ${shown(units)}; only "GiB" is known.`, field);
    }
    return { type, gib: supply };
  });
}

function maxPrice(constraints: Constraints): DeployRequest['constraints']['maxPricePerEpoch'] {
  const text = constraints.maxTotalPricePerEpochUsd;
  if (!text) return null;
  const price = parseUsd(text);
  if (price === null) {
    const field = 'constraints.maxTotalPricePerEpochUsd';
    throw new BerthError(
      'invalid_value',
      `${field} is ${shown(text)}; it must be a decimal number of US dollars, such as "1.5".`,
      field,
    );
  }
  return price;
}

/**
 * A deploy body in Berth's words.
 * @throws BerthError `unsupported` for a constraint that is not matched yet, `invalid_value` for a bad unit, type or price
 */
export function toDeployRequest({ constraints, instances, vmConfiguration: vm }: DeployBody): DeployRequest {
  if (constraints) refuseUnmatched(constraints);
  return {
    constraints: {
      ...noConstraints,
      configuration: constraints?.basicConfiguration || null,
      additionalStorage: constraints ? additionalStorage(constraints) : [],
      maxPricePerEpoch: constraints ? maxPrice(constraints) : null,
    },
    instances: instances ?? 1,
    name: vm.name,
    hostname: vm.hostname || null,
    imageUrl: vm.osImage,
    sshKeys: vm.sshKeys ?? [],
    portRules: vm.openPorts ?? [],
  };
}

const statuses: Record<InstanceStatus, string> = {
  launching: 'Launching',
  active: 'Active',
  stopped: 'Stopped',
  failed: 'Failed',
  terminated: 'Terminated',
  deleting: 'Stopped',
  deleted: 'Stopped',
};

const publicIp = (instance: { status: InstanceStatus; address: string | null }) =>
  instance.status === 'active' ? instance.address : null;

/** An instance as `GET /vms/v3` shows it. Amounts stand in both fields that clients read. */
export function toVm(instance: InstanceRow, now: Date): Vm {
  const amount = (count: number) => ({ supply: count, quantity: count });
  const cpu = instance.cpuModel === null ? {} : { model: instance.cpuModel };
  return {
    id: instance.id,
    vmName: instance.name,
    status: statuses[instance.status],
    statusChangedAt: instance.statusChangedAt.toISOString(),
    pricePerEpoch: formatUsd(instance.priceMicroUsd),
    resources: [
      { type: 'VCPU', ...amount(instance.vcpus), details: cpu, metadata: {} },
      { type: 'RAM', ...amount(Math.ceil(instance.memoryMib / 1024)), units: 'GiB', details: {}, metadata: {} },
      {
        type: 'STORAGE',
        ...amount(instance.diskGib),
        units: 'GiB',
        details: {},
        metadata: { type: instance.storageType },
      },
      { type: 'PUBLIC_IP', ...amount(1), details: {}, metadata: { version: '4' } },
    ],
    createdAt: instance.createdAt.toISOString(),
    ...(instance.status === 'failed' ? {} : { nextBillingAt: nextEpochBoundary(now).toISOString() }),
    osImage: instance.imageUrl,
    datacenter: null,
    publicIp: publicIp(instance),
    ports: instance.portRules,
    // Nothing is charged before there is a ledger, so nothing is held and nothing spent.
    reservedBalance: '0',
    totalSpent: '0',
  };
}

/** An instance as `GET /vms/v3/status` shows it. */
export function toVmStatus(instance: InstanceStatusRow): VmStatus {
  return {
    id: instance.id,
    status: statuses[instance.status],
    statusChangedAt: instance.statusChangedAt.toISOString(),
    publicIp: publicIp(instance),
  };
}
