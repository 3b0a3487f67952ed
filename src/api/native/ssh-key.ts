// The public SSH keys that an account has registered, to be named when something is deployed.

import Type, { type Static } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { deleteSshKey, findSshKey, listSshKeys, registerSshKey, type SshKeyRow } from '../../app/ssh-key.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { isFoundBy, SearchQuery } from './search.ts';
import { Shape, Text, Time, toTime } from './shape.ts';

const sampleKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4cO74qmRZ+XiicQiA68i5Jlvl17TPunfSKhO3/L4q ann@example';

const SshKeySchema = Shape('SshKey', {
  id: Id('sshKey'),
  account: Id('account'),
  name: Text('laptop'),
  fingerprint: Text('SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og'),
  algorithm: Text('ssh-ed25519'),
  publicKey: Text(sampleKey),
  createdAt: Time(),
});

const toSshKey = (accountId: string, row: SshKeyRow): Static<typeof SshKeySchema> => ({
  id: toId('sshKey', row.id),
  account: toId('account', accountId),
  name: row.name,
  fingerprint: row.fingerprint,
  algorithm: row.algorithm,
  publicKey: row.publicKey,
  createdAt: toTime(row.createdAt),
});

const find = (
  context: Context,
  caller: Caller,
  { sshKey }: { sshKey: string },
  level: 'vm_console' | 'account_admin',
) => findSshKey(context, caller, readId('sshKey', sshKey), level);

/** Adds the routes. */
export function sshKeyRoutes(api: Api): void {
  const path = '/ssh-keys/{sshKey}';

  read(
    api,
    {
      id: 'listSshKeys',
      tag: 'ssh-keys',
      summary: 'The SSH keys that an account has registered, the oldest first',
      path: '/ssh-keys',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef()),
        name: Type.Optional(Text('laptop')),
        search: SearchQuery,
      },
      result: PageOf('SshKeyPage', SshKeySchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { principal } = await accountOf(context, caller, query, 'vm_console');
      const keys = (await listSshKeys(context, principal)).filter(
        ({ name }) => [name, undefined].includes(query.name) && isFoundBy(query.search, name),
      );
      return pageOfAll(
        keys,
        query,
        ({ id }) => id,
        (row) => toSshKey(principal.accountId, row),
      );
    },
  );

  read(
    api,
    {
      id: 'getSshKey',
      tag: 'ssh-keys',
      summary: 'A registered SSH key',
      path,
      result: SshKeySchema,
      refusals: ['forbidden'],
    },
    async ({ context, caller, params }) => {
      const { principal, key } = await find(context, caller, params, 'vm_console');
      return toSshKey(principal.accountId, key);
    },
  );

  change(
    api,
    {
      id: 'createSshKey',
      tag: 'ssh-keys',
      summary: 'Register an SSH key',
      description: 'A key that is registered already is answered under the name that it has.',
      method: 'POST',
      path: '/ssh-keys',
      body: Shape('NewSshKey', {
        account: Type.Optional(AccountRef()),
        name: Type.Optional(Text('laptop', 'Its fingerprint unless given', { maxLength: 200 })),
        publicKey: Text(sampleKey, 'One line, as in authorized_keys', { maxLength: 20_000 }),
      }),
      status: 201,
      result: SshKeySchema,
      location: ({ id }) => `/ssh-keys/${id}`,
      refusals: ['not_found', 'name_taken'],
    },
    async ({ context, caller, body }) => {
      const { principal } = await accountOf(context, caller, body, 'account_admin');
      const given = { name: body.name ?? null, publicKey: body.publicKey };
      const { key } = await registerSshKey(context, principal, given, { name: 'name', publicKey: 'publicKey' });
      return toSshKey(principal.accountId, key);
    },
  );

  change(
    api,
    {
      id: 'deleteSshKey',
      tag: 'ssh-keys',
      summary: 'Forget a registered SSH key; what was deployed with it keeps it',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: async ({ context, caller, params }) => {
        const { principal, key } = await find(context, caller, params, 'vm_console');
        return toSshKey(principal.accountId, key);
      },
    },
    async ({ context, caller, params }) => {
      const { principal, key } = await find(context, caller, params, 'account_admin');
      await deleteSshKey(context, principal, key.fingerprint);
      return null;
    },
  );
}
