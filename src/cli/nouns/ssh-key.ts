// `berth ssh-key`: public keys that an account has registered, to be named when instances are made.

import type { SshKey } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { UsageError } from '../exit.ts';
import { accountOf, find, type Kind } from '../find.ts';
import { moment, relative } from '../table.ts';
import { sshKey } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const accountOption = () => option('--account <ACCOUNT>', 'whose, where you see several');

/** SSH keys are found by name in one account. */
const keyKind = (account: string | undefined): Kind<SshKey> => ({
  ...{ noun: 'SSH key', prefix: 'ssh', list: 'ssh-key list', tell: ({ fingerprint }) => fingerprint },
  get: (berth, id) => berth.sshKeys.get(id),
  named: (berth, name) => berth.sshKeys.list({ name, account }).all(),
});

interface AccountOptions {
  account?: string;
}

/** The `ssh-key` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the SSH keys that an account has registered',
      operation: 'listSshKeys',
      examples: ['ssh-key list', 'ssh-key list --account acme'],
      options: [accountOption()],
      columns: [
        { title: 'name', cell: ({ name }: SshKey) => name },
        { title: 'algorithm', cell: ({ algorithm }) => algorithm, rank: 2 },
        { title: 'fingerprint', cell: ({ fingerprint }) => fingerprint, rank: 1 },
        { title: 'added', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 3 },
      ],
      none: 'No key is registered. "berth ssh-key add --help" shows how.',
      pages: async (desk, limit, { account }: AccountOptions) =>
        desk.berth.sshKeys.list({ account: (await accountOf(desk, account)).id, limit }),
    }),
    showVerb({
      usage: 'show <KEY>',
      description: 'show one SSH key',
      operation: 'getSshKey',
      examples: ['ssh-key show laptop', 'ssh-key show laptop --json'],
      options: [accountOption()],
      find: (desk, text, { account }: AccountOptions) => find(desk, keyKind(account), text),
      sheet: (key, look) => [
        ['name', key.name],
        ['id', key.id],
        ['algorithm', key.algorithm],
        ['fingerprint', key.fingerprint],
        ['added', moment(key.createdAt, look)],
        ['public key', key.publicKey],
      ],
    }),
    actVerb<AccountOptions & { name?: string }>({
      usage: 'add <FILE>',
      description: 'register a public SSH key',
      operation: 'createSshKey',
      examples: [
        'ssh-key add ~/.ssh/id_ed25519.pub --name laptop',
        'ssh-key add deploy.pub --name deploy --account acme',
      ],
      options: [option('--name <NAME>', 'its fingerprint unless given'), accountOption()],
      async act(desk, [file = ''], { name, account }) {
        const publicKey = await sshKey(file.includes('/') || file.includes(' ') ? file : `./${file}`);
        if (publicKey === '') throw new UsageError(`${file} is empty.`);
        const { id } = await accountOf(desk, account);
        const value = await desk.berth.sshKeys.create({ publicKey, name, account: id });
        return { value, done: `SSH key ${value.name} is registered; --ssh-key ${value.name} names it.` };
      },
    }),
    deleteVerb({
      usage: 'delete <KEY>',
      description: 'forget an SSH key; what was made with it keeps it',
      operation: 'deleteSshKey',
      examples: ['ssh-key delete laptop', 'ssh-key delete laptop --yes'],
      options: [accountOption()],
      find: (desk, text, { account }: AccountOptions) => find(desk, keyKind(account), text),
      question: ({ name }) => `Forget SSH key ${name}? What was made with it keeps it.`,
      end: ({ berth }, { id }) => berth.sshKeys.delete(id),
      done: ({ name }) => `SSH key ${name} is forgotten.`,
    }),
  ],
};
