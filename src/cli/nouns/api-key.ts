// `berth api-key`: keys for programs, an account's or your own.

import type { ApiKey } from '../../../sdk/generated/types.ts';
import type { Desk } from '../command.ts';
import { type Noun, option } from '../command.ts';
import { NotThereError, UsageError } from '../exit.ts';
import { accountOf, find, type Kind } from '../find.ts';
import { moment, relative } from '../table.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface OwnerOptions {
  account?: string;
  own?: boolean;
}

const ownerOptions = () => [
  option('--account <ACCOUNT>', 'whose, where you see several'),
  option('--own', "your own as a user, in place of an account's"),
];

/** Whose keys are meant: an account's, or a user's own. */
async function ownerOf(desk: Desk, { account, own }: OwnerOptions): Promise<string | undefined> {
  if (own && account !== undefined) throw new UsageError('--own and --account exclude each other.');
  return own ? undefined : (await accountOf(desk, account)).id;
}

const keyKind = (account: string | undefined): Kind<ApiKey> => ({
  ...{ noun: 'API key', prefix: 'key', list: 'api-key list' },
  tell: ({ state, createdAt }) => `${state}, made ${createdAt.slice(0, 16)}Z`,
  get: (berth, id) => berth.apiKeys.get(id),
  // One that is revoked may have the name of one that holds.
  named: async (berth, name) =>
    (await berth.apiKeys.list({ account }).all()).filter((key) => key.name === name && key.state === 'valid'),
});

const findKey = async (desk: Desk, text: string, options: OwnerOptions) =>
  /^key_/.test(text) ? desk.berth.apiKeys.get(text) : find(desk, keyKind(await ownerOf(desk, options)), text);

const tones = { valid: 'good', revoked: 'dim', expired: 'dim' } as const;

const daysMs: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Reads when a key ends: `90d`, or a moment. */
function expiry(text: string): string {
  const [, count = '', unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const at = count === '' ? Date.parse(text) : Date.now() + Number(count) * (daysMs[unit] ?? 0);
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw new UsageError(`"${text}" is no time; write it as 90d, 12h, or 2027-01-31.`);
}

/** The `api-key` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list API keys, the oldest first',
      operation: 'listApiKeys',
      examples: ['api-key list', 'api-key list --own'],
      options: ownerOptions(),
      columns: [
        { title: 'name', cell: ({ name }: ApiKey) => name },
        { title: 'state', cell: ({ state }) => ({ text: state, tone: tones[state] }) },
        { title: 'scope', cell: ({ scope }) => scope, rank: 3 },
        { title: 'used', cell: ({ lastUsedAt }, look) => relative(lastUsedAt, look) || 'never', rank: 1 },
        { title: 'ends', cell: ({ expiresAt }, look) => relative(expiresAt, look) || 'never', rank: 2 },
        { title: 'id', cell: ({ id }) => id, rank: 4, whole: true },
      ],
      none: 'There is no API key.',
      pages: async (desk, limit, options: OwnerOptions) =>
        desk.berth.apiKeys.list({ account: await ownerOf(desk, options), limit }),
    }),
    showVerb({
      usage: 'show <KEY>',
      description: 'show one API key; the key itself is shown once, when it is made',
      operation: 'getApiKey',
      examples: ['api-key show ci', 'api-key show ci --json'],
      options: ownerOptions(),
      find: (desk, text, options: OwnerOptions) => findKey(desk, text, options),
      sheet: (key: ApiKey, look) => [
        ['name', key.name],
        ['id', key.id],
        ['account', key.account],
        ['user', key.user?.username],
        ['scope', key.scope],
        ['state', { text: key.state, tone: tones[key.state] }],
        ['made', moment(key.createdAt, look)],
        ['ends', moment(key.expiresAt, look) || 'when it is revoked'],
        ['last used', moment(key.lastUsedAt, look) || 'never'],
      ],
    }),
    actVerb<OwnerOptions & { readOnly?: boolean; expires?: string }>({
      usage: 'create <NAME>',
      description: 'make an API key, which is shown once',
      detail: 'With --quiet the key alone is printed, for a file or a secret store.',
      operation: 'createApiKey',
      examples: ['api-key create ci --expires 90d', 'api-key create dashboard --read-only -q > key.txt'],
      options: [
        ...ownerOptions(),
        option('--read-only', 'it reads, and changes nothing'),
        option('--expires <TIME>', 'such as 90d or 2027-01-31; never unless given', expiry),
      ],
      async act(desk, [name = ''], { readOnly, expires, ...owner }) {
        const account = await ownerOf(desk, owner);
        const scope = readOnly ? ('read-only' as const) : undefined;
        const value = await desk.berth.apiKeys.create({ name, account, scope, expiresAt: expires });
        if (desk.quiet && !desk.json) desk.out.write(`${value.secret}\n`);
        return desk.quiet && !desk.json ? undefined : { value, done: `${value.secret}\nThis is shown once.` };
      },
    }),
    deleteVerb({
      usage: 'revoke <KEY>',
      description: 'end an API key at once',
      operation: 'deleteApiKey',
      examples: ['api-key revoke ci', 'api-key revoke ci --yes'],
      options: ownerOptions(),
      async find(desk, text, options: OwnerOptions) {
        const key = await findKey(desk, text, options);
        if (key.state === 'revoked') throw new NotThereError(`API key ${key.name} is revoked already.`);
        return key;
      },
      question: ({ name }) => `Revoke API key ${name}? Whoever uses it is refused from now on.`,
      end: ({ berth }, { id }) => berth.apiKeys.delete(id),
      done: ({ name }) => `API key ${name} is revoked.`,
    }),
  ],
};
