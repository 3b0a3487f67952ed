// The real clock and the real randomness; nothing else in Berth reads either.

import { randomBytes } from 'node:crypto';
import type { Clock, Entropy } from '../model/world.ts';

export const systemClock: Clock = { now: () => new Date() };
export const systemEntropy: Entropy = { bytes: (count) => randomBytes(count) };
