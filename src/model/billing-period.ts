// How time is cut into what is paid for. A price is for one epoch; an epoch is a day, or an hour where billing is by the
// hour or by the second.

/**
 * - `global-daily`: days that end for everyone at 17:55 UTC (Fluence API: billing)
 * - `daily-per-vm`: days counted from the instance's activation
 * - `hourly`: hours counted from the instance's activation
 * - `per-second`: what ran, by the second, after it ran; prices are for an hour
 */
export const billingPeriods = ['global-daily', 'daily-per-vm', 'hourly', 'per-second'] as const;

/** One of {@link billingPeriods}. */
export type BillingPeriod = (typeof billingPeriods)[number];
