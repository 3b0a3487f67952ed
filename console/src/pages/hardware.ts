// The hardware that the guest of a VM sees: where one is made, and where one is changed.

/** The profiles, the usual one first. */
export const hardwareProfiles = ['virtio2013', 'compatibility2013'] as const;

/** One of {@link hardwareProfiles}. */
export type HardwareProfile = (typeof hardwareProfiles)[number];

const labels: Record<HardwareProfile, string> = {
  virtio2013: 'virtio2013: for guests that know virtual hardware',
  compatibility2013: 'compatibility2013: an old PC, for guests that do not',
};

/** As they are offered. */
export const hardwareChoices = hardwareProfiles.map((value) => ({ value, label: labels[value] }));
