// Where hosts stand.

/** A datacenter as customers see it. */
export interface Datacenter {
  id: string;
  /** Such as `pl-poz-1`. */
  slug: string;
  /** ISO 3166-1 alpha-2, such as `PL`. */
  countryCode: string;
  /** The city's part of its UN/LOCODE, such as `POZ`. */
  cityCode: string;
  /** Tells datacenters of one city apart, from 1. */
  cityIndex: number;
  /** Uptime Institute's tier, 1 to 4. */
  tier: number;
  certifications: readonly string[];
}
