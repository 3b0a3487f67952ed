// What accounts and their users may be called.

import { BerthError, shown } from './errors.ts';

/** As long as the schema holds. */
const nameLengthMax = 63;

/**
 * Checks an account's name: printable, and short enough for a table.
 * @throws BerthError `invalid_value`
 */
export function checkAccountName(name: string, field: string): string {
  const isText = name.isWellFormed() && /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(name) && name === name.trim();
  if (isText && name.length <= nameLengthMax) return name;
  const rule = `a name has 1 to ${nameLengthMax} characters on one line, and no space at either end`;
  throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
}

/**
 * Checks a user's name, which may be a mail address. One of digits alone would be taken for a number.
 * @throws BerthError `invalid_value`
 */
export function checkUsername(name: string, field: string): string {
  if (name.length <= nameLengthMax && /^(?!\d+$)[A-Za-z0-9][\w.+@-]*$/.test(name)) return name;
  const rule = `a user's name has 1 to ${nameLengthMax} letters, digits and characters of "-_.+@", begins with a letter or digit and is no number`;
  throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
}

/** As long as a mail address can be (RFC 5321), and as the schema holds. */
const emailLengthMax = 254;

/**
 * Checks a mail address: enough to catch what is none, as only a mail that arrives tells more.
 * @throws BerthError `invalid_value`
 */
export function checkEmail(email: string, field: string): string {
  if (email.length <= emailLengthMax && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email)) return email;
  throw new BerthError(
    'invalid_value',
    `${field} is ${shown(email)}; a mail address looks like ann@example.com.`,
    field,
  );
}
