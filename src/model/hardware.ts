// What a host is made of, as customers choose by it. What nobody could find out is null, and matches no constraint that
// asks for it.

/** A kind of disk, slowest first. */
export const storageTypes = ['HDD', 'SSD', 'NVMe'] as const;

/** One of {@link storageTypes}. */
export type StorageType = (typeof storageTypes)[number];

/** A host's hardware. */
export interface Hardware {
  cpu: {
    /** Such as `AMD` or `Intel`. */
    manufacturer: string | null;
    /** Such as `EPYC` or `Xeon`. */
    brand: string | null;
    /** Such as `Zen` or `Ice Lake`. */
    architecture: string | null;
    /** Such as `2`. */
    generation: string | null;
    /** As the processor names itself. */
    model: string | null;
  };
  memory: {
    /** Such as `DDR`. */
    type: string | null;
    /** Such as `4`. */
    generation: string | null;
  };
  storage: { type: StorageType };
}

/** The parts that an operator states against what the agent found. */
export interface HardwareOverrides {
  cpu?: Partial<Hardware['cpu']>;
  memory?: Partial<Hardware['memory']>;
  storage?: Partial<Hardware['storage']>;
}
