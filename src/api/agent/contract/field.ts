// What the messages between agents and server share.

import Type from 'typebox';

export const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });

export const InstanceId = Type.String({ pattern: '^0x[0-9a-f]{40}$' });

/** What PostgreSQL's `int` holds; nothing that is counted here comes near it. */
export const integerMax = 2 ** 31 - 1;

export const Count = Type.Integer({ minimum: 0, maximum: integerMax });
