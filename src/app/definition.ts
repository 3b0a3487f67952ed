// What can be chosen of this installation when a VM is made: images, zones, grades of storage, hardware, keyboards, keys.
// (Bytemark API: definitions.)

import { hardwareProfiles, keymaps, sendkeys } from '../model/machine.ts';
import { type StorageGrade, storageGrades } from '../model/storage-grade.ts';
import { listDatacenters } from '../store/datacenter.ts';
import { listGrades } from '../store/host-overview.ts';
import type { Context } from './context.ts';
import { listCatalog } from './image.ts';

/** What can be chosen. */
export interface Definitions {
  /** Images by their slugs, with their names. */
  distributions: Map<string, string>;
  /** Those that any host has storage of. */
  storageGrades: Map<StorageGrade, string>;
  /** Datacenters by their slugs, with where they are. */
  zones: Map<string, string>;
  hardwareProfiles: readonly string[];
  keymaps: readonly string[];
  sendkeys: readonly string[];
}

const gradeDescriptions: Record<StorageGrade, string> = {
  sata: 'Storage for most uses',
  ssd: 'Fast storage on solid-state drives',
  archive: 'Slow, cheap storage for what is seldom read',
};

/** An image's whole name; the catalog's own may leave out what it is a version of. */
const nameOf = ({ distribution, name }: { distribution: string; name: string }) =>
  name.startsWith(distribution) ? name : `${distribution} ${name}`;

const countries = new Intl.DisplayNames(['en'], { type: 'region' });

/** What can be chosen now. */
export async function readDefinitions(context: Context): Promise<Definitions> {
  const { database } = context;
  const [images, datacenters, grades] = await Promise.all([
    listCatalog(context),
    listDatacenters(database),
    listGrades(database),
  ]);
  return {
    distributions: new Map(images.map((image) => [image.slug, nameOf(image)])),
    storageGrades: new Map(
      storageGrades.filter((grade) => grades.has(grade)).map((grade) => [grade, gradeDescriptions[grade]]),
    ),
    zones: new Map(
      datacenters.map(({ slug, cityCode, countryCode }) => [
        slug,
        `${cityCode}, ${countries.of(countryCode) ?? countryCode}`,
      ]),
    ),
    hardwareProfiles,
    keymaps,
    sendkeys,
  };
}
