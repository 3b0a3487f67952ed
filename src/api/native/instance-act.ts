// What is done to an instance as a whole: its power, its image, its end. What takes its host a while is answered as an operation.

import Type from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { deleteInstance, powerInstance, reimageInstance, undeleteInstance } from '../../app/instance-act.ts';
import { readInstanceById } from '../../app/instance-list.ts';
import { resolveSshKeys } from '../../app/ssh-key.ts';
import { powerActions } from '../../model/operation.ts';
import { newPassword } from '../../model/password.ts';
import type { Api } from '../types.ts';
import { samplesOff } from './id.ts';
import { imageSlug } from './image.ts';
import { currentInstance } from './instance.ts';
import { reachForChange } from './instance-change.ts';
import { InstanceSchema, toInstance } from './instance-shape.ts';
import { change } from './operation.ts';
import { OperationSchema, toOperation } from './operation-shape.ts';
import { Nullable, OneOf, Shape, Text } from './shape.ts';

const ReimageSchema = Shape('Reimage', {
  operation: OperationSchema,
  rootPassword: Nullable(Text('bG9uZyBhbmQgcmFuZG9tIQ', 'Where one was made; shown here and nowhere else')),
});

const NewReimage = Shape('NewReimage', {
  image: Text('debian-12-local', 'Slug or id of an image of the catalog, or of an own one', { maxLength: 200 }),
  sshKeys: Type.Optional(
    Type.Array(Text('laptop', 'A public key, or the name or fingerprint of a registered one', { maxLength: 20_000 }), {
      maxItems: 100,
    }),
  ),
  rootPassword: Type.Optional(
    Text('a long passphrase', 'One is made where there is no SSH key either', { maxLength: 200 }),
  ),
  firstBootScript: Type.Optional(Text('#!/bin/sh\\necho hello', 'Run once by its system', { maxLength: 100_000 })),
});

/** Adds the routes. */
export function instanceActRoutes(api: Api): void {
  const path = '/instances/{instance}';
  const operationIs = ({ id }: { id: string }) => `/operations/${id}`;

  change(
    api,
    {
      id: 'deleteInstance',
      tag: 'instances',
      summary: 'Delete an instance',
      description:
        'A VM goes off and out of sight; it keeps its name, addresses and disks, and can be brought back until it is purged. A container ends for good.',
      method: 'DELETE',
      path,
      query: {
        purge: Type.Optional(
          Type.Boolean({ description: 'A VM is gone for good, too', default: false, examples: [false] }),
        ),
      },
      status: 202,
      result: OperationSchema,
      location: operationIs,
      refusals: ['unsupported', 'wrong_state'],
      current: currentInstance,
    },
    async ({ context, caller, params, query }) =>
      toOperation(await deleteInstance(context, await reachForChange(context, caller, params), query.purge === true)),
  );

  change(
    api,
    {
      id: 'purgeInstance',
      tag: 'instances',
      summary: 'Erase a VM for good, deleted before or not',
      method: 'POST',
      path: '/instances/{instance}/purge',
      status: 202,
      result: OperationSchema,
      location: operationIs,
      refusals: ['unsupported', 'wrong_state'],
      current: currentInstance,
    },
    async ({ context, caller, params }) =>
      toOperation(await deleteInstance(context, await reachForChange(context, caller, params), true)),
  );

  change(
    api,
    {
      id: 'undeleteInstance',
      tag: 'instances',
      summary: 'Bring a deleted VM back, switched off',
      method: 'POST',
      path: '/instances/{instance}/undelete',
      result: InstanceSchema,
      refusals: ['unsupported', 'insufficient_balance', 'wrong_state'],
      current: currentInstance,
    },
    async ({ context, caller, params }) => {
      const at = await reachForChange(context, caller, params);
      await undeleteInstance(context, caller, at);
      return toInstance(await readInstanceById(context, at.instance.id));
    },
  );

  change(
    api,
    {
      id: 'powerInstance',
      tag: 'instances',
      summary: 'Switch a VM on or off, or press one of its buttons',
      description: [
        '`start` switches it on. `stop` pulls its plug, `cycle` pulls it and puts it in again, and so does `restart`, which switches on one',
        'that is off. `shutdown` presses its power button,',
        'and `reset` its reset button. One that comes back by itself (`autoreboot`) does so after `stop` and `shutdown`, too.',
      ].join(' '),
      method: 'POST',
      path: '/instances/{instance}/power',
      body: Shape('PowerOrder', { action: OneOf(powerActions) }),
      status: 202,
      result: OperationSchema,
      location: operationIs,
      refusals: ['unsupported', 'insufficient_balance', 'wrong_state'],
      current: currentInstance,
      renames: { power_on: 'action' },
    },
    async ({ context, caller, params, body }) =>
      toOperation(await powerInstance(context, caller, await reachForChange(context, caller, params), body.action)),
  );

  change(
    api,
    {
      id: 'reimageInstance',
      tag: 'instances',
      summary: 'Make the first disk of a VM that is off anew from an image, and switch it on',
      description: 'What was on the disk is gone.',
      method: 'POST',
      path: '/instances/{instance}/reimage',
      body: NewReimage,
      status: 202,
      result: ReimageSchema,
      location: ({ operation }) => operationIs(operation),
      hasSecret: true,
      example: {
        params: { instance: samplesOff[0] },
        body: { image: 'debian-12-local', rootPassword: 'a long passphrase' },
      },
      refusals: ['unsupported', 'wrong_state'],
      current: currentInstance,
      renames: {
        distribution: 'image',
        root_password: 'rootPassword',
        ssh_public_key: 'sshKeys',
        firstboot_script: 'firstBootScript',
      },
    },
    async ({ context, caller, params, body }) => reimage(context, caller, params, body),
  );
}

interface Reimaging {
  image: string;
  sshKeys?: string[];
  rootPassword?: string;
  firstBootScript?: string;
}

async function reimage(context: Context, caller: Caller, params: { instance: string }, body: Reimaging) {
  const at = await reachForChange(context, caller, params);
  const { image, sshKeys = [], rootPassword, firstBootScript } = body;
  const keys = sshKeys.length === 0 ? [] : await resolveSshKeys(context, at.principal, sshKeys, 'sshKeys');
  // Without a key or a password nobody would ever get in.
  const made = rootPassword === undefined && keys.length === 0 ? newPassword(context.entropy) : null;
  const operation = await reimageInstance(context, at, {
    distribution: await imageSlug(context, at.account.id, image),
    rootPassword: rootPassword ?? made ?? undefined,
    sshPublicKeys: keys.length === 0 ? undefined : keys.join('\n'),
    firstBootScript,
  });
  return { operation: toOperation(operation), rootPassword: made };
}
