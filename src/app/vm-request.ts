// What may be asked of a VM when it is made, changed or imaged, as far as it takes no place: what there is to choose from is
// looked up here. Nothing is written, and all that is wrong with a request is told at once.

import { schedulesMax } from '../model/backup.ts';
import { type DiskAttributes, diskFaults, disksMax, labelled } from '../model/disk.ts';
import { BerthError, type FieldFaults, InvalidFields } from '../model/errors.ts';
import { checkPublicKey, partsOf, sshKeysMax } from '../model/ssh-key.ts';
import { defaultGrade } from '../model/storage-grade.ts';
import { type Imaging, imagingFaults, notListed } from '../model/vm.ts';
import { listDatacenters } from '../store/datacenter.ts';
import { type CheckedSchedule, checkSchedule, type ScheduleRequest } from './backup-schedule.ts';
import type { Context } from './context.ts';
import { findUsableImage } from './image.ts';
import { type ImagingSecrets, sealSecrets } from './imaging-secret.ts';
import { checkIso } from './iso.ts';

/** Faults of several parts of a request, by field. */
export function mergeFaults(...parts: readonly FieldFaults[]): FieldFaults {
  return Object.assign({}, ...parts.toReversed());
}

/** @throws InvalidFields when there is any fault */
export function requireNone(faults: FieldFaults): void {
  if (Object.keys(faults).length > 0) throw new InvalidFields(faults);
}

/** A disk as it is to be made. */
export interface NewDisk {
  label: string;
  grade: string;
  sizeMib: number;
}

/** A disk as it is asked for. */
export interface DiskRequest extends DiskAttributes {
  schedules: readonly ScheduleRequest[];
}

/**
 * Disks that a new VM is to have, the one that it starts from first.
 * @param unread what could not be read of each
 * @returns them with what was left out filled in, the schedules of each, and the faults of each in a list with one place for
 *   each disk
 */
export function checkDisks(
  { clock }: Context,
  given: readonly DiskRequest[],
  unread: readonly FieldFaults[],
): { disks: NewDisk[]; schedules: CheckedSchedule[][]; faults: FieldFaults } {
  const now = clock.now();
  const disks = labelled(given).map(({ label, grade = defaultGrade, sizeMib = 0 }) => ({ label, grade, sizeMib }));
  const checked = given.map(({ schedules }) => schedules.map((schedule) => checkSchedule(schedule, now)));
  const faults = disks.map((disk, index): FieldFaults => {
    const isFirst = disks.findIndex(({ label }) => label === disk.label) === index;
    return mergeFaults(
      unread[index] ?? {},
      given[index]?.sizeMib === undefined ? { size: ["can't be blank", 'is not a number'] } : {},
      diskFaults(disk),
      isFirst ? {} : { label: ['has already been taken'] },
      index < disksMax ? {} : { base: [`is one too many (maximum is ${disksMax})`] },
      scheduleFaults(checked[index] ?? []),
    );
  });
  return {
    disks,
    schedules: checked.map((list) => list.flatMap((one) => (one.faults ? [] : [one.schedule]))),
    faults: faults.every((one) => Object.keys(one).length === 0) ? {} : { discs: faults },
  };
}

/** What is wrong with a disk's schedules, in one list of sentences: clients read nothing deeper. */
function scheduleFaults(checked: readonly ReturnType<typeof checkSchedule>[]): FieldFaults {
  const sentences = checked.flatMap(({ faults = {} }) =>
    Object.entries(faults).flatMap(([field, list]) => list.map((fault) => `${field} ${fault}`)),
  );
  const isTooLong = checked.length > schedulesMax ? [`are too many (maximum is ${schedulesMax})`] : [];
  const all = [...sentences, ...isTooLong];
  return all.length === 0 ? {} : { backup_schedules: all };
}

/** An imaging as it is to be done. */
export interface CheckedImaging {
  distribution: string;
  imageUrl: string;
  /** Null where nobody said what it has to be. */
  imageSha256: string | null;
  sshKeys: string[];
  /** Null where there are none. */
  sealedSecrets: Uint8Array | null;
}

/**
 * What an imaging comes to: the image of a distribution, keys one by one, and secrets that are sealed from here on.
 * @param accountId whose own images it may be one of
 */
export async function checkImaging(
  context: Context,
  accountId: string,
  imaging: Imaging,
): Promise<{ imaging: CheckedImaging | null; faults: FieldFaults }> {
  const { distribution, rootPassword = null, firstBootScript = null } = imaging;
  const found = await findUsableImage(context, accountId, distribution);
  const image = found && 'image' in found ? found.image : null;
  const { keys, faults: keyFaults } = readKeys(imaging.sshPublicKeys ?? '');
  const unknown: FieldFaults =
    image || distribution === '' ? {} : { distribution: [found && 'fault' in found ? found.fault : notListed] };
  const faults = mergeFaults(imagingFaults(imaging), unknown, keyFaults);
  if (!image || Object.keys(faults).length > 0) return { imaging: null, faults };
  const secrets: ImagingSecrets = { rootPassword, firstBootScript };
  const sealedSecrets = sealSecrets(context, secrets);
  const { url: imageUrl, sha256: imageSha256 } = image;
  return { imaging: { distribution, imageUrl, imageSha256, sshKeys: keys, sealedSecrets }, faults };
}

/** The keys of a file like `authorized_keys`, each once. */
function readKeys(text: string): { keys: string[]; faults: FieldFaults } {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (lines.length > sshKeysMax) {
    return { keys: [], faults: { ssh_public_key: [`is too long (maximum is ${sshKeysMax} keys)`] } };
  }
  const keys = new Map<string, string>();
  for (const line of lines) {
    try {
      const key = checkPublicKey(line, 'ssh_public_key');
      keys.set(partsOf(key).fingerprint, key);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      return { keys: [], faults: { ssh_public_key: ['is invalid'] } };
    }
  }
  return { keys: [...keys.values()], faults: {} };
}

/** Whether a datacenter of this slug can be asked for. */
export async function zoneFaults(context: Context, zone: string | null): Promise<FieldFaults> {
  if (zone === null) return {};
  const isKnown = (await listDatacenters(context.database)).some(({ slug }) => slug === zone);
  return isKnown ? {} : { zone_name: [notListed] };
}

const urlLengthMax = 2048;

/** What is wrong with an ISO image's URL: as it stands, and as its server, which has to be a public one, answers. */
export async function cdromFaults(context: Context, text: string | null | undefined): Promise<FieldFaults> {
  if (text == null) return {};
  const fault = (why: string): FieldFaults => ({ cdrom_url: [why] });
  const url = URL.parse(text);
  if (!url || text.length > urlLengthMax) return fault('is invalid');
  if (!['http:', 'https:'].includes(url.protocol)) return fault('must be an http or https URL');
  if (url.username || url.password) return fault('must not have a user name or password in it');
  return checkIso(context, url, 'cdrom_url');
}
