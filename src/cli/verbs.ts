// The verbs that every noun has: a list, one of it, and its end. A noun says its columns, and how one is found.

import type { Option } from 'commander';
import type { Pages } from '../../sdk/pages.ts';
import { confirm } from './ask.ts';
import { type Desk, option, several, type Verb } from './command.ts';
import { UsageError } from './exit.ts';
import { namesOf } from './find.ts';
import { type Cell, type Column, type Look, plainText, sheetOf, tableOf } from './table.ts';
import { wholeNumber } from './units.ts';

/** The largest page that the API gives. */
const pageRowsMax = 200;

/** What a list needs. */
export interface ListVerb<Row, Options> {
  /** `list` unless given. */
  usage?: string;
  description: string;
  detail?: string;
  operation: string;
  examples: readonly string[];
  options?: readonly Option[];
  columns: readonly Column<Row>[];
  /** What is said where there is nothing. */
  none: string;
  /** What a row is called, where it has a name to be typed: adds --names. */
  name?(row: Row): string;
  /** The instance that a row is about, where the table shows its name. */
  about?(row: Row): string | null;
  /** What other things are called whose names the table shows, by their ids. */
  called?(desk: Desk): Promise<ReadonlyMap<string, string>>;
  /** So many rows unless --limit says otherwise; all where it is left out. */
  rows?: number;
  /** Newest first is turned round, so that the newest stands where the eye is. */
  pages(desk: Desk, limit: number, options: Options, args: readonly string[]): Pages<Row> | Promise<Pages<Row>>;
}

interface OwnOptions {
  limit?: number;
  names?: boolean;
  columns?: string[];
}

/** The columns of these titles; all unless any is named. @throws UsageError that lists them */
function columnsOf<Row>(
  columns: readonly Column<Row>[],
  titles: readonly string[] | undefined,
): readonly Column<Row>[] {
  return (
    titles?.map((title) => {
      const found = columns.find((one) => one.title.toLowerCase() === title.toLowerCase());
      if (found) return found;
      const known = columns.map((one) => one.title).join(', ');
      throw new UsageError(`--columns has "${title}"; there is: ${known}.`);
    }) ?? columns
  );
}

/** A verb that shows a list. */
export function listVerb<Row, Options extends object = object>(noun: ListVerb<Row, Options>): Verb {
  const {
    usage = 'list',
    columns,
    none,
    rows = Number.POSITIVE_INFINITY,
    options = [],
    pages,
    name,
    about,
    called,
    ...rest
  } = noun;
  const most = Number.isFinite(rows) ? `${rows} unless given` : 'all unless given';
  return {
    ...{ usage, ...rest },
    options: [
      ...options,
      option('--limit <N>', `so many at most; ${most}`, wholeNumber),
      ...(name ? [option('--names', 'answer with names alone')] : []),
      option('--columns <TITLES>', 'only these columns, in this order', several),
    ],
    async run(desk, args, { names, columns: titles, ...given }: Options & OwnOptions) {
      const shown = columnsOf(columns, titles);
      const limit = given.limit ?? rows;
      const list = await pages(desk, Math.min(limit, pageRowsMax), given as Options & { limit?: number }, args);
      const value = await readList(list, limit);
      if (names && name) return { value, text: () => value.items.map((row) => `${plainText(name(row))}\n`).join('') };
      const isTable = !desk.json && !desk.quiet && value.items.length > 0;
      const ids = new Set(isTable && about ? value.items.flatMap((row) => about(row) ?? []) : []);
      const known = new Map([
        ...(ids.size > 0 ? await namesOf(desk.berth, ids) : []),
        ...(isTable && called ? await called(desk) : []),
      ]);
      return {
        value,
        text: (look) =>
          value.items.length === 0 ? `${none}\n` : tableOf(shown, value.items, { ...look, names: known }),
      };
    },
  };
}

/** So many rows of a list, from its first page on. */
export async function readList<Row>(
  list: Pages<Row>,
  limit: number,
): Promise<{ items: Row[]; nextCursor: string | null }> {
  const items: Row[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await list.page(cursor);
    items.push(...page.items);
    if (items.length > limit) return { items: items.slice(0, limit), nextCursor: null };
    const isOver = page.items.length === 0 || page.nextCursor === null || items.length === limit;
    if (isOver) return { items, nextCursor: page.nextCursor };
    cursor = page.nextCursor ?? undefined;
  }
}

/** What one thing is shown by. */
export type Sheet<Thing> = (thing: Thing, look: Look) => readonly (readonly [name: string, value: Cell])[];

/** A verb that shows one thing. */
export function showVerb<Thing>(noun: {
  usage: string;
  description: string;
  detail?: string;
  operation: string;
  examples: readonly string[];
  options?: readonly Option[];
  find(desk: Desk, text: string, options: object): Promise<Thing>;
  sheet: Sheet<Thing>;
  /** The instance that it is about, where the sheet shows its name. */
  about?(thing: Thing): string | null;
}): Verb {
  const { find, sheet, about, ...rest } = noun;
  return {
    ...rest,
    async run(desk, [text = ''], options) {
      const thing = await find(desk, text, options);
      const id = desk.json || desk.quiet ? null : about?.(thing);
      const names = id == null ? {} : { names: await namesOf(desk.berth, new Set([id])) };
      return sheetAnswer(thing, (one, look) => sheet(one, { ...look, ...names }));
    },
  };
}

/** An answer that is one thing. */
export const sheetAnswer = <Thing>(value: Thing, sheet: Sheet<Thing>) => ({
  value,
  text: (look: Look) => sheetOf(sheet(value, look), look),
});

/** Does not ask. */
export const yesOption = () => option('-y, --yes', 'do it without asking');

/** A verb that ends something for good, and asks before it does. */
export function deleteVerb<Thing>(noun: {
  usage: string;
  description: string;
  detail?: string;
  operation: string;
  examples: readonly string[];
  options?: readonly Option[];
  find(desk: Desk, text: string, options: object): Promise<Thing>;
  /** What will be lost, as a question. */
  question(thing: Thing): string;
  end(desk: Desk, thing: Thing): Promise<unknown>;
  /** What is said when it is done. */
  done(thing: Thing): string;
}): Verb {
  const { find, question, end, done, options = [], ...rest } = noun;
  return {
    ...rest,
    options: [...options, yesOption()],
    async run(desk, [text = ''], given: { yes?: boolean }) {
      const thing = await find(desk, text, given);
      await confirm(desk, given.yes === true, question(thing));
      return { value: await end(desk, thing), text: done(thing) };
    },
  };
}

/** A verb that changes something and tells so in a sentence. */
export function actVerb<Options extends object = object>(
  verb: Omit<Verb, 'run'> & {
    act(desk: Desk, args: readonly string[], options: Options): Promise<{ value: unknown; done: string } | undefined>;
  },
): Verb {
  const { act, ...rest } = verb;
  return {
    ...rest,
    async run(desk, args, options) {
      const done = await act(desk, args, options as Options);
      return done && { value: done.value, text: done.done };
    },
  };
}
