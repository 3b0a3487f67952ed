// A user's second factor: set up in two steps, the second of which shows that the app has it, and taken away with a code.

import Type from 'typebox';
import { beginSecondFactor, confirmSecondFactor, endSecondFactor } from '../../app/second-factor.ts';
import type { Api } from '../types.ts';
import { change } from './operation.ts';
import { Shape, Text } from './shape.ts';
import { toUser, UserSchema, userIn } from './user-shape.ts';

const path = '/users/{user}/second-factor';
const parts = { tag: 'users', path, isForUsers: true } as const;
const sampleSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** Adds the routes. */
export function secondFactorRoutes(api: Api): void {
  change(
    api,
    {
      ...{ ...parts, id: 'createSecondFactor', method: 'POST', status: 201 },
      summary: 'Begin to set up your second factor',
      description: 'Codes are asked for once it is confirmed with one.',
      body: Shape('NewSecondFactor', { currentPassword: Text('correct horse battery staple') }),
      example: { params: { user: 'me' } },
      result: Shape('SecondFactorSecret', {
        secret: Text(sampleSecret, 'In base32; not shown again'),
        uri: Text(`otpauth://totp/Berth:ann?secret=${sampleSecret}&issuer=Berth`, 'For a QR code'),
      }),
      hasSecret: true,
      headers: () => ({ 'cache-control': 'no-store' }),
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params, body, request }) => {
      const user = await userIn(context, caller, params.user);
      const proof = { outside: api.context, from: request.ip };
      return beginSecondFactor(context, caller, user, body.currentPassword, proof);
    },
  );
  change(
    api,
    {
      ...{ ...parts, id: 'confirmSecondFactor', method: 'PUT' },
      summary: 'Confirm your second factor with a code of it',
      description: 'From then on a code is needed to log in. Your other sessions end.',
      body: Shape('SecondFactorConfirmation', { code: Text('492039', undefined, { maxLength: 20 }) }),
      example: { params: { user: 'me' } },
      result: UserSchema,
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params, body }) => {
      const user = await userIn(context, caller, params.user);
      return toUser(await confirmSecondFactor(context, caller, user, body.code));
    },
  );
  change(
    api,
    {
      ...{ ...parts, id: 'removeSecondFactor', method: 'POST', path: `${path}/remove`, status: 204 },
      summary: 'Take a second factor away: yours with a code of it, another’s as an operator',
      // No query: proxies note those down, and a code that was refused for its step may hold in the next one.
      body: Shape('SecondFactorRemoval', {
        code: Type.Optional(Text('492039', 'Of your own; each is taken once', { maxLength: 20 })),
      }),
      example: { params: { user: 'me' } },
      result: Type.Null(),
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params, body, request }) => {
      const user = await userIn(context, caller, params.user);
      await endSecondFactor(context, caller, user, body.code, { outside: api.context, from: request.ip });
      return null;
    },
  );
}
