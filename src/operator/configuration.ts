// `berth local configuration`: the sizes that are sold.

import type { Command } from 'commander';
import { addConfiguration, listSoldConfigurations, removeConfiguration } from '../app/configuration.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { table } from './print.ts';

/** The `configuration` command. */
export function configurationCommand(ground: Ground): Command {
  const command = group('configuration', 'sizes of VM that are sold');
  addCommand(command, ground, 'list', 'show what is sold', plain, async (context) => {
    const sold = await listSoldConfigurations(context);
    const rows = sold.map(({ slug, size }) => [
      ...[slug, String(size.vcpus), `${size.memoryMib / 1024} GiB`, `${size.diskGib} GiB`],
    ]);
    const configurations = sold.map(({ slug, size }) => ({ slug, ...size }));
    return { value: { configurations }, text: table(['configuration', 'vcpus', 'memory', 'storage'], rows) };
  });
  addCommand(
    command,
    ground,
    'add <SLUG>',
    'sell a size, such as cpu-2-ram-4gb-storage-25gb',
    plain,
    async (context, [slug = '']) => {
      await addConfiguration(context, slug);
      return { value: { slug }, text: `${slug} is on sale.\n` };
    },
  );
  addCommand(
    command,
    ground,
    'remove <SLUG>',
    'sell a size no longer; what runs of it runs on',
    plain,
    async (context, [slug = '']) => {
      await removeConfiguration(context, slug);
      return { value: { slug }, text: `${slug} is no longer on sale.\n` };
    },
  );
  return command;
}
