// What the scripts of all shells are written of.

import type { Node } from './grammar.ts';

/** A text that a POSIX shell, zsh or fish takes for itself. */
export const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** An endless argument is completed so often; nobody types more. */
const endlessMax = 9;

/** Where which kind of value is to be typed: `PATH FLAG`, or `PATH N` for the argument behind N others. */
export function kindsOf(nodes: readonly Node[]): [patterns: string[], kind: string][] {
  return nodes.flatMap(({ path, args, endless, values }) => {
    const more = endless ? Array.from({ length: endlessMax }, () => args.at(-1) ?? '') : [];
    return [
      ...[...args, ...more].map((kind, index): [string[], string] => [[`${path} ${index}`], kind]),
      ...values.map(([flags, kind]): [string[], string] => [flags.map((flag) => `${path} ${flag}`), kind]),
    ].filter(([, kind]) => kind !== '');
  });
}
