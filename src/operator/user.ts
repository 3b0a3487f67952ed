// `berth local account user`: people who may act for an account. A password is read from standard input or made here, and never
// taken from the command line, which every user of the machine can read.

import { text as readText } from 'node:stream/consumers';
import type { Command } from 'commander';
import { findAccount } from '../app/account.ts';
import {
  addSecondFactor,
  addUser,
  listUsers,
  removeSecondFactor,
  removeUser,
  setPassword,
  type UserRow,
} from '../app/user.ts';
import { addCommand, type Ground, plain } from './command.ts';
import { moment, table } from './print.ts';

interface Options {
  passwordStdin?: boolean;
}

const fields = { username: 'the name', password: 'the password' };
const withPassword = (command: Command) =>
  command.option('--password-stdin', 'read the password from standard input; otherwise one is made and shown once');

async function givenPassword({ passwordStdin }: Options): Promise<string | null> {
  return passwordStdin ? (await readText(process.stdin)).replace(/\r?\n$/, '') : null;
}

/** What is said of a password: it is shown only where the caller doesn't know it. */
const shownPassword = (password: string, given: string | null) => (given === null ? { password } : {});
const told = (password: string, given: string | null) =>
  given === null ? ` The password, not shown again: ${password}` : '';

const toValue = ({ number, authorizedKeys, ...user }: UserRow) => ({ ...user, number: Number(number) });

/** Adds the `user` commands. */
export function addUserCommands(parent: Command, ground: Ground): void {
  const user = parent.command('user').description('users of an account');
  addCommand<Options>(
    user,
    ground,
    'add <ACCOUNT> <USERNAME>',
    'add a user',
    withPassword,
    async (context, [name = '', username = ''], options) => {
      const account = await findAccount(context, name);
      const given = await givenPassword(options);
      const password = await addUser(context, account.id, { username, password: given }, fields);
      const value = { username, account: account.name, ...shownPassword(password, given) };
      return { value, text: `User ${username} may act for ${account.name}.${told(password, given)}\n` };
    },
  );
  addCommand(user, ground, 'list [ACCOUNT]', 'show users, of one account or of all', plain, async (context, [name]) => {
    const accountId = name === undefined ? null : (await findAccount(context, name)).id;
    const users = await listUsers(context, accountId);
    const rows = users.map(({ username, accounts, hasSecondFactor, createdAt }) => [
      ...[username, accounts.join(', '), hasSecondFactor ? 'yes' : 'no', moment(createdAt)],
    ]);
    return { value: { users: users.map(toValue) }, text: table(['user', 'accounts', '2fa', 'added'], rows) };
  });
  addCommand<Options>(
    user,
    ground,
    'password <USERNAME>',
    'give a user another password',
    withPassword,
    async (context, [username = ''], options) => {
      const given = await givenPassword(options);
      const password = await setPassword(context, username, given, fields.password);
      const value = { username, ...shownPassword(password, given) };
      return { value, text: `User ${username} has another password.${told(password, given)}\n` };
    },
  );
  addCommand<{ off?: boolean }>(
    user,
    ground,
    'totp <USERNAME>',
    'give a user a second factor in place of what he has, and show it, once',
    (own) => own.option('--off', 'take the second factor away instead'),
    async (context, [username = ''], { off }) => {
      if (off) {
        await removeSecondFactor(context, username);
        return { value: { username }, text: `User ${username} logs in with the password alone.\n` };
      }
      const uri = await addSecondFactor(context, username);
      const text = `${uri}\n\nUser ${username} logs in with a code from now on. The secret is not shown again.\n`;
      return { value: { username, uri }, text };
    },
  );
  addCommand(
    user,
    ground,
    'remove <USERNAME>',
    'remove a user; accounts and their keys stay',
    plain,
    async (context, [username = '']) => {
      await removeUser(context, username);
      return { value: { username }, text: `User ${username} is gone.\n` };
    },
  );
}
