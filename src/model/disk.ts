// Disks of a VM: what may be asked of one, and of all of them together. Faults are told in the words of Bytemark's API.

import type { FieldFaults } from './errors.ts';
import { storageGrades } from './storage-grade.ts';
import { countFaults, notListed, withoutEmpty } from './vm.ts';

/** Disks of one VM. */
export const disksMax = 8;
/** In MiB. Below the first nothing fits that boots; two tebibytes are what an old partition table can count. */
export const diskSizeMibMin = 50;
export const diskSizeMibMax = 2 * 1024 * 1024;

const labelLengthMax = 255;
const knownGrades: ReadonlySet<string> = new Set(storageGrades);

/** What may be said of a disk; what is undefined has a default, or stays. */
export interface DiskAttributes {
  label?: string | undefined;
  sizeMib?: number | undefined;
  grade?: string | undefined;
}

/** What is wrong with attributes of a disk, under the names of Bytemark's API; an empty object where nothing is. */
export function diskFaults({ label, sizeMib, grade }: DiskAttributes): FieldFaults {
  return withoutEmpty({
    label: label === undefined ? [] : labelFaults(label),
    size: sizeMib === undefined ? [] : countFaults(sizeMib, diskSizeMibMin, diskSizeMibMax),
    storage_grade: grade === undefined || knownGrades.has(grade) ? [] : [notListed],
  });
}

function labelFaults(label: string): string[] {
  if (label.trim() === '') return ["can't be blank"];
  // It is a part of paths, and stands on its line of a terminal.
  const isPrintable = !/[\p{Cc}/]/u.test(label);
  return [
    ...(isPrintable ? [] : ['is invalid']),
    ...(label.length > labelLengthMax ? [`is too long (maximum is ${labelLengthMax} characters)`] : []),
  ];
}

/** A label for one more disk: the next one as clients count them, `disc-2` beside a first one. */
export function nextLabel(labels: readonly string[]): string {
  const numbers = labels.map((label) => Number(/^dis[ck]-(\d{1,9})$/.exec(label)?.[1] ?? 0));
  return `disc-${Math.max(labels.length, ...numbers) + 1}`;
}

/** Disks with labels for those that were given none: `disc-1` and so on, by their place, but none that another has. */
export function labelled<Disk extends { label?: string | undefined }>(
  disks: readonly Disk[],
): (Disk & { label: string })[] {
  const taken = new Set(disks.map(({ label }) => label));
  return disks.map((disk, index) => {
    let number = index + 1;
    while (disk.label === undefined && taken.has(`disc-${number}`)) number += 1;
    const label = disk.label ?? `disc-${number}`;
    taken.add(label);
    return { ...disk, label };
  });
}

/** What a VM's only disk is called where nobody chooses. */
export const firstDiskLabel = 'disc-1';
