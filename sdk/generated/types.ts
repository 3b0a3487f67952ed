// Written by sdk/generate.ts out of openapi/native.json. Do not edit.

/** Who pays, and owns what runs */
export interface Account {
  id: string;
  name: string;
}

export interface AccountPage {
  items: Account[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Event {
  /** Its place in the feed */
  cursor: string;
  kind: string;
  instance: string | null;
  /** For people */
  message: string;
  /** Who did it */
  actor: string;
  /** For programs; what is in it depends on the kind */
  data: Record<string, unknown> | null;
  createdAt: string;
}

export interface EventPage {
  items: Event[];
  /** Pass as `cursor` to go on from here, also when there is nothing new; null while there is nothing at all */
  nextCursor: string | null;
}

export interface Fault {
  detail: string;
  /** The field of the body, as a JSON pointer */
  pointer?: string | undefined;
}

export interface Grant {
  /** What may be done; each level holds for what is below its object, too */
  level: 'vm_console' | 'vm_admin' | 'group_admin' | 'account_admin' | 'cluster_admin' | 'cluster_su';
  account: string | null;
  group: string | null;
  instance: string | null;
}

/** A named set of an account's instances, with a network */
export interface Group {
  id: string;
  account: string;
  /** Letters, digits and -; part of its VMs' host names */
  name: string;
}

export interface GroupChange {
  /** Letters, digits and -; part of its VMs' host names */
  name?: string | undefined;
}

export interface GroupPage {
  items: Group[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Me {
  /** How events name who acted */
  actor: string;
  user: UserRef | unknown | null;
  grants: Grant[];
}

export interface NewGroup {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Letters, digits and -; part of its VMs' host names */
  name: string;
}

export interface NewSshKey {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Its fingerprint unless given */
  name?: string | undefined;
  /** One line, as in authorized_keys */
  publicKey: string;
}

/** What was asked of an instance and takes its host a while */
export interface Operation {
  id: string;
  /** What was asked for */
  kind: 'create' | 'start' | 'stop' | 'shutdown' | 'reset' | 'cycle' | 'reimage' | 'delete' | 'purge';
  account: string;
  instance: string;
  status: 'running' | 'succeeded' | 'failed';
  error: OperationError | unknown | null;
  /** Who asked */
  actor: string;
  createdAt: string;
  /** When it was seen to be over */
  finishedAt: string | null;
}

export interface OperationError {
  /** For programs; stays as it is */
  code: 'superseded' | 'not_started' | 'not_on' | 'no_answer' | 'ignored';
  detail: string;
}

export interface OperationPage {
  items: Operation[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Problem {
  type: string;
  /** What can be done about it */
  title: string;
  status: number;
  /** For programs; stays as it is */
  code: 'unauthenticated' | 'forbidden' | 'not_found' | 'malformed' | 'invalid_value' | 'unsupported' | 'no_suitable_offer' | 'not_enough_offers' | 'insufficient_balance' | 'name_taken' | 'slot_not_available' | 'price_stale' | 'external_id_reused' | 'wrong_state' | 'precondition_failed' | 'idempotency_key_reused' | 'payload_too_large' | 'unsupported_media_type' | 'too_many_requests' | 'internal' | 'unavailable';
  /** What was wrong, with which value */
  detail: string;
  /** As the header Request-Id has it */
  requestId: string;
  /** The field of the body at fault, as a JSON pointer */
  pointer?: string | undefined;
  /** The part of the query, or the header, at fault */
  parameter?: string | undefined;
  /** What the error is about, where it is no field */
  subject?: string | undefined;
  /** All faults, where there are several */
  errors?: Fault[] | undefined;
}

export interface SshKey {
  id: string;
  account: string;
  name: string;
  fingerprint: string;
  algorithm: string;
  publicKey: string;
  createdAt: string;
}

export interface SshKeyPage {
  items: SshKey[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface UserRef {
  id: string;
  username: string;
}
