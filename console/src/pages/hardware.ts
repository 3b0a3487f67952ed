// The hardware that the guest of a VM sees: where one is made, and where one is changed.

/** The profiles, the usual one first. */
export const hardwareProfiles = ['virtio2013', 'compatibility2013'] as const;

/** One of {@link hardwareProfiles}. */
export type HardwareProfile = (typeof hardwareProfiles)[number];

/** As they are offered. */
export const hardwareChoices = hardwareProfiles.map((value) => ({ value, label: value }));

/** What tells them apart. */
export const hardwareHint = 'compatibility2013 is an old PC, for guests that know no virtual hardware';
