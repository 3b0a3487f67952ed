// A host's standing in the market, set by the operator.

/**
 * - `open`: takes new instances
 * - `drained`: takes no new ones and keeps those it has
 * - `retired`: has none, and is kept for the record only
 */
export const hostStates = ['open', 'drained', 'retired'] as const;

/** One of {@link hostStates}. */
export type HostState = (typeof hostStates)[number];
