// Fluence's calls of registered SSH keys. Its clients read a key from `publicKey` or from `public_key`, so both are there.

import Type, { type Static } from 'typebox';
import { deleteSshKey, listSshKeys, registerSshKey, type SshKeyRow } from '../../app/ssh-key.ts';
import type { Api } from '../types.ts';
import { Optional, PageQuerySchema, windowOf } from './shape.ts';

const SshKeySchema = Type.Object({
  name: Type.Optional(Type.String()),
  fingerprint: Type.String(),
  algorithm: Type.String(),
  comment: Type.String(),
  publicKey: Type.String(),
  public_key: Type.String(),
  active: Type.Boolean(),
  createdAt: Type.String(),
});

const path = '/ssh_keys';

/** The extended form of a year, and nine digits of a second: what this call's clients have seen from the start. */
const extendedTime = (time: Date) => `+00${time.toISOString().replace('Z', '000000Z')}`;

function toSshKey({
  name,
  fingerprint,
  algorithm,
  comment,
  publicKey,
  createdAt,
}: SshKeyRow): Static<typeof SshKeySchema> {
  return {
    // Registered without a name, it goes by its fingerprint.
    ...(name === fingerprint ? {} : { name }),
    fingerprint,
    algorithm,
    comment,
    publicKey,
    public_key: publicKey,
    active: true,
    createdAt: extendedTime(createdAt),
  };
}

/** Adds the routes. */
export function sshKeyRoutes({ app, context, principalOf, errors }: Api): void {
  app.get(
    path,
    {
      schema: {
        operationId: 'listSshKeys',
        summary: 'List the registered SSH keys, oldest first',
        querystring: PageQuerySchema,
        response: { 200: Type.Array(SshKeySchema), ...errors(400, 403) },
      },
    },
    async (request) => (await listSshKeys(context, principalOf(request), windowOf(request.query))).map(toSshKey),
  );

  app.post(
    path,
    {
      schema: {
        operationId: 'registerSshKey',
        summary: 'Register a public SSH key; 200 answers the one that is registered already',
        body: Type.Object({ name: Optional(Type.String()), publicKey: Type.String() }),
        response: { 200: SshKeySchema, 201: SshKeySchema, ...errors(400, 403, 409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { name, publicKey } = request.body;
      const fields = { name: 'name', publicKey: 'publicKey' };
      const given = { name: name || null, publicKey };
      const { key, isNew } = await registerSshKey(context, principalOf(request), given, fields);
      return reply.code(isNew ? 201 : 200).send(toSshKey(key));
    },
  );

  app.delete(
    path,
    {
      schema: {
        operationId: 'deleteSshKey',
        summary: 'Forget a registered SSH key; VMs that have it keep it',
        body: Type.Object({ fingerprint: Type.String() }),
        response: { 200: Type.Object({ fingerprint: Type.String() }), ...errors(400, 403, 404, 413, 415) },
      },
    },
    async (request) => {
      const { fingerprint } = request.body;
      await deleteSshKey(context, principalOf(request), fingerprint);
      return { fingerprint };
    },
  );
}
