// Looks at the URLs of accounts' own images, beside all requests: whether there is something that can be an image. Whether all of it
// is what was registered only a host sees, which has the whole file.

import type { ImageFormat } from '../model/own-image.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { type DueImage, noteChecked, takeDueImages } from '../store/own-image.ts';
import type { Context } from './context.ts';
import { imageEvent } from './own-image.ts';

/**
 * Looks at what a URL leads to. `format` is null where it does not show from outside. A fault that is not `lasting` may be over
 * soon; it is a sentence's end, to follow "The image".
 */
export type ImageReader = (url: URL) => Promise<{ format: ImageFormat | null } | { fault: string; lasting: boolean }>;

/** Each takes a connection, for seconds where its server is slow. */
const atOnceMax = 8;
/** Longer than looking ever takes: whoever has not told by then was killed. */
const leaseMs = 60_000;
/** After each look that came to nothing, so long until the next; then it has failed. A server's restart is waited for. */
const pausesMs = [10_000, 30_000, 120_000, 600_000] as const;

/** One pass: looks at what is due. */
export async function checkOwnImages(context: Context): Promise<void> {
  const { database, clock, readImage } = context;
  if (!readImage) return;
  const now = clock.now();
  const until = new Date(now.getTime() + leaseMs);
  const due = await takeDueImages(database, { now, until, limit: atOnceMax });
  await Promise.all(due.map((image) => check(context, readImage, image)));
}

async function check(context: Context, readImage: ImageReader, image: DueImage): Promise<void> {
  const { id, accountId, name, format, checks } = image;
  const found = await look(readImage, image);
  const now = context.clock.now();
  const pauseMs = 'fault' in found && !found.lasting ? pausesMs[checks - 1] : undefined;
  const again = pauseMs === undefined ? null : new Date(now.getTime() + pauseMs);
  const reason = 'fault' in found ? `The image ${found.fault}.` : null;
  await inTransaction(context.database, async (tx) => {
    const known = 'fault' in found ? format : (format ?? found.format);
    if (!(await noteChecked(tx, { id, checks }, { format: known, reason, again }, now)) || again) return;
    const kind = reason === null ? 'own-image.ready' : 'own-image.failed';
    const message = reason === null ? `The image ${name} is ready.` : `The image ${name} can't be used. ${reason}`;
    const by = { accountId, actor: 'berth' };
    await insertEvents(tx, [imageEvent(context, by, kind, { id, name, message })]);
  });
}

/** What its URL leads to, held against what was said of it. */
async function look(readImage: ImageReader, { url, format }: DueImage): ReturnType<ImageReader> {
  const found = await readImage(new URL(url));
  if ('fault' in found || format === null || found.format === null || found.format === format) return found;
  return { fault: `is ${found.format}, and was registered as ${format}`, lasting: true };
}
