// The commands of customers and operators as data: a noun has verbs, and each verb says its usage, its examples, which operation of the
// API it stands for, and what it does. How they are mounted, run and ended is the same for all.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { Berth } from '../../sdk/berth.ts';
import { exitCodeOf, exitCodes, sentenceOf, UsageError, type Whence } from './exit.ts';
import { helpEnd } from './manual.ts';
import { connectionOf } from './profile.ts';
import { folded, type Look, plainJson, plainLines } from './table.ts';

/** Where something is written to. */
interface Output {
  write(text: string | Uint8Array): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** What commands are given by whoever runs them. */
export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  /** For what is typed. */
  input: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
  /** For answers. */
  out: Output & {
    rows?: number;
    on?(event: 'resize', listener: () => void): unknown;
    off?(event: 'resize', listener: () => void): unknown;
  };
  /** For everything that is no answer: progress, questions, errors. */
  err: Output;
  /** Aborts when the person has had enough. */
  signal: AbortSignal;
  /** How the command ends. */
  end(exitCode: number): void;
}

/** A command's answer, for programs and for people. */
export interface Answer {
  /** What the API answered; undefined where that is nothing. */
  value: unknown;
  text: string | ((look: Look) => string);
}

/** What a command works with that asks no server. */
export interface BareDesk extends Terminal {
  /** Whether a program reads the answer. */
  json: boolean;
  /** Whether only ids are wanted. */
  quiet: boolean;
  /** The profile that the command line names. */
  profile: string | undefined;
  look: Look;
  /** The commands, as far as they were loaded. */
  program: Command;
  /** Said when the person has had enough: what goes on without the command. */
  goesOn: string | null;
}

/** What a command works with. */
export interface Desk extends BareDesk {
  berth: Berth;
}

/** What every verb says of itself. */
interface Described {
  /** Its name and arguments: `show <VM>`, or with a group of its own `ports open <VM> <PORT...>`. */
  usage: string;
  description: string;
  /** What more there is to say in its help. */
  detail?: string;
  /** The operation whose answer `--json` prints; null where it is none's. */
  operation: string | null;
  /** Command lines without the `berth` in front. */
  examples: readonly string[];
  options?: readonly Option[];
}

/** One thing that can be done with a noun. */
export interface Verb<Options extends object = object> extends Described {
  run(desk: Desk, args: readonly string[], options: Options): Promise<Answer | undefined>;
}

/** What is done without asking a server, or before anybody is logged in. */
export interface OfflineVerb<Options extends object = object> extends Described {
  operation: null;
  offline(desk: BareDesk, args: readonly string[], options: Options): Promise<Answer | undefined>;
}

/** A noun and what can be done with it. */
export interface Noun {
  verbs: readonly (Verb | OfflineVerb)[];
  /** What the groups of verbs within it are. */
  groups?: Readonly<Record<string, string>>;
}

/** Help is no wider, however wide the terminal. */
const helpColumns = 78;

interface CommonOptions {
  profile?: string;
  json?: boolean;
  quiet?: boolean;
}

const verbs = new WeakMap<Command, Verb | OfflineVerb>();
/** What a command says of itself; the commands of the installation are not described so. */
export const describedBy = (command: Command): Verb | OfflineVerb | undefined => verbs.get(command);
/** The operation that a command stands for, if it stands for one. */
export const operationOf = (command: Command): string | undefined => describedBy(command)?.operation ?? undefined;

/** An option. @param read reads its value, given what the option had before */
export function option<Value>(
  flags: string,
  description: string,
  read?: (value: string, before: Value | undefined) => Value,
): Option {
  const made = new Option(flags, description);
  if (!read) return made;
  return made.argParser<Value | undefined>((value, before) => {
    try {
      return read(value, before);
    } catch (error) {
      // Told with the option's name before it.
      throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
    }
  });
}

/** For an option that may be given more than once, or with commas. */
export const several = (value: string, before: string[] | undefined): string[] => [
  ...(before ?? []),
  ...value.split(',').filter((one) => one !== ''),
];

/** For an option that may be given more than once. */
export const each = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** Adds a verb below its noun. @param groups what the groups of verbs are */
export function addVerb(parent: Command, verb: Verb | OfflineVerb, groups: Noun['groups'], terminal: Terminal): void {
  const [, group, usage = verb.usage] = /^([a-z-]+) ([a-z].*)$/.exec(verb.usage) ?? [];
  const home = group === undefined ? parent : groupOf(parent, group, groups?.[group] ?? '');
  configure(home.command(usage), verb, terminal);
}

function groupOf(parent: Command, name: string, description: string): Command {
  return parent.commands.find((one) => one.name() === name) ?? parent.command(name).description(description);
}

/** Makes a command do what a verb says. */
export function configure(command: Command, verb: Verb | OfflineVerb, terminal: Terminal): void {
  command.description(verb.description).showHelpAfterError(`"${pathOf(command)} --help" shows how it is used.`);
  for (const one of verb.options ?? []) command.addOption(one);
  if (!command.options.some(({ long }) => long === '--profile')) {
    command.option('--profile <NAME>', 'whom to ask: one that "berth login" has made');
  }
  command.option('--json', 'answer in JSON, as the API has it').option('-q, --quiet', 'answer with ids alone');
  const detail = verb.detail ? `\n${folded(verb.detail, helpColumns).join('\n')}\n` : '';
  verbs.set(command, verb);
  command.addHelpText('after', () => `${detail}\n${helpEnd(command)}`);
  command.action(async () => {
    const { json = false, quiet = false, profile, ...options } = command.opts<CommonOptions>();
    const desk = { ...terminal, json, quiet, profile, look: lookOf(terminal), goesOn: null, program: rootOf(command) };
    const whence: Whence = { path: pathOf(command), list: listBeside(command), key: null };
    await toEnd(desk, whence, async () => {
      const args = command.processedArgs.flat().filter((one) => one !== undefined) as string[];
      const answer =
        'offline' in verb
          ? await verb.offline(desk, args, options)
          : await verb.run(await connected(desk, whence), args, options);
      if (answer) terminal.out.write(shownTo(desk, answer));
    });
  });
}

/** A desk with somebody at it. */
async function connected(desk: BareDesk, whence: Whence): Promise<Desk> {
  const { key, ...connection } = await connectionOf(desk.env, desk.profile);
  whence.key = key;
  return Object.assign(desk, { berth: new Berth(connection) });
}

/** The command that lists what another one is about. */
function listBeside({ parent }: Command): string | null {
  const list = parent?.commands.find((one) => one.name() === 'list');
  if (list) return pathOf(list);
  return parent ? listBeside(parent) : null;
}

const rootOf = (command: Command): Command => (command.parent ? rootOf(command.parent) : command);

/** A command with the words before it, as it is typed. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** An answer as it is wanted. */
function shownTo({ json, quiet, look }: BareDesk, { value, text }: Answer): string {
  if (json) return value === undefined ? '' : `${plainJson(value, 2)}\n`;
  if (quiet) return idsOf(value).join('\n').replace(/.$/s, '$&\n');
  if (typeof text !== 'string') return text(look);
  const lines = plainLines(text)
    .split('\n')
    // What is indented is for copying.
    .flatMap((line) => (line.startsWith('  ') ? [line] : folded(line, look.columns)));
  return lines.map((line) => `${line}\n`).join('');
}

function idsOf(value: unknown): string[] {
  const { id, slug, address, additional, instance, items } = (value ?? {}) as Record<string, unknown>;
  if (Array.isArray(items)) return items.flatMap(idsOf);
  // An address is its own name; an orphan has that of the instance that it was.
  const own = id ?? slug ?? (additional === undefined ? instance : address);
  return typeof own === 'string' ? [own] : [];
}

/** How wide and how coloured answers are. `COLUMNS` counts also where the answer goes to no terminal. */
function lookOf({ env, out }: Terminal): Look {
  const asked = Number(env.COLUMNS);
  const columns = asked > 0 ? asked : out.columns || Number.POSITIVE_INFINITY;
  return { columns, colours: out.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb', now: new Date() };
}

/** Runs a command to its end; what goes wrong is told and becomes the exit code. */
async function toEnd(desk: BareDesk, whence: Whence, run: () => Promise<void>): Promise<void> {
  const { signal, err } = desk;
  const enough = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([run(), enough]);
  } catch (error) {
    if (signal.aborted) {
      // A line that lived, and the ^C behind it, give way.
      err.write(`${err.isTTY ? '\r\x1b[K' : ''}${desk.goesOn ?? 'Stopped.'}\n`);
      const isTermination = (signal.reason as Error | undefined)?.message === 'SIGTERM';
      return desk.end(isTermination ? exitCodes.terminated : exitCodes.interrupted);
    }
    err.write(`berth: ${plainLines(sentenceOf(error, whence))}
`);
    desk.end(exitCodeOf(error));
  }
}
