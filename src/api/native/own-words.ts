// Some use cases refuse in the words that Bytemark's clients know: discs, and the head that they are on. Here these are disks and
// hosts, as everywhere else in this API.

/** `disc` where it is a word of a sentence, and no name or label that somebody has given. */
const disc = /(?<!called )\bdisc(s?)(?= (?:of|has|was|or|called|to|stay|any) | "|[.,:]|$)/g;
/** `head` where it means a host. */
const head = /\b(another|machine's) head(?= has |:)/g;

/** A refusal in this API's words. */
export const inOwnWords = (text: string): string => text.replace(disc, 'disk$1').replace(head, '$1 host');
