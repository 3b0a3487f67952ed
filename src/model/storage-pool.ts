// Storage pools: the places on a host where disks lie, each good for some grades of storage; and which of a host's pools takes
// which disk. Pure, for placement as for a disk that is added later.

import type { StorageType } from './hardware.ts';
import { type StorageGrade, storageGrades } from './storage-grade.ts';

/** The pool that every host has: in the agent's own directory. */
export const defaultPoolLabel = 'default';

/** The grades that a kind of storage can honestly be sold as. A disk that turns is no SSD; a fast one may hold an archive. */
export function gradesOf(type: StorageType): StorageGrade[] {
  return type === 'HDD' ? ['sata', 'archive'] : ['sata', 'ssd', 'archive'];
}

/** A pool that an operator gives to a host beside the default one. */
export interface PoolOption {
  label: string;
  directory: string;
  grades: StorageGrade[];
}

/**
 * Reads a pool as an operator writes it, such as `fast=/mnt/nvme:ssd` or `big=/mnt/raid:sata,archive`.
 * @throws Error that says what would be right
 */
export function parsePool(text: string): PoolOption {
  const [, label = '', directory = '', list = ''] = /^([^=]*)=(.*):([^:]*)$/.exec(text) ?? [];
  const grades = list.split(',').filter((grade) => isGrade(grade));
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(label) || label === defaultPoolLabel)
    throw new Error(`"${text}" has no label: up to 32 small letters, digits and dashes before the "=".`);
  if (!directory.startsWith('/')) throw new Error(`"${text}" has no directory: a whole path, after the "=".`);
  if (grades.length !== list.split(',').length)
    throw new Error(
      `"${text}" has no grades: ${storageGrades.join(', ')}, with commas between them, after the last ":".`,
    );
  return { label, directory, grades };
}

const isGrade = (grade: string): grade is StorageGrade => (storageGrades as readonly string[]).includes(grade);

/** What a host sells disks as: in its default pool, and in pools that are set apart for a grade. */
export interface SoldGrades {
  own: readonly string[];
  apart: readonly string[];
}

/** Whether disks of these grades can be had of a host. */
export const sells = ({ own, apart }: SoldGrades, grades: readonly string[]) =>
  grades.every((grade) => apart.includes(grade) || own.includes(grade));

/** A pool, and what is left of it to sell. */
export interface Pool {
  id: bigint;
  label: string;
  grades: readonly string[];
  storageType: StorageType;
  freeGib: number;
}

/**
 * What a pool is called where those of many hosts are shown: a default one like its host, others after it.
 */
export const poolName = (host: string, label: string) => (label === defaultPoolLabel ? host : `${host}-${label}`);

/**
 * The pools that a disk of a grade goes to, the one with the most room first. What an operator has set apart for a grade is
 * preferred, however much room the default pool has.
 */
export function poolsFor<One extends Pool>(pools: readonly One[], grade: string): One[] {
  const serving = pools.filter(({ grades }) => grades.includes(grade));
  const apart = serving.filter(({ label }) => label !== defaultPoolLabel);
  return (apart.length > 0 ? apart : serving).toSorted((a, b) => b.freeGib - a.freeGib);
}
