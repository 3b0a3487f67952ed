// What can be typed where, read out of the commands themselves: the words after each command, and of each argument and option what its
// value may be. The scripts of all shells are written out of this.

import type { Argument, Command, Option } from 'commander';
import { isKind } from './values.ts';

/** One command with what can come after it. */
export interface Node {
  /** The words that name it, without `berth`. */
  path: string;
  /** What can come next, with what each means. */
  next: [word: string, meaning: string][];
  /** What its arguments may be, in their order: see {@link kindOf}. */
  args: string[];
  /** Whether the last of them may be given more than once. */
  endless: boolean;
  /** What its options' values may be, by their flags. */
  values: [flags: string[], value: string][];
}

/** A file of any name. */
export const anyFile = '/';

/** By an option's name, where its placeholder says too little. */
const byOption: Readonly<Record<string, string>> = {
  '--api-key': 'api-key',
  '--profile': 'profile',
  '--ssh-key': 'ssh-key',
  '--authorized-key': anyFile,
};
/** What a `<KEY>`, `<SIZE>` or `<NAME>` is, by the command; elsewhere it is anything. */
const byCommand: Readonly<Record<string, string>> = {
  'api-key KEY': 'api-key',
  'ssh-key KEY': 'ssh-key',
  'size SIZE': 'size',
  'vm --size': 'size',
  'offer --size': 'size',
  'quote --size': 'size',
  'profile use NAME': 'profile',
  'ct --image': '',
};
const files: ReadonlySet<string> = new Set(['FILE', 'DIR']);

/**
 * What a placeholder stands for: a kind of thing that the server is asked for, `=a b c` where it is one of these, a file, or nothing
 * that is known.
 */
function kindOf(words: readonly string[], placeholder: string, flag: string | null): string {
  const name = placeholder.replace(/\.+$/, '').replace(/\[?:.*$/, '');
  const [noun = '', verb = ''] = words;
  const what = flag ?? name;
  const known = byCommand[`${noun} ${what}`] ?? byCommand[`${noun} ${verb} ${what}`] ?? (flag && byOption[flag]);
  if (known !== undefined && known !== null) return known;
  if (files.has(name)) return anyFile;
  const kind = name.toLowerCase();
  return isKind(kind) && kind !== 'size' ? kind : '';
}

const isLater = ({ long }: Option) => long === '--help' || long === '--version';

function argOf(words: readonly string[], one: Argument): string {
  if (one.argChoices) return `=${one.argChoices.join(' ')}`;
  return kindOf(words, one.name(), null);
}

function optionOf(words: readonly string[], one: Option): string {
  if (one.argChoices) return `=${one.argChoices.join(' ')}`;
  const [, placeholder = ''] = /[<[](.+)[>\]]$/.exec(one.flags) ?? [];
  return kindOf(words, placeholder, one.long ?? null);
}

const flagsOf = ({ short, long }: Option): string[] => [long, short].filter((flag) => flag !== undefined);
const takesValue = (one: Option): boolean => one.required || one.optional;

/** A command and all below it. */
export function nodesOf(command: Command, words: readonly string[] = []): Node[] {
  const { commands, options, registeredArguments: args } = command;
  const visible = options.filter((one) => !one.hidden);
  return [
    {
      path: words.join(' '),
      next: [
        ...commands.map((one): [string, string] => [one.name(), one.description()]),
        ...visible.flatMap((one): [string, string][] => (one.long ? [[one.long, one.description]] : [])),
        ...(visible.some(isLater) ? [] : [['--help', 'show how it is used'] as [string, string]]),
      ],
      args: args.map((one) => argOf(words, one)),
      endless: args.at(-1)?.variadic === true,
      values: visible.filter(takesValue).map((one): [string[], string] => [flagsOf(one), optionOf(words, one)]),
    },
    ...commands.flatMap((one) => nodesOf(one, [...words, one.name()])),
  ];
}

/** The flags that a value follows. @throws Error where a flag has a value in one command and none in another */
export function valuedFlags(command: Command): string[] {
  const all = new Map<string, boolean>();
  const walk = (one: Command): void => {
    for (const some of one.options) {
      for (const flag of flagsOf(some)) {
        if ((all.get(flag) ?? takesValue(some)) !== takesValue(some))
          throw new Error(`${flag} has a value in one command and none in another.`);
        all.set(flag, takesValue(some));
      }
    }
    one.commands.forEach(walk);
  };
  walk(command);
  return [...all].flatMap(([flag, isValued]) => (isValued ? [flag] : []));
}
