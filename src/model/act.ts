// Acts: what is done to a running VM once, beside bringing it to a state. One that was not done in time is not done at all.

/** What can be done to a running VM. */
export const actKinds = ['powerdown', 'reset', 'sendkey'] as const;

/**
 * - `powerdown`: its power button is pressed; what the guest does about it is up to the guest
 * - `reset`: its reset button is pressed; it goes on as the machine that it is
 * - `sendkey`: these keys are pressed together, by the names of `sendkeys`
 */
export type Act = { kind: 'powerdown' } | { kind: 'reset' } | { kind: 'sendkey'; keys: readonly string[] };

/** How an act went: it was done, there was no running guest to do it to, or it could not be done. */
export const actOutcomes = ['done', 'not-running', 'failed'] as const;

/** One of {@link actOutcomes}. */
export type ActOutcome = (typeof actOutcomes)[number];
