// `berth man`: the manual pages of the commands, for `man` to show or to be installed.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type OfflineVerb, option, pathOf } from '../command.ts';
import { NotThereError } from '../exit.ts';
import { manualOf } from '../manual.ts';

const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];

/** The `man` command. */
export const verb: OfflineVerb<{ write?: string }> = {
  usage: 'man [COMMAND...]',
  description: 'write the manual page of the program, a noun or a command, as roff',
  detail: 'With --write all pages go into a directory, as files that "man" finds where that is one of MANPATH.',
  operation: null,
  examples: ['man | man -l -', 'man vm create | man -l -', 'man --write /usr/local/share/man/man1'],
  options: [option('--write <DIR>', 'write all pages there')],
  async offline({ program }, words, { write }) {
    const version = program.version() ?? '';
    if (write !== undefined) {
      await mkdir(write, { recursive: true });
      const pages = all(program).map(
        (one) => [`${pathOf(one).replaceAll(' ', '-')}.1`, manualOf(one, version)] as const,
      );
      await Promise.all(pages.map(([file, text]) => writeFile(join(write, file), text)));
      return { value: { items: pages.map(([file]) => file) }, text: `${write} has ${pages.length} pages.` };
    }
    let command = program;
    for (const word of words) {
      const next = command.commands.find((one) => one.name() === word);
      if (!next)
        throw new NotThereError(
          `There is no command "${pathOf(command)} ${word}"; "berth --help" shows what there is.`,
        );
      command = next;
    }
    const text = manualOf(command, version);
    return { value: { page: text }, text: () => text };
  },
};
