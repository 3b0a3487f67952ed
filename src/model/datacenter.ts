// Where hosts stand.

import { parseCountry } from './country.ts';
import { BerthError, shown } from './errors.ts';

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

/** More in one city would need names of another kind. */
const cityIndexMax = 9_999;
const tierMax = 4;
/** A datacenter has a handful; each is a name such as `ISO 27001`. */
const certificationsMax = 32;
const certificationLengthMax = 63;

/** What is said of a datacenter, as it is given: codes in any letter case. */
export type DatacenterTerms = Omit<Datacenter, 'id'>;

/**
 * Checks what is said of a datacenter.
 * @param fields how each part is called by whoever says it
 * @returns the same with codes in upper case
 * @throws BerthError `invalid_value`
 */
export function checkDatacenter(
  given: DatacenterTerms,
  fields: Record<keyof DatacenterTerms, string>,
): DatacenterTerms {
  const fail = (part: keyof DatacenterTerms, rule: string) => {
    const message = `${fields[part]} is ${shown(given[part])}; ${rule}.`;
    return new BerthError('invalid_value', message, fields[part]);
  };
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(given.slug)) {
    throw fail('slug', 'a name has 1 to 63 lower-case letters, digits and hyphens, such as "pl-poz-1"');
  }
  const countryCode = parseCountry(given.countryCode);
  if (!countryCode) throw fail('countryCode', 'it must be an ISO 3166-1 code of two letters, such as "PL"');
  const cityCode = given.cityCode.toUpperCase();
  if (!/^[A-Z2-9]{3}$/.test(cityCode)) {
    throw fail('cityCode', 'it must be the three characters of a city in UN/LOCODE, such as "POZ"');
  }
  const isCount = (value: number, max: number) => Number.isInteger(value) && value >= 1 && value <= max;
  if (!isCount(given.cityIndex, cityIndexMax)) {
    throw fail('cityIndex', `it must be a whole number from 1 to ${cityIndexMax}`);
  }
  if (!isCount(given.tier, tierMax)) throw fail('tier', `it must be a whole number from 1 to ${tierMax}`);
  const certifications = [...new Set(given.certifications)];
  const areNames = certifications.every(
    (name) =>
      name.length <= certificationLengthMax && name.isWellFormed() && /^\P{Cc}+$/u.test(name) && name === name.trim(),
  );
  if (!areNames || certifications.length > certificationsMax) {
    throw fail(
      'certifications',
      `at most ${certificationsMax} names of 1 to ${certificationLengthMax} characters are taken`,
    );
  }
  return { ...given, countryCode, cityCode, certifications };
}
