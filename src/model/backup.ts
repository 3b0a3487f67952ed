// Backups of disks: what they are called, when a schedule wants one, and which ones it lets go of. (Bytemark API: backups and
// schedules.)

import { mibPerGib } from './configuration.ts';

/** A backup on its way: its host is to make it, has made it, or is to remove it. */
export type BackupState = 'wanted' | 'ready' | 'erasing';

/** Backups that a disk has at most, however they were asked for. */
export const backupsMax = 100;
/** Schedules of one disk. */
export const schedulesMax = 10;
/** More often than this a schedule makes no backups, in seconds. */
export const intervalSecondsMin = 300;
/** Ten years, in seconds. */
export const intervalSecondsMax = 10 * 366 * 24 * 60 * 60;

/** What a backup of a disk takes of its host, in GiB. */
export const backupGib = (sizeMib: number) => Math.ceil(sizeMib / mibPerGib);

/** What a backup is called: after its disk and the second it was asked for. @param serial tells those of one second apart */
export function backupLabel(diskLabel: string, at: Date, serial = 0): string {
  const digits = at.toISOString().replace(/\D/g, '').slice(0, 14);
  return `${diskLabel.slice(0, 200)}-backup-${digits}${serial === 0 ? '' : `-${serial}`}`;
}

const timeOfDay = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const dateAndTime = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/;

/**
 * When a schedule begins: a time of day is the next such moment in UTC; a date and time is that moment, in UTC where it names
 * no offset.
 * @returns null for what is neither
 */
export function parseStart(text: string, now: Date): Date | null {
  const time = timeOfDay.exec(text.trim());
  if (time) {
    const [, hours, minutes, seconds = '0'] = time;
    const at = new Date(now);
    at.setUTCHours(Number(hours), Number(minutes), Number(seconds), 0);
    if (at < now) at.setUTCDate(at.getUTCDate() + 1);
    return at;
  }
  const moment = dateAndTime.exec(text.trim());
  if (!moment) return null;
  const [, date, clock, zone = 'Z'] = moment;
  const offset = zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const at = new Date(`${date}T${clock}${offset}`);
  // The calendar has no 30 February; JavaScript takes it for 2 March.
  const isDay = !Number.isNaN(at.getTime()) && new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) === date;
  return isDay ? at : null;
}

/** What a schedule says of when. */
export interface Rhythm {
  startAt: Date;
  intervalSeconds: number;
}

/** The last moment up to now at which a backup was due; null before the first. Those before it that were missed are passed over. */
export function lastDue({ startAt, intervalSeconds }: Rhythm, now: Date): Date | null {
  const sinceMs = now.getTime() - startAt.getTime();
  if (sinceMs < 0) return null;
  const intervalMs = intervalSeconds * 1000;
  return new Date(startAt.getTime() + Math.floor(sinceMs / intervalMs) * intervalMs);
}
