// How commands name a disk: by its id, or by its VM and its label.

import type { Disk } from '../../sdk/generated/types.ts';
import type { Desk } from './command.ts';
import { NotThereError, UsageError } from './exit.ts';
import { find, isId, vmKind } from './find.ts';

/**
 * The disk that is meant: an id, `VM/LABEL`, or a VM that has one disk.
 * @throws NotThereError; UsageError that lists a VM's disks where it has several
 */
export async function diskNamed(desk: Desk, text: string): Promise<Disk> {
  if (isId('dsk', text)) return desk.berth.disks.get(text);
  const [vm = '', label] = text.split('/');
  const { id, name } = await find(desk, vmKind, vm);
  const disks = await desk.berth.disks.list({ instance: id }).all();
  const labels = disks.map((disk) => `${name}/${disk.label}`).join(', ');
  const [only, ...others] = label === undefined ? disks : disks.filter((disk) => disk.label === label);
  if (!only) throw new NotThereError(`There is no disk "${text}"; there is: ${labels || 'none'}.`);
  if (others.length > 0) throw new UsageError(`VM ${name} has several disks: ${labels}.`);
  return only;
}
