// Time and chance come in from outside: everything that reads a clock or needs randomness takes one of these, so that a
// test can run a year in a second and repeat a failing run from its seed. The real ones are made in `main.ts` alone.

/** Where the time comes from. */
export interface Clock {
  /** The present moment. */
  now(): Date;
}

/** Where randomness comes from: identifiers, secrets, back-off jitter. */
export interface Entropy {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
}
