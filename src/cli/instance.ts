// Instances as people read them: VMs and containers have the same columns and, for the most part, the same sheet.

import type { Instance } from '../../sdk/generated/types.ts';
import { type Cell, type Column, type Look, moment, relative, size, type Tone } from './table.ts';

const tones: Record<Instance['status'], Tone> = {
  active: 'good',
  launching: 'busy',
  deleting: 'busy',
  failed: 'bad',
  terminated: 'bad',
  stopped: 'dim',
  'soft-deleted': 'dim',
  deleted: 'dim',
};

/** An instance's status, and whether its money runs out. */
export function statusCell({ status, funds }: Pick<Instance, 'status' | 'funds'>): Cell {
  const isGone = status === 'deleted' || status === 'soft-deleted';
  if (funds === 'enough' || isGone) return { text: status, tone: tones[status] };
  return { text: `${status}, ${funds === 'small' ? 'small' : 'no'} funds`, tone: 'bad' };
}

const sizeText = ({ vcpus, memoryMib, diskGib }: Instance) => `${vcpus} vCPU, ${size(memoryMib)}, ${diskGib} GiB`;

/** What a list of instances shows. */
export const instanceColumns: readonly Column<Instance>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'status', cell: statusCell },
  { title: 'address', cell: ({ address }) => address },
  { title: 'size', cell: sizeText, rank: 1 },
  { title: 'datacenter', cell: ({ datacenter }) => datacenter?.slug, rank: 3 },
  { title: 'usd/epoch', cell: ({ pricePerEpoch }) => pricePerEpoch, rank: 4, right: true },
  { title: 'age', cell: ({ createdAt }, look) => relative(createdAt, look).replace(/ ago$/, ''), rank: 2, right: true },
];

/** All of one instance. */
export function instanceSheet(one: Instance, look: Look): [string, Cell][] {
  const { vm, container } = one;
  const sheet: [string, Cell][] = [
    ['name', one.name],
    ['id', one.id],
    ['status', statusCell(one)],
    ...(one.statusReason ? [['reason', one.statusReason] as [string, Cell]] : []),
    ['since', moment(one.statusChangedAt, look)],
    ['addresses', one.addresses.map(({ ip }) => ip).join(' ')],
    ['open ports', one.allPortsOpen ? 'all' : one.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(' ')],
    ['host name', one.hostname],
    ['size', sizeText(one)],
    ['image', one.image],
    ['group', one.group],
    ['datacenter', one.datacenter?.slug],
    ['an epoch costs', `${one.pricePerEpoch} USD`],
    ['so far', `${one.spent} USD, and ${one.held} USD held as its deposit`],
    ['paid until', moment(one.paidUntil, look)],
    ['made', moment(one.createdAt, look)],
  ];
  if (vm) {
    sheet.push(
      ['hardware', `${vm.hardwareProfile}${vm.hardwareProfileLocked ? ' (locked)' : ''}`],
      ['autoreboot', vm.autoreboot ? 'yes' : 'no'],
      ['CD', vm.cdromUrl],
      ['console', vm.managementAddress],
    );
  }
  if (container) {
    const { ssh, publicPorts, slot } = container;
    sheet.push(
      ['SSH', ssh && `${ssh.user}@${ssh.host} port ${ssh.port}`],
      ['reached at', publicPorts.map(({ port, protocol, url }) => url ?? `${port}/${protocol}`).join(' ')],
      ['slot', slot],
    );
  }
  return sheet;
}
