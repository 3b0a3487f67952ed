// What every operator's command shares: where the database is, `--json`, and that an answer is both a value and a text. The
// rules are in app/; here arguments are turned into a call, and what comes back into lines.

import { Command } from 'commander';
import type { Context } from '../app/context.ts';
import { toJson } from './print.ts';

/** Where a Berth's database is. */
export interface Where {
  /** The data directory of `berth up`. */
  data: string;
  /** Any other PostgreSQL; goes before `data`. */
  databaseUrl?: string;
}

/** An open Berth; the caller closes it. */
export interface OpenedBerth {
  context: Context;
  close(): Promise<void>;
}

/** What a command is given by whoever mounts it. */
export interface Ground {
  open(where: Where): Promise<OpenedBerth>;
  defaultData: string;
  write(text: string): void;
}

/** A command's answer, for programs and for people. */
export interface Answer {
  value: object;
  text: string;
}

/**
 * Adds a command that works on the database.
 * @param usage its name and arguments, such as `show <NAME>`
 * @param configure adds its own options
 * @param run is given its arguments and its options
 */
export function addCommand<Options extends object>(
  parent: Command,
  ground: Ground,
  usage: string,
  description: string,
  configure: (command: Command) => Command,
  run: (context: Context, args: string[], options: Options) => Promise<Answer>,
): void {
  const command = configure(parent.command(usage).description(description))
    .option('--data <DIR>', 'the data directory of the Berth', ground.defaultData)
    .option('--database-url <URL>', 'its database, where that is not the one in the data directory')
    .option('--json', 'answer in JSON');
  command.action(async () => {
    const options = command.opts<Options & Where & { json?: boolean }>();
    const berth = await ground.open(options);
    try {
      const { value, text } = await run(berth.context, command.processedArgs as string[], options);
      ground.write(options.json ? toJson(value) : text);
    } finally {
      await berth.close();
    }
  });
}

/** For a command that has no options of its own. */
export const plain = (command: Command): Command => command;

/** A group of commands, such as `berth local host`. */
export function group(name: string, description: string): Command {
  return new Command(name).description(description);
}
