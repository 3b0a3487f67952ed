// `berth local privilege`: what users may do with accounts, groups and VMs, and who runs the whole.

import type { Command } from 'commander';
import { grantByOperator, listPrivileges, type ObjectNames, revokeByOperator } from '../app/operator-privilege.ts';
import type { PrivilegeRow } from '../app/privilege.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { table } from './print.ts';

type GrantOptions = ObjectNames & { secondFactor?: boolean; from?: string };

const configure = (command: Command) =>
  command
    .option('--account <NAME>', 'the account, for all levels but those of the cluster')
    .option('--group <NAME>', "the account's group, for group_admin, vm_admin and vm_console", 'default')
    .option('--vm <NAME>', "the group's VM, for vm_admin and vm_console")
    .option('--second-factor', 'let it hold only in sessions with a second factor')
    .option('--from <ADDRESSES>', 'let it hold only from these addresses and ranges, separated by commas');

/** The `privilege` command. */
export function privilegeCommand(ground: Ground): Command {
  const command = group('privilege', 'what users may do with accounts, groups and VMs, and who runs the cluster');
  addCommand<GrantOptions>(
    command,
    ground,
    'grant <USERNAME> <LEVEL>',
    'grant vm_console, vm_admin, group_admin, account_admin, cluster_admin or cluster_su',
    configure,
    async (context, [username = '', level = ''], { secondFactor = false, from = null, ...names }) => {
      const made = await grantByOperator(context, username, level, names, { secondFactor, from });
      return { value: toValue(made), text: `User ${username} holds ${level}${placeOf(made)} from now on.\n` };
    },
  );
  addCommand(
    command,
    ground,
    'list [USERNAME]',
    'show privileges, of one user or of all',
    plain,
    async (context, [username]) => {
      const privileges = await listPrivileges(context, username ?? null);
      const rows = privileges.map((one) => [
        ...[String(one.id), one.user.name, one.level, placeOf(one).trim(), termsOf(one)],
      ]);
      const heading = ['id', 'user', 'level', 'on', 'terms'];
      return { value: { privileges: privileges.map(toValue) }, text: table(heading, rows) };
    },
  );
  addCommand(
    command,
    ground,
    'revoke <ID>',
    'take a privilege away; its id is in the list',
    plain,
    async (context, [id = '']) => {
      const gone = await revokeByOperator(context, id);
      return { value: toValue(gone), text: `User ${gone.user.name} holds ${gone.level}${placeOf(gone)} no more.\n` };
    },
  );
  return command;
}

function placeOf({ account, group: place, vm }: PrivilegeRow): string {
  if (vm) return ` on VM ${vm.name}.${place?.name}.${account?.name}`;
  if (place) return ` on group ${place.name}.${account?.name}`;
  return account ? ` on account ${account.name}` : '';
}

function termsOf({ apiKey, secondFactorRequired, fromAddresses }: PrivilegeRow): string {
  const terms = [
    ...(apiKey ? [`API key ${apiKey.number}`] : []),
    ...(secondFactorRequired ? ['second factor'] : []),
    ...(fromAddresses ? [`from ${fromAddresses.join(', ')}`] : []),
  ];
  return terms.join('; ');
}

const toValue = ({ id, user, level, account, group: place, vm, apiKey, ...terms }: PrivilegeRow) => ({
  ...{ id: Number(id), username: user.name, level },
  ...{ account: account?.name ?? null, group: place?.name ?? null, vm: vm?.name ?? null },
  ...{ apiKey: apiKey && Number(apiKey.number), ...terms },
});
