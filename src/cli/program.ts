// The commands of customers and operators as a whole: what each noun is called, and where it is loaded from when it is asked for.

import { Command, CommanderError } from 'commander';
import { addVerb, configure, type Noun, type OfflineVerb, type Terminal, type Verb } from './command.ts';
import { exitCodes } from './exit.ts';

interface Entry {
  /** Under which heading the list of all commands has it. */
  heading: string;
  summary: string;
  load(): Promise<Noun | Verb | OfflineVerb>;
}

const instances = 'What runs:';
const market = 'The market:';
const money = 'Money:';
const you = 'Who you are:';
const operators = 'For operators:';

const entries: Record<string, Entry> = {
  vm: {
    ...{ heading: instances, summary: 'virtual machines' },
    load: async () => (await import('./nouns/vm.ts')).noun,
  },
  ct: {
    ...{ heading: instances, summary: 'containers' },
    load: async () => (await import('./nouns/ct.ts')).noun,
  },
  disk: {
    ...{ heading: instances, summary: "VMs' block devices" },
    load: async () => (await import('./nouns/disk.ts')).noun,
  },
  backup: {
    ...{ heading: instances, summary: 'copies of disks as they were' },
    load: async () => (await import('./nouns/backup.ts')).noun,
  },
  schedule: {
    ...{ heading: instances, summary: 'what backs disks up again and again' },
    load: async () => (await import('./nouns/schedule.ts')).noun,
  },
  address: {
    ...{ heading: instances, summary: 'the IPs that VMs hold' },
    load: async () => (await import('./nouns/address.ts')).noun,
  },
  group: {
    ...{ heading: instances, summary: 'sets of instances with a network' },
    load: async () => (await import('./nouns/group.ts')).noun,
  },
  deployment: {
    ...{ heading: instances, summary: 'what was made together' },
    load: async () => (await import('./nouns/deployment.ts')).noun,
  },
  operation: {
    ...{ heading: instances, summary: 'what was asked of instances, and how it went' },
    load: async () => (await import('./nouns/operation.ts')).noun,
  },
  event: {
    ...{ heading: instances, summary: 'what happened, and what happens' },
    load: async () => (await import('./nouns/event.ts')).noun,
  },
  offer: {
    ...{ heading: market, summary: 'what can be rented now, and why something can not' },
    load: async () => (await import('./nouns/offer.ts')).noun,
  },
  quote: {
    ...{ heading: market, summary: 'prices that are locked, and room that is held' },
    load: async () => (await import('./nouns/quote.ts')).noun,
  },
  image: {
    ...{ heading: market, summary: 'OS images' },
    load: async () => (await import('./nouns/image.ts')).noun,
  },
  size: {
    ...{ heading: market, summary: 'the sizes that are sold' },
    load: async () => (await import('./nouns/size.ts')).noun,
  },
  datacenter: {
    ...{ heading: market, summary: 'where hosts stand' },
    load: async () => (await import('./nouns/datacenter.ts')).noun,
  },
  slot: {
    ...{ heading: market, summary: 'what containers can run on' },
    load: async () => (await import('./nouns/slot.ts')).noun,
  },
  'ssh-key': {
    ...{ heading: instances, summary: 'public keys that are registered' },
    load: async () => (await import('./nouns/ssh-key.ts')).noun,
  },
  webhook: {
    ...{ heading: instances, summary: 'URLs that are told what happens' },
    load: async () => (await import('./nouns/webhook.ts')).noun,
  },
  account: {
    ...{ heading: money, summary: 'who pays' },
    load: async () => (await import('./nouns/account.ts')).noun,
  },
  balance: {
    ...{ heading: money, summary: 'what there is, and how long it lasts' },
    load: async () => (await import('./nouns/money.ts')).balance,
  },
  statement: {
    ...{ heading: money, summary: 'what moved, summed up' },
    load: async () => (await import('./nouns/money.ts')).statement,
  },
  spend: {
    ...{ heading: money, summary: 'what was charged, day by day' },
    load: async () => (await import('./nouns/money.ts')).spend,
  },
  transaction: {
    ...{ heading: money, summary: 'what moved, one by one' },
    load: async () => (await import('./nouns/money.ts')).transactions,
  },
  user: {
    ...{ heading: you, summary: 'people' },
    load: async () => (await import('./nouns/user.ts')).noun,
  },
  privilege: {
    ...{ heading: you, summary: 'what users may do' },
    load: async () => (await import('./nouns/privilege.ts')).noun,
  },
  host: {
    ...{ heading: operators, summary: 'machines that run instances' },
    load: async () => (await import('./nouns/host.ts')).noun,
  },
  orphan: {
    ...{ heading: operators, summary: 'what hosts have and nobody owns' },
    load: async () => (await import('./nouns/orphan.ts')).noun,
  },
  price: {
    ...{ heading: operators, summary: 'rate cards of hosts' },
    load: async () => (await import('./nouns/price.ts')).noun,
  },
  ledger: {
    ...{ heading: operators, summary: 'all movements of money' },
    load: async () => (await import('./nouns/ledger.ts')).noun,
  },
  revenue: {
    ...{ heading: operators, summary: 'what was brought in' },
    load: async () => (await import('./nouns/revenue.ts')).verb,
  },
  login: {
    ...{ heading: you, summary: 'log in to a Berth' },
    load: async () => (await import('./nouns/login.ts')).login,
  },
  logout: {
    ...{ heading: you, summary: 'forget a profile' },
    load: async () => (await import('./nouns/login.ts')).logout,
  },
  session: {
    ...{ heading: you, summary: 'where you are logged in' },
    load: async () => (await import('./nouns/session.ts')).noun,
  },
  'second-factor': {
    ...{ heading: you, summary: 'codes that your logins need' },
    load: async () => (await import('./nouns/second-factor.ts')).noun,
  },
  profile: {
    ...{ heading: you, summary: 'the Berths that you are logged in to' },
    load: async () => (await import('./nouns/profile.ts')).noun,
  },
  'api-key': {
    ...{ heading: you, summary: 'keys for programs' },
    load: async () => (await import('./nouns/api-key.ts')).noun,
  },
  completion: {
    ...{ heading: you, summary: "a shell's completion of these commands" },
    load: async () => (await import('./nouns/completion.ts')).noun,
  },
  man: {
    ...{ heading: you, summary: 'manual pages of these commands' },
    load: async () => (await import('./nouns/man.ts')).verb,
  },
  top: {
    ...{ heading: instances, summary: 'instances and hosts, live' },
    load: async () => (await import('./nouns/top.ts')).verb,
  },
  me: {
    ...{ heading: you, summary: 'as whom you ask, and what you may do' },
    load: async () => (await import('./nouns/me.ts')).verb,
  },
};

/** Whether a word is a noun of these. */
export const isClientNoun = (word: string | undefined): boolean => word !== undefined && Object.hasOwn(entries, word);

const footer = `
Most commands ask a Berth, as the profile that "berth login" has made, or as
BERTH_URL and BERTH_API_KEY in the environment say. Each has --help with
examples, and --json for programs.

Exit codes:
  0  done                        4  there is no such thing
  1  failed                      5  can't be done as things stand
  2  the command line is wrong   6  out of reach, or the time was up
  3  not logged in, or not allowed`;

/** An empty program that ends as all commands do. */
export function emptyProgram(version: string, terminal: Terminal): Command {
  return new Command('berth')
    .description('Self-hosted compute marketplace and control plane')
    .version(version)
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
    })
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('"berth --help" shows what there is.')
    .addHelpText('after', footer);
}

/** Terminals are that wide at least. */
const helpWidth = 80;

/**
 * Adds the commands that ask a server.
 * @param asked the noun that is asked for, which alone is loaded; `all` loads every noun
 */
export async function addClientCommands(
  program: Command,
  terminal: Terminal,
  asked: string | undefined,
): Promise<void> {
  for (const [name, { heading, summary, load }] of Object.entries(entries)) {
    const isAsked = asked === name || asked === allNouns;
    const loaded = isAsked ? await load() : null;
    const isVerb = loaded !== null && 'usage' in loaded;
    const command = program.command(isVerb ? loaded.usage : name).helpGroup(heading);
    if (isVerb) configure(command, loaded, terminal);
    for (const verb of loaded && 'verbs' in loaded ? loaded.verbs : [])
      addVerb(command, verb, (loaded as Noun).groups, terminal);
    command.description(summary);
    if (!isVerb) command.showHelpAfterError(`"berth ${name} --help" shows what there is.`);
  }
}

/** Asks for every noun. */
export const allNouns = 'all';

/** Which nouns a command line needs: its own, or all where it is about the commands themselves. */
export const nounsFor = ([noun, verb]: readonly string[]): string | undefined =>
  noun === 'man' || (noun === 'completion' && verb !== 'values') ? allNouns : noun;

/** Runs a program; what commander has to complain about is told by then and becomes the exit code. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  end: (exitCode: number) => void,
): Promise<void> {
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) end(exitCodes.usage);
  }
}
