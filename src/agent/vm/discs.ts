// A VM's disks as QEMU's block nodes: pure, for the command line and for the monitor alike. Which device shows a node to the
// guest is the hardware profile's matter.

import { createHash } from 'node:crypto';
import type { Descriptors } from './descriptors.ts';
import type { Drive } from './profile.ts';

/** A disk's files. */
export interface DiscFiles {
  /** The disk's id. */
  id: string;
  path: string;
  /** The image that it is an overlay of; null for one that began blank. */
  base: { path: string; format: 'qcow2' | 'raw' } | null;
}

/** A block node as QEMU's command line and its monitor take it. */
export type BlockNode = { 'node-name': string; driver: string } & Record<string, unknown>;

/** What a spare file is called among QEMU's descriptors, before its path. */
export const spareMark = 'spare ';

/** What QEMU calls a disk: its names of nodes are shorter than a disk's id. */
export function discNode(diskId: string): string {
  return `disc-${createHash('sha256').update(diskId).digest('hex').slice(0, 20)}`;
}

/** A disk as a drive of the guest's; a serial number has room for 20 characters. */
export function discDrive(diskId: string): Drive {
  const node = discNode(diskId);
  return { id: `drive-${node}`, node, serial: diskId.replaceAll('-', '').slice(0, 20) };
}

/** The nodes of a disk that is there at QEMU's start, in the order in which they have to be made. */
export function discNodes(disc: DiscFiles, descriptors: Descriptors): BlockNode[] {
  const { id, path, base } = disc;
  const name = discNode(id);
  const nodes: BlockNode[] = [];
  if (base !== null) {
    const filename = descriptors.add({ path: base.path, access: 'read', mark: `base ${id}` });
    nodes.push(
      { driver: 'file', 'node-name': `${name}-bf`, filename, 'read-only': true },
      { driver: base.format, 'node-name': `${name}-b`, file: `${name}-bf`, 'read-only': true },
    );
  }
  const filename = descriptors.add({ path, access: 'write', mark: `disc ${id}` });
  return [
    ...nodes,
    { driver: 'file', 'node-name': `${name}-f`, filename, discard: 'unmap' },
    overlayNode(id, `${name}-f`, base === null ? null : `${name}-b`),
  ];
}

/**
 * The node of a spare. It is there from the start: descriptors that no node uses are closed when the agent hangs up.
 */
export function spareNode(path: string, descriptors: Descriptors): BlockNode {
  const filename = descriptors.add({ path, access: 'write', mark: `${spareMark}${path}` });
  return { driver: 'file', 'node-name': spareName(filename), filename, discard: 'unmap' };
}

/** What the node of a spare is called, by the name of its descriptors. */
export const spareName = (filename: string) => `spare-${filename.split('/').at(-1)}`;

/**
 * The node of what a guest sees of a disk.
 * @param file the node of the disk's own file
 * @param backing the node below it: it is the one named here, whatever the file's header may say by now
 */
export function overlayNode(diskId: string, file: string, backing: string | null): BlockNode {
  const name = discNode(diskId);
  return { driver: 'qcow2', 'node-name': name, file, backing, discard: 'unmap', 'detect-zeroes': 'unmap' };
}

/** The nodes of a disk that is only read. */
export function readOnlyNodes({ id, path, base }: DiscFiles, descriptors: Descriptors): BlockNode[] {
  const name = discNode(id);
  const only = { 'read-only': true };
  const opened = (file: string, mark: string) => descriptors.add({ path: file, access: 'read', mark });
  const below: BlockNode[] = base
    ? [
        { driver: 'file', 'node-name': `${name}-bf`, filename: opened(base.path, `base ${id}`), ...only },
        { driver: base.format, 'node-name': `${name}-b`, file: `${name}-bf`, ...only },
      ]
    : [];
  return [
    ...below,
    { driver: 'file', 'node-name': `${name}-f`, filename: opened(path, `disc ${id}`), ...only },
    { driver: 'qcow2', 'node-name': name, file: `${name}-f`, backing: base ? `${name}-b` : null, ...only },
  ];
}
