// `berth event`: what happened, and what happens.

import type { Event } from '../../../sdk/generated/types.ts';
import { type Desk, type Noun, option } from '../command.ts';
import { instanceIdOf, nameColumn, namesOf } from '../find.ts';
import { plainJson, plainText, relative, tableOf } from '../table.ts';
import { wholeNumber } from '../units.ts';
import { readList } from '../verbs.ts';

interface Options {
  account?: string;
  instance?: string;
  kind?: string;
  limit?: number;
}

const whichOptions = () => [
  option('--account <ACCOUNT>', 'in which account, where you see several'),
  option('--instance <INSTANCE>', 'only of this one'),
  option('--kind <KIND>', 'only of this kind and those below it, such as instance'),
];

const queryOf = async (desk: Desk, { account, instance, kind }: Options) => ({
  ...{ account, kind, instance: await instanceIdOf(desk, instance) },
});

/** What is told again and again while something goes on. */
const progressKinds = ['image.build', 'image.download'];
/** So many are read for each that is shown, as progress is told often and shown once. */
const readPerShown = 4;

/** Of events that only tell how far something is, the newest of each row of them. @param events the newest first */
function withoutProgress(events: readonly Event[]): Event[] {
  const kinds = new Map<string | null, string>();
  return events.filter(({ instance, kind }) => {
    const isTold = progressKinds.includes(kind) && kinds.get(instance) === kind;
    kinds.set(instance, kind);
    return !isTold;
  });
}

const isFailure = (kind: string) => /\.(failed|died|not_found)$/.test(kind);

/** The `event` commands. */
export const noun: Noun = {
  verbs: [
    {
      usage: 'list',
      description: 'show what happened last, the newest at the end',
      detail: 'Of events that tell how far something is, the last one is shown; --json and --kind show them all.',
      operation: 'listEvents',
      examples: ['event list', 'event list --instance web-1 --limit 20', 'event list --kind instance.failed'],
      options: [...whichOptions(), option('--limit <N>', 'so many at most; 50 unless given', wholeNumber)],
      async run(desk, _, { limit = 50, ...options }: Options) {
        const isWhole = desk.json || desk.quiet || options.kind !== undefined;
        const most = isWhole ? limit : limit * readPerShown;
        const query = { ...(await queryOf(desk, options)), newestFirst: true, limit: Math.min(most, 1000) };
        const { items, nextCursor } = await readList(desk.berth.events.list(query), most);
        const shown = isWhole ? items : withoutProgress(items).slice(0, limit);
        const value = { items: shown.reverse(), nextCursor };
        const isOfMany = !desk.json && !desk.quiet && options.instance === undefined;
        const ids = new Set(isOfMany ? shown.flatMap(({ instance }) => instance ?? []) : []);
        const names = ids.size > 0 ? await namesOf(desk.berth, ids) : new Map();
        return {
          value,
          text: (look) =>
            tableOf(
              [
                { title: 'when', cell: ({ createdAt }: Event) => relative(createdAt, look) },
                {
                  title: 'kind',
                  cell: ({ kind }) => ({ text: kind, tone: isFailure(kind) ? ('bad' as const) : null }),
                },
                ...(isOfMany ? [nameColumn('instance', ({ instance }: Event) => instance, 1)] : []),
                { title: 'what', cell: ({ message }) => message, rank: 2 },
                { title: 'by', cell: ({ actor }) => actor, rank: 3, whole: true },
              ],
              value.items,
              { ...look, names },
            ),
        };
      },
    },
    {
      usage: 'follow',
      description: 'show events as they happen, until Ctrl-C',
      detail: 'With --json, each event is a JSON object on a line of its own.',
      operation: null,
      examples: ['event follow', 'event follow --kind instance --json'],
      options: whichOptions(),
      async run(desk, _, options: Options) {
        desk.goesOn = 'Stopped following.';
        for await (const event of desk.berth.events.stream(await queryOf(desk, options), { signal: desk.signal })) {
          desk.out.write(desk.json ? `${plainJson(event)}\n` : lineOf(event));
        }
        return undefined;
      },
    },
  ],
};

const lineOf = ({ createdAt, kind, message }: Event): string =>
  `${createdAt.slice(11, 19)}  ${plainText(kind)}  ${plainText(message)}\n`;
