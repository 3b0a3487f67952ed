// Two connections made one: what comes in at either goes out at the other, no faster than it is taken.

import type { Duplex } from 'node:stream';

/** How long a slow reader has for what was said last. */
const partingMs = 1_000;

/**
 * Joins two connections until either closes, which closes the other. That one end has no more to say ends nothing: who only
 * listens is a reader, too.
 * @returns resolves when both are closed
 */
export async function join(one: Duplex, other: Duplex): Promise<void> {
  one.pipe(other, { end: false }).pipe(one, { end: false });
  await Promise.all([closing(one, other), closing(other, one)]);
}

/** Resolves when an end is closed, having closed the other. */
function closing(end: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    // Whatever it was, the connection is closed by it.
    end.on('error', () => {});
    const close = () => {
      part(other);
      resolve();
    };
    if (end.closed) close();
    else end.once('close', close);
  });
}

/** Closes a connection once it has taken what was written to it. */
function part(connection: Duplex): void {
  if (connection.destroyed) return;
  const rude = setTimeout(() => connection.destroy(), partingMs);
  connection.once('close', () => clearTimeout(rude));
  connection.end(() => connection.destroy());
}
