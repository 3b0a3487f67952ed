// Written by sdk/generate.ts out of openapi/native.json. Do not edit.

import type {
  Pages,
} from '../pages.ts';
import type {
  ChangeOptions,
  Options,
  Transport,
} from '../transport.ts';
import type {
  Account,
  AccountPage,
  EventPage,
  Group,
  GroupChange,
  GroupPage,
  Me,
  NewGroup,
  NewSshKey,
  Operation,
  OperationPage,
  SshKey,
  SshKeyPage,
} from './types.ts';

/** Operations on accounts. */
export class AccountsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The accounts that you see anything of, your own first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<AccountPage['items'][number]> {
    return this.#transport.pages('/berth/v1/accounts', { query }, options);
  }

  /** An account. */
  get(account: string, options: Options = {}): Promise<Account> {
    return this.#transport.read(`/berth/v1/accounts/${encodeURIComponent(account)}`, {}, options);
  }
}

/** Operations on events. */
export class EventsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What happened in an account or to one instance, oldest first. */
  list(query: {
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
      /** Only of this one */
      instance?: string | undefined;
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<EventPage['items'][number]> {
    return this.#transport.pages('/berth/v1/events', { query }, options);
  }
}

/** Operations on groups. */
export class GroupsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The groups that you see anything of. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Letters, digits and -; part of its VMs' host names */
      name?: string | undefined;
    } = {}, options: Options = {}): Pages<GroupPage['items'][number]> {
    return this.#transport.pages('/berth/v1/groups', { query }, options);
  }

  /** Make a group. */
  create(body: NewGroup, options: ChangeOptions = {}): Promise<Group> {
    return this.#transport.change('POST', '/berth/v1/groups', { body }, options);
  }

  /** A group. */
  get(group: string, options: Options = {}): Promise<Group> {
    return this.#transport.read(`/berth/v1/groups/${encodeURIComponent(group)}`, {}, options);
  }

  /** Rename a group. Its VMs' host names follow. Every account's group `default` keeps its name. */
  update(group: string, body: GroupChange, options: ChangeOptions = {}): Promise<Group> {
    return this.#transport.change('PATCH', `/berth/v1/groups/${encodeURIComponent(group)}`, { body }, options);
  }

  /** Remove a group that nothing is in, not even a deleted VM that can be restored. */
  delete(group: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/groups/${encodeURIComponent(group)}`, {}, options);
  }
}

/** Operations on me. */
export class MeApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Who you are, and what you may do. */
  get(options: Options = {}): Promise<Me> {
    return this.#transport.read('/berth/v1/me', {}, options);
  }
}

/** Operations on operations. */
export class OperationsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What was asked of the instances that you see, the newest first. Operations are kept for 30 days. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only of this instance */
      instance?: string | undefined;
      /** Only those that stand so */
      status?: 'running' | 'succeeded' | 'failed' | undefined;
    } = {}, options: Options = {}): Pages<OperationPage['items'][number]> {
    return this.#transport.pages('/berth/v1/operations', { query }, options);
  }

  /** How something that was asked of an instance goes. */
  get(operation: string, options: Options = {}): Promise<Operation> {
    return this.#transport.read(`/berth/v1/operations/${encodeURIComponent(operation)}`, {}, options);
  }
}

/** Operations on ssh keys. */
export class SshKeysApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The SSH keys that an account has registered, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
      name?: string | undefined;
    } = {}, options: Options = {}): Pages<SshKeyPage['items'][number]> {
    return this.#transport.pages('/berth/v1/ssh-keys', { query }, options);
  }

  /** Register an SSH key. A key that is registered already is answered under the name that it has. */
  create(body: NewSshKey, options: ChangeOptions = {}): Promise<SshKey> {
    return this.#transport.change('POST', '/berth/v1/ssh-keys', { body }, options);
  }

  /** A registered SSH key. */
  get(sshKey: string, options: Options = {}): Promise<SshKey> {
    return this.#transport.read(`/berth/v1/ssh-keys/${encodeURIComponent(sshKey)}`, {}, options);
  }

  /** Forget a registered SSH key; what was deployed with it keeps it. */
  delete(sshKey: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/ssh-keys/${encodeURIComponent(sshKey)}`, {}, options);
  }
}

/** Every noun of the API. */
export class Resources {
  readonly accounts: AccountsApi;
  readonly events: EventsApi;
  readonly groups: GroupsApi;
  readonly me: MeApi;
  readonly operations: OperationsApi;
  readonly sshKeys: SshKeysApi;

  constructor(transport: Transport) {
    this.accounts = new AccountsApi(transport);
    this.events = new EventsApi(transport);
    this.groups = new GroupsApi(transport);
    this.me = new MeApi(transport);
    this.operations = new OperationsApi(transport);
    this.sshKeys = new SshKeysApi(transport);
  }
}
