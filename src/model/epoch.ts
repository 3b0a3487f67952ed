// An epoch is the period that is paid for. The default is the one that the Fluence page describes: 24 hours that end for
// everyone at 17:55 UTC.

const dayMs = 24 * 60 * 60 * 1000;
const boundaryMs = (17 * 60 + 55) * 60 * 1000;

/** The first epoch boundary (17:55 UTC) after `moment`. A moment on the boundary belongs to the epoch it begins. */
export function nextEpochBoundary(moment: Date): Date {
  const sinceBoundary = moment.getTime() - boundaryMs;
  return new Date((Math.floor(sinceBoundary / dayMs) + 1) * dayMs + boundaryMs);
}
