// What help and manual pages say of a command beside its options: how it may end and what else there is, and the whole of it as roff,
// which `man` reads. Both are written of the same data.

import type { Command } from 'commander';
import { describedBy, pathOf } from './command.ts';
import { exitCodes } from './exit.ts';

/** Which commands have to do with a noun's, beside its own. */
const related: Readonly<Record<string, readonly string[]>> = {
  account: ['balance', 'statement', 'user'],
  address: ['vm', 'host pool'],
  'api-key': ['login', 'privilege'],
  backup: ['disk', 'schedule'],
  balance: ['statement', 'spend', 'transaction'],
  completion: ['man'],
  ct: ['slot', 'quote', 'operation', 'event'],
  datacenter: ['host', 'offer'],
  deployment: ['vm', 'ct', 'operation'],
  disk: ['vm', 'backup', 'schedule'],
  event: ['operation', 'webhook'],
  group: ['vm', 'ct', 'privilege'],
  host: ['orphan', 'price', 'slot', 'top'],
  image: ['vm create', 'vm reimage'],
  ledger: ['revenue', 'account'],
  login: ['logout', 'profile', 'session', 'me'],
  logout: ['login', 'profile', 'session'],
  man: ['completion'],
  me: ['privilege', 'login'],
  offer: ['size', 'quote', 'vm create'],
  operation: ['event', 'vm', 'ct'],
  orphan: ['host'],
  price: ['host', 'offer', 'size'],
  privilege: ['user', 'api-key', 'me'],
  profile: ['login', 'logout', 'me'],
  quote: ['offer', 'vm create', 'slot'],
  revenue: ['ledger', 'price'],
  schedule: ['backup', 'disk'],
  'second-factor': ['login', 'session', 'privilege'],
  session: ['login', 'logout', 'second-factor'],
  size: ['offer', 'vm create'],
  slot: ['ct', 'quote', 'host'],
  spend: ['balance', 'statement'],
  'ssh-key': ['vm create', 'ct create'],
  statement: ['transaction', 'spend', 'balance'],
  top: ['vm', 'host', 'event'],
  transaction: ['statement', 'ledger'],
  user: ['privilege', 'second-factor', 'api-key'],
  vm: ['disk', 'address', 'operation', 'event'],
  webhook: ['event'],
};

/** What each exit code means, in a few words. */
const meanings: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [exitCodes.failed, 'failed'],
  [exitCodes.usage, 'the command line is wrong, or a value in it'],
  [exitCodes.access, 'not logged in, or not allowed'],
  [exitCodes.notFound, 'there is no such thing'],
  [exitCodes.conflict, "can't be done as things stand"],
  [exitCodes.unreachable, 'out of reach, or the time was up'],
  [exitCodes.interrupted, 'Ctrl-C'],
];

/** How a command may end, beside 0: a reader has no conflicts, and who asks nobody is not refused. */
function endsOf(command: Command): readonly (readonly [number, string])[] {
  const verb = describedBy(command);
  if (!verb || 'offline' in verb) return meanings.filter(([code]) => code <= exitCodes.usage);
  const reads = /^(get|list|count|explain)/.test(verb.operation ?? '');
  return meanings.filter(([code]) => !(reads && code === exitCodes.conflict));
}

/** What else there is: the noun that the command is of, and its relatives. */
function othersOf(command: Command): string[] {
  const [, noun = '', ...rest] = pathOf(command).split(' ');
  const own = rest.length > 0 ? [`berth ${noun}`] : [];
  return [...own, ...(related[noun] ?? []).map((one) => `berth ${one}`)];
}

/** The end of a command's help: examples, how it ends, what else there is. */
export function helpEnd(command: Command): string {
  const examples = (describedBy(command)?.examples ?? []).map((line) => `  berth ${line}\n`).join('');
  const codes = endsOf(command).map(([code]) => code);
  const others = othersOf(command);
  const ends = `Exit codes: ${codes.slice(0, -1).join(', ')} or ${codes.at(-1)}; "berth --help" says what each means.`;
  const see = others.length > 0 ? `\nSee also: ${others.join(', ')}` : '';
  return `Examples:\n${examples}\n${ends}${see}`;
}

/** A text as roff takes it for itself, on lines that are no requests. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')
    .replace(/[^\p{ASCII}]/gu, (sign) => `\\[u${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`);

/** An argument of a macro. */
const inQuotes = (text: string) => `"${roff(text).replaceAll('"', '\\(dq')}"`;

const pageOf = (command: Command) => pathOf(command).replaceAll(' ', '-');
const section = (title: string, lines: readonly string[]) => (lines.length > 0 ? [`.SH ${title}`, ...lines] : []);
const item = (term: string, text: string) => ['.TP', `.B ${inQuotes(term)}`, roff(text)];
const sentence = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;

const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);

/** A command's manual page. @param version of the program */
export function manualOf(command: Command, version: string): string {
  const verb = describedBy(command);
  const path = pathOf(command);
  const isLeaf = command.commands.length === 0;
  const options = command.options.flatMap((one) => {
    const choices = one.argChoices ? `: ${one.argChoices.join(', ')}` : '';
    const standard = one.defaultValue === undefined ? '' : ` (${JSON.stringify(one.defaultValue)} unless given)`;
    return item(one.flags, sentence(`${one.description}${choices}${standard}`));
  });
  const commands = leavesOf(command).flatMap((one) =>
    item(`${pathOf(one)} ${one.usage()}`.trim(), sentence(one.description())),
  );
  const examples = (verb?.examples ?? []).flatMap((line) => ['.PP', '.nf', roff(`berth ${line}`), '.fi']);
  const environment = [
    ...item('BERTH_URL, BERTH_API_KEY', 'Where to ask, and with which key; they go before every profile.'),
    ...item('BERTH_PROFILE', 'Which profile is meant, where --profile says nothing.'),
    ...item('COLUMNS, NO_COLOR', 'How wide answers are, and that they have no colours.'),
  ];
  const others = [...(path === 'berth' ? [] : ['berth']), ...othersOf(command)].map((one) => one.replaceAll(' ', '-'));
  return [
    `.TH ${inQuotes(pageOf(command).toUpperCase())} 1 "" ${inQuotes(`Berth ${version}`)} "Berth"`,
    ...section('NAME', [`${roff(pageOf(command))} \\- ${roff(command.description())}`]),
    ...section('SYNOPSIS', [`.B ${inQuotes(path)}`, roff(command.usage())]),
    ...section('DESCRIPTION', [
      roff(sentence(command.description())),
      ...(verb?.detail ? ['.PP', roff(verb.detail)] : []),
    ]),
    ...section('OPTIONS', options),
    ...(isLeaf ? [] : section('COMMANDS', commands)),
    ...section('EXAMPLES', examples),
    ...section(
      'EXIT STATUS',
      (isLeaf ? endsOf(command) : meanings).flatMap(([code, text]) => item(`${code}`, sentence(text))),
    ),
    ...section('ENVIRONMENT', environment),
    ...section(
      'FILES',
      item(
        '$XDG_CONFIG_HOME/berth/config.json',
        'Profiles, for their owner alone; below ~/.config where that is not set.',
      ),
    ),
    ...section('SEE ALSO', [others.map((one) => `.BR ${roff(one)} (1)`).join(' ,\n')]),
    '',
  ].join('\n');
}
