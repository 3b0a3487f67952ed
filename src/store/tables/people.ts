// Who there is: accounts, users and what they prove themselves by.

import type { Generated, GeneratedAlways } from 'kysely';
import type { PrivilegeLevel } from '../../model/privilege.ts';
import type { Json } from './json.ts';

interface AccountTable {
  id: string;
  number: GeneratedAlways<bigint>;
  name: string;
  created_at: Date;
}

interface UserTable {
  id: string;
  number: GeneratedAlways<bigint>;
  username: string;
  password_hash: string | null;
  email: Generated<string | null>;
  authorized_keys: Generated<string[]>;
  totp_sealed: Generated<Uint8Array | null>;
  totp_step: Generated<bigint | null>;
  totp_pending_sealed: Generated<Uint8Array | null>;
  created_at: Date;
}

interface PrivilegeTable {
  id: GeneratedAlways<bigint>;
  user_id: string;
  level: PrivilegeLevel;
  account_id: string | null;
  group_id: bigint | null;
  instance_id: string | null;
  api_key_id: string | null;
  password_required: boolean;
  second_factor_required: Generated<boolean>;
  second_factor_age_seconds_max: Generated<number | null>;
  from_addresses: Generated<string[] | null>;
  granted_by: string | null;
  created_at: Date;
}

interface PrivilegePlaceView {
  privilege_id: bigint;
  account_id: string | null;
  group_id: bigint | null;
  instance_id: string | null;
}

interface SessionTable {
  id: string;
  token_sha256: Uint8Array;
  user_id: string;
  factors: string[];
  authenticated_at: Date;
  impersonator_id: string | null;
  validity_seconds: number;
  expires_at: Date;
  from_address: Generated<string | null>;
  user_agent: Generated<string | null>;
}

interface LoginFailureTable {
  source_sha256: Uint8Array;
  count: number;
  blocked_until: Date | null;
  failed_at: Date;
}

interface ApiKeyTable {
  id: string;
  number: GeneratedAlways<bigint>;
  account_id: string | null;
  user_id: Generated<string | null>;
  name: string;
  secret_sha256: Uint8Array;
  created_at: Date;
  revoked_at: Date | null;
  scope: Generated<'read-only' | 'full'>;
  expires_at: Generated<Date | null>;
  last_used_at: Generated<Date | null>;
}

interface SshKeyTable {
  id: string;
  account_id: string;
  name: string;
  fingerprint: string;
  algorithm: string;
  comment: string;
  public_key: string;
  created_at: Date;
}

interface IdempotencyRecordTable {
  account_id: string;
  key: string;
  request_sha256: Uint8Array;
  status: number;
  response: Json<unknown>;
  created_at: Date;
}

interface KeptAnswerTable {
  caller: string;
  key: string;
  request_sha256: Uint8Array;
  answer: Json<unknown> | null;
  sealed_answer: Uint8Array | null;
  created_at: Date;
}

/** Who there is: accounts, users and what they prove themselves by */
export interface PeopleTables {
  account: AccountTable;
  user: UserTable;
  privilege: PrivilegeTable;
  privilege_place: PrivilegePlaceView;
  session: SessionTable;
  login_failure: LoginFailureTable;
  api_key: ApiKeyTable;
  ssh_key: SshKeyTable;
  sealing_key: { only_row: Generated<boolean>; fingerprint: Uint8Array; created_at: Date };
  idempotency_record: IdempotencyRecordTable;
  kept_answer: KeptAnswerTable;
}
