// Privileges as Bytemark's clients read them: of the object's number only its own, of names also those that it is in.

import Type, { type Static } from 'typebox';
import type { PrivilegeRow } from '../../app/privilege.ts';
import { privilegeLevels } from '../../model/privilege.ts';
import { IdSchema, Nullable } from './shape.ts';

const NullableId = Nullable(Type.Integer());
const NullableName = Nullable(Type.String());
const Link = Type.Object({ href: Type.String(), title: Type.Optional(Type.String()) });

export const PrivilegeSchema = Type.Object({
  id: IdSchema,
  username: Type.String(),
  level: Type.Enum([...privilegeLevels]),
  account_id: NullableId,
  account_name: NullableName,
  group_id: NullableId,
  group_name: NullableName,
  virtual_machine_id: NullableId,
  virtual_machine_name: NullableName,
  api_key_id: NullableId,
  password_required: Type.Boolean(),
  yubikey_required: Type.Boolean({ description: 'Whether it holds only in sessions with a second factor' }),
  yubikey_otp_max_age: Nullable(Type.Integer({ description: 'How old that may be, in seconds' })),
  ip_restrictions: Nullable(Type.String({ description: 'Addresses and ranges from which it holds' })),
  creating_username: NullableName,
  _links: Type.Record(Type.String(), Link),
});

/** A privilege in this dialect. */
export function toPrivilege(row: PrivilegeRow): Static<typeof PrivilegeSchema> {
  const { id, user, account, group, vm, apiKey, level } = row;
  const own = vm ?? group ?? account;
  const number = (one: typeof own) => (one !== null && one === own ? Number(one.number) : null);
  return {
    id: Number(id),
    username: user.name,
    level,
    account_id: number(account),
    account_name: account?.name ?? null,
    group_id: number(group),
    group_name: group?.name ?? null,
    virtual_machine_id: number(vm),
    virtual_machine_name: vm?.name ?? null,
    api_key_id: apiKey && Number(apiKey.number),
    password_required: row.passwordRequired,
    yubikey_required: row.secondFactorRequired,
    yubikey_otp_max_age: row.secondFactorAgeSecondsMax,
    ip_restrictions: row.fromAddresses?.join(', ') ?? null,
    creating_username: row.grantedBy,
    _links: {
      self: { href: `/privileges/${id}` },
      user: { href: `/users/${user.number}` },
      ...(account ? { account: { href: `/accounts/${account.number}`, title: `Account ${account.name}` } } : {}),
    },
  };
}
