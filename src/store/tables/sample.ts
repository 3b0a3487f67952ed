// What instances and hosts use.

/** See `schema/0027_sample.sql`. */
export interface SampleTable {
  slot: number;
  subject: string;
  at: Date;
  samples: number;
  cpu: number | null;
  memory_bytes: bigint | null;
  disk_bytes: bigint | null;
  disk_read_bytes_per_second: number | null;
  disk_write_bytes_per_second: number | null;
  disk_reads_per_second: number | null;
  disk_writes_per_second: number | null;
  network_receive_bytes_per_second: number | null;
  network_send_bytes_per_second: number | null;
  instances: number | null;
}

interface SampleTierTable {
  tier: number;
  made_until: Date;
}

/** Samples, and the averages made of them. */
export interface SampleTables {
  sample: SampleTable;
  sample_tier: SampleTierTable;
}
