// How a host connects its VMs.

/**
 * - `user`: each VM by itself, through its hypervisor; needs no rights and nothing of the host's network
 * - `bridge`: VMs of a group in a network of theirs, to which the host is the router
 */
export const networkModes = ['user', 'bridge'] as const;

/** One of {@link networkModes}. */
export type NetworkMode = (typeof networkModes)[number];

/** What each mode gives a VM, for the operator to read. */
export const networkModeSummary: Record<NetworkMode, string> = {
  user: 'user: each VM by itself, IPv4 only, open ports alone; no private network between VMs, no IPv6',
  bridge: "bridge: a network for each group, IPv4 and IPv6, routed by the host, guarded by the host's packet filter",
};
