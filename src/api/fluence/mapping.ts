// Between Fluence's words and Berth's. No rules: what a field may hold is decided in the model and the use cases.

import type { DeployFields, DeployRequest } from '../../app/deployment-request.ts';
import type { Billed, InstanceRow, InstanceStatusRow } from '../../app/instance.ts';
import type { Funds } from '../../model/bill.ts';
import type { InstanceStatus } from '../../model/instance.ts';
import { formatUsd } from '../../model/money.ts';
import { nestedConstraintFields, type ReadConstraints } from './constraints.ts';
import { metadataOf, toDatacenter } from './resource.ts';
import type { DeployBody, Vm, VmStatus } from './schema.ts';

/** How this dialect calls the fields of a deployment. */
export const deployFields: DeployFields = {
  ...nestedConstraintFields,
  instances: 'instances',
  name: 'vmConfiguration.name',
  hostname: 'vmConfiguration.hostname',
  imageUrl: 'vmConfiguration.osImage',
  sshKeys: 'vmConfiguration.sshKeys',
  portRules: 'vmConfiguration.openPorts',
};

/**
 * A deploy body in Berth's words.
 * @throws BerthError `invalid_value` for a bad unit or price
 */
export function toDeployRequest(body: DeployBody, readConstraints: ReadConstraints): DeployRequest {
  const { constraints, instances, vmConfiguration: vm } = body;
  return {
    constraints: readConstraints(constraints, nestedConstraintFields),
    instances: instances ?? 1,
    name: vm.name,
    hostname: vm.hostname || null,
    imageUrl: vm.osImage,
    sshKeys: vm.sshKeys ?? [],
    portRules: vm.openPorts ?? [],
  };
}

const statuses: Record<Exclude<InstanceStatus, 'active'>, string> = {
  launching: 'Launching',
  stopped: 'Stopped',
  failed: 'Failed',
  terminated: 'Terminated',
  'soft-deleted': 'Stopped',
  deleting: 'Stopped',
  deleted: 'Stopped',
};

/** How an instance that runs is called by what its account can still pay. */
const statusByFunds: Record<Funds, string> = { enough: 'Active', small: 'SmallBalance', none: 'InsufficientFunds' };

const statusOf = ({ status, fundsState }: { status: InstanceStatus; fundsState: Funds }) =>
  status === 'active' ? statusByFunds[fundsState] : statuses[status];

const publicIp = (instance: { status: InstanceStatus; address: string | null }) =>
  instance.status === 'active' ? instance.address : null;

/** Over but not deleted, an instance stands nowhere any more. */
const isOver = ({ status }: { status: InstanceStatus }) => status === 'failed' || status === 'terminated';

/** An instance as `GET /vms/v3` shows it. Amounts stand in both fields that clients read. */
export function toVm(instance: Billed<InstanceRow>): Vm {
  const amount = (count: number) => ({ supply: count, quantity: count });
  const metadata = metadataOf({
    ...instance.hardware,
    ...(instance.storageType && { storage: { type: instance.storageType } }),
  });
  const model = instance.hardware.cpu?.model ?? instance.cpuModel;
  return {
    id: instance.id,
    vmName: instance.name,
    status: statusOf(instance),
    statusChangedAt: instance.statusChangedAt.toISOString(),
    pricePerEpoch: formatUsd(instance.pricePerEpoch),
    resources: [
      { type: 'VCPU', ...amount(instance.vcpus), details: model ? { model } : {}, metadata: metadata.vcpu },
      {
        type: 'RAM',
        ...amount(Math.ceil(instance.memoryMib / 1024)),
        units: 'GiB',
        details: {},
        metadata: metadata.memory,
      },
      {
        type: 'STORAGE',
        ...amount(instance.diskGib),
        units: 'GiB',
        details: {},
        metadata: metadata.storage,
      },
      // One that is over holds none, and had at least one.
      { type: 'PUBLIC_IP', ...amount(Math.max(instance.addressCount, 1)), details: {}, metadata: metadata.publicIp },
    ],
    createdAt: instance.createdAt.toISOString(),
    ...(instance.nextBillingAt === null ? {} : { nextBillingAt: instance.nextBillingAt.toISOString() }),
    osImage: instance.imageUrl ?? '',
    datacenter: isOver(instance) ? null : toDatacenter(instance.datacenter),
    publicIp: publicIp(instance),
    ports: instance.portRules,
    reservedBalance: formatUsd(instance.heldMicroUsd),
    totalSpent: formatUsd(instance.spentMicroUsd),
  };
}

/** An instance as `GET /vms/v3/status` shows it. */
export function toVmStatus(instance: InstanceStatusRow & { fundsState: Funds }): VmStatus {
  return {
    id: instance.id,
    status: statusOf(instance),
    statusChangedAt: instance.statusChangedAt.toISOString(),
    publicIp: publicIp(instance),
  };
}
