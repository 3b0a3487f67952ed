// The one table of what can go wrong with an image: code, and whether trying again can help. Messages are written where
// the failure is found, for the customer whose VM it is; a URL in them goes through `shownUrl`, which takes secrets out.

import { DriverFailure } from '../driver.ts';

/** `permanent`: the image itself, or what its server says of it, must change before another try makes sense. */
export const imageFailureTable = {
  'image.url': { permanent: true },
  'image.address': { permanent: true },
  'image.redirect': { permanent: true },
  'image.tls': { permanent: true },
  'image.http': { permanent: true },
  'image.unavailable': { permanent: false },
  'image.unreachable': { permanent: false },
  'image.timeout': { permanent: false },
  'image.deadline': { permanent: true },
  'image.truncated': { permanent: true },
  'image.too-long': { permanent: true },
  'image.too-large': { permanent: true },
  'image.bomb': { permanent: true },
  'image.corrupt': { permanent: true },
  'image.checksum': { permanent: true },
  'image.format': { permanent: true },
  'image.backing-file': { permanent: true },
  'image.data-file': { permanent: true },
  'image.encrypted': { permanent: true },
  'image.size': { permanent: true },
  'host.disk-full': { permanent: true },
  'host.tool': { permanent: false },
} as const;

/** A code of {@link imageFailureTable}. */
export type ImageFailureCode = keyof typeof imageFailureTable;

/** A failure of the table; `message` is for the customer. */
export function imageFailure(code: ImageFailureCode, message: string): DriverFailure {
  return new DriverFailure(code, message, imageFailureTable[code].permanent);
}

/** A URL as it may stand in a message or a log: without user, password, query and fragment, where secrets live. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** The `code` of a system or Node error, or the empty string. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Whether an error says that the file system, or this user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The failure that a full disk ends in, for good. */
export function diskFullFailure(): DriverFailure {
  return imageFailure(
    'host.disk-full',
    'The host has no space left for the image; try a smaller one, or another host.',
  );
}

/** An error that the rest of the store treats like the kernel's own ENOSPC. */
export function outOfSpace(): Error {
  return Object.assign(new Error('less free space than the host must keep'), { code: 'ENOSPC' });
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A count of bytes as people read it: `1.5 GiB`. */
export function shownBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** How far a download came, for a message. */
export function shownExtent(bytes: number, total: number | null): string {
  return total === null
    ? shownBytes(bytes)
    : `${bytes} of ${total} bytes (${shownBytes(bytes)} of ${shownBytes(total)})`;
}
