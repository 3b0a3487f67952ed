// Some use cases refuse in the words that Bytemark's clients know: discs, and the head that they are on. Here these are disks and
// hosts, as everywhere else in this API.

/** `disc` where it is a word of a sentence, and no name or label that somebody has given. */
const disc = /(?<!called )\bdisc(s?)(?= (?:of|has|was|or|called|to|stay|any) | "|[.,:]|$)/g;
/** `head` where it means a host. */
const head = /\b(another|machine's) head(?= has |:)/g;

/** What Bytemark's clients are told of with two words, by the field as it is called there. */
const invalid: Readonly<Record<string, string>> = {
  name: 'has something else than letters, digits and "-" in it, or begins or ends with "-"',
  root_password: 'has a line break or another control character in it',
  cdrom_url: 'is no URL, or too long a one',
};

/** What is wrong with a field, in this API's words. @param field as the use case calls it */
export const faultInOwnWords = (field: string, fault: string): string =>
  (fault === 'is invalid' && invalid[field]) || inOwnWords(fault);

/** A refusal in this API's words. */
export const inOwnWords = (text: string): string => text.replace(disc, 'disk$1').replace(head, '$1 host');
