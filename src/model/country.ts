// Countries by their ISO 3166-1 alpha-2 codes, as the runtime's own data knows them.

const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** Codes that Unicode's data names and ISO 3166-1 gives to no country: groupings, exceptional reservations, private use. */
const noCountries: ReadonlySet<string> = new Set([
  'AC',
  'CP',
  'CQ',
  'DG',
  'EA',
  'EU',
  'EZ',
  'IC',
  'QO',
  'TA',
  'UK',
  'UN',
  'XA',
  'XB',
  'XK',
  'ZZ',
]);

/**
 * Reads a country's code; lower case is taken too.
 * @returns the code in upper case, or null when ISO 3166-1 has no such country
 */
export function parseCountry(text: string): string | null {
  const code = text.toUpperCase();
  if (!/^[A-Z]{2}$/.test(code) || noCountries.has(code)) return null;
  return names.of(code) === undefined ? null : code;
}
