// `berth local account key`: an account's API keys. A key is shown once, when it is made.

import type { Command } from 'commander';
import { findAccount } from '../app/account.ts';
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from '../app/api-key.ts';
import { addCommand, type Ground, plain } from './command.ts';
import { parseExpiry } from './parse.ts';
import { moment, table } from './print.ts';

const fields = { name: '--name', scope: '--scope', expiresAt: '--expires' };

interface Options {
  name: string;
  scope: string;
  expires?: string;
}

const configure = (command: Command) =>
  command
    .requiredOption('--name <NAME>', 'tells the account’s keys apart; stands in events')
    .option('--scope <SCOPE>', 'read-only or full', 'full')
    .option('--expires <WHEN>', 'such as 30d, 12h, 2w or 2027-01-31 (default: never)');

/** Adds the `key` commands. */
export function addKeyCommands(parent: Command, ground: Ground): void {
  const key = parent.command('key').description('API keys of an account');
  addCommand<Options>(
    key,
    ground,
    'create <ACCOUNT>',
    'make an API key and show it, once',
    configure,
    async (context, [accountName = ''], options) => {
      const { name, scope, expires } = options;
      const account = await findAccount(context, accountName);
      const expiresAt = expires === undefined ? null : parseExpiry(expires, context.clock.now(), fields.expiresAt);
      const { secret, ...made } = await createApiKey(context, account.id, { name, scope, expiresAt }, fields);
      const until = expiresAt ? `until ${moment(expiresAt)}` : 'until it is revoked';
      const text = `${secret}\n\nThis is key ${name} of ${account.name}, ${scope}, ${until}. It is not shown again.\n`;
      return { value: { ...made, account: account.name, apiKey: secret }, text };
    },
  );
  addCommand(
    key,
    ground,
    'list <ACCOUNT>',
    'show the keys of an account, without their secrets',
    plain,
    async (context, [name = '']) => {
      const keys = await listApiKeys(context, (await findAccount(context, name)).id);
      return { value: { keys }, text: table(['key', 'id', 'scope', 'state', 'expires', 'made'], keys.map(rowOf)) };
    },
  );
  addCommand(
    key,
    ground,
    'revoke <ACCOUNT> <KEY>',
    'end a key at once; its name or its id',
    plain,
    async (context, [name = '', nameOrId = '']) => {
      const revoked = await revokeApiKey(context, (await findAccount(context, name)).id, nameOrId);
      return { value: revoked, text: `Key ${revoked.name} is revoked.\n` };
    },
  );
}

const rowOf = ({ name, id, scope, state, expiresAt, createdAt }: ApiKey) => [
  ...[name, id, scope, state, moment(expiresAt), moment(createdAt)],
];
