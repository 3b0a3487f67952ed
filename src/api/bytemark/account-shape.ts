// An account as this dialect shows it, alone or with its groups. (Bytemark API: accounts.)

import Type, { type Static } from 'typebox';
import type { AccountHandle, AccountOverview } from '../../app/overview.ts';
import { GroupSchema, toGroupOverview } from './group-shape.ts';
import { IdSchema, mediaType } from './shape.ts';

/** An account, alone or as an overview shows it. */
export const AccountSchema = Type.Object({
  id: IdSchema,
  name: Type.String(),
  suspended: Type.Boolean(),
  type: Type.String(),
  groups: Type.Optional(Type.Array(GroupSchema)),
});
export type Account = Static<typeof AccountSchema>;

/** An account by itself. Berth ends what is not paid for, one instance at a time, and suspends no account. */
export const toAccount = ({ number, name }: AccountHandle): Account => ({
  id: Number(number),
  name,
  suspended: false,
  type: mediaType('account'),
});

/** An account with its groups and their VMs. @param domain what the VMs' host names end in */
export const toAccountOverview = (account: AccountOverview, domain: string): Account => ({
  ...toAccount(account),
  groups: account.groups.map((group) => toGroupOverview(group, domain)),
});
