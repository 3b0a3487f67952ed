// `berth local host pool`: the addresses that a host's instances get.

import type { Command } from 'commander';
import { addPool, removePool, showHost } from '../app/host-terms.ts';
import { addCommand, type Ground, plain } from './command.ts';
import { table } from './print.ts';

/** Adds the `pool` commands. */
export function addPoolCommands(parent: Command, ground: Ground): void {
  const pool = parent.command('pool').description('addresses for the instances of a host');
  addCommand(pool, ground, 'list <NAME>', "show a host's ranges", plain, async (context, [name = '']) => {
    const { pools } = await showHost(context, name);
    const rows = pools.map(({ cidr, size, used }) => [cidr, String(size), String(used)]);
    return { value: { pools }, text: table(['range', 'addresses', 'in use'], rows) };
  });
  addCommand(
    pool,
    ground,
    'add <NAME> <CIDR>',
    'hand out addresses of a range',
    plain,
    async (context, [name = '', cidr = '']) => {
      await addPool(context, name, cidr, 'the range');
      return { value: { name, cidr }, text: `Host ${name} hands out addresses of ${cidr}.\n` };
    },
  );
  addCommand(
    pool,
    ground,
    'remove <NAME> <CIDR>',
    'hand out no more addresses of a range; instances keep theirs',
    plain,
    async (context, [name = '', cidr = '']) => {
      await removePool(context, name, cidr, 'the range');
      return { value: { name, cidr }, text: `Host ${name} hands out no more addresses of ${cidr}.\n` };
    },
  );
}
