// `berth user`: people. What they may do is `berth privilege`'s.

import type { User, UserChange } from '../../../sdk/generated/types.ts';
import { askSecret } from '../ask.ts';
import { type Desk, each, type Noun, option } from '../command.ts';
import { UsageError } from '../exit.ts';
import { find, groupKind, userKind } from '../find.ts';
import { type Cell, type Look, moment, relative } from '../table.ts';
import { sshKey } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface CreateOptions {
  email?: string;
  askPassword?: boolean;
  adminOf?: string[];
  groupAdminOf?: string[];
}

interface SetOptions {
  email?: string;
  askPassword?: boolean;
  authorizedKey?: string[];
}

const sheet = (user: User, look: Look): [string, Cell][] => [
  ['user', user.username],
  ['id', user.id],
  ['email', user.email],
  ['second factor', user.secondFactor ? 'yes' : 'no'],
  ['keys for consoles', user.authorizedKeys.length],
  ['added', moment(user.createdAt, look)],
];

/** The new password of a user; whose is one's own, has to show the old one. */
async function passwords(desk: Desk, id: string): Promise<Pick<UserChange, 'password' | 'currentPassword'>> {
  const { user } = await desk.berth.me.get();
  const currentPassword = user?.id === id ? await askSecret(desk, 'Your password as it is') : undefined;
  return { currentPassword, password: await askSecret(desk, 'The new password') };
}

/** The `user` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list yourself, and who has to do with accounts that you run',
      operation: 'listUsers',
      examples: ['user list', 'user list --account acme'],
      options: [option('--account <ACCOUNT>', 'only who has to do with this one')],
      columns: [
        { title: 'user', cell: ({ username }: User) => username },
        { title: 'email', cell: ({ email }) => email, rank: 1 },
        { title: '2nd factor', cell: ({ secondFactor }) => (secondFactor ? 'yes' : 'no') },
        { title: 'added', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 2 },
      ],
      name: ({ username }) => username,
      none: 'You see no user.',
      pages: ({ berth }, limit, { account }: { account?: string }) => berth.users.list({ account, limit }),
    }),
    showVerb({
      usage: 'show <USER>',
      description: 'show one user; "me" is yourself',
      operation: 'getUser',
      examples: ['user show ann', 'user show me'],
      find: (desk, text) => (text === 'me' ? desk.berth.users.get('me') : find(desk, userKind, text)),
      sheet,
    }),
    actVerb<CreateOptions>({
      usage: 'create <NAME>',
      description: 'add a user',
      detail:
        'A password is made and shown once, unless --ask-password asks for one (on standard input, where nobody is there). ' +
        'You add users to what you run yourself: as who runs an account, to its groups.',
      operation: 'createUser',
      examples: [
        'user create ann --email ann@example.com --admin-of acme',
        'user create bob --email bob@example.com --group-admin-of web',
        'user create bob --ask-password < password.txt',
      ],
      options: [
        option('--email <ADDRESS>', 'where the user is reached'),
        option('--admin-of <ACCOUNT>', 'account_admin of this one', each),
        option('--group-admin-of <GROUP>', 'group_admin of this one', each),
        option('--ask-password', 'ask for a password, in place of making one'),
      ],
      async act(desk, [username = ''], { email, askPassword, adminOf = [], groupAdminOf = [] }) {
        const password = askPassword ? await askSecret(desk, `Password of ${username}`) : undefined;
        const groups = await Promise.all(groupAdminOf.map((group) => find(desk, groupKind, group)));
        const privileges = [
          ...adminOf.map((account) => ({ level: 'account_admin' as const, account })),
          ...groups.map(({ id }) => ({ level: 'group_admin' as const, group: id })),
        ];
        const body = { username, email, password, privileges: privileges.length > 0 ? privileges : undefined };
        const value = await desk.berth.users.create(body);
        const shown = value.password === null ? '' : `\nThe password, shown once: ${value.password}`;
        return { value, done: `User ${username} is added.${shown}` };
      },
    }),
    actVerb<SetOptions>({
      usage: 'set <USER>',
      description: 'change a user; "me" is yourself',
      operation: 'updateUser',
      examples: ['user set ann --email ann@example.com', 'user set me --authorized-key ~/.ssh/id_ed25519.pub'],
      options: [
        option('--email <ADDRESS>', '"none" takes it away'),
        option('--authorized-key <FILE>', 'public keys for consoles, in the place of those that there are', each),
        option('--ask-password', 'ask for a new password, and for your own to change that'),
      ],
      async act(desk, [text = ''], { email, authorizedKey, askPassword }) {
        if (email === undefined && authorizedKey === undefined && !askPassword)
          throw new UsageError('Nothing is to be changed.');
        const { id, username } = text === 'me' ? await desk.berth.users.get('me') : await find(desk, userKind, text);
        const authorizedKeys = authorizedKey && (await Promise.all(authorizedKey.map(sshKey)));
        const change = { email: email === 'none' ? null : email, authorizedKeys };
        const value = await desk.berth.users.update(id, {
          ...change,
          ...(askPassword ? await passwords(desk, id) : {}),
        });
        return { value, done: `User ${username} is changed.` };
      },
    }),
    deleteVerb({
      usage: 'delete <USER>',
      description: 'remove a user with their sessions, keys and privileges',
      operation: 'deleteUser',
      examples: ['user delete ann', 'user delete ann --yes'],
      find: (desk, text) => find(desk, userKind, text),
      question: ({ username }) => `Remove user ${username} with all sessions, keys and privileges?`,
      end: ({ berth }, { id }) => berth.users.delete(id),
      done: ({ username }) => `User ${username} is removed.`,
    }),
  ],
};
