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
  Address,
  AddressChange,
  AddressPage,
  AddressPool,
  AddressPoolPage,
  AddressSwap,
  Addresses,
  ApiKey,
  ApiKeyPage,
  Backup,
  BackupPage,
  BackupSchedule,
  BackupSchedulePage,
  Balance,
  CapacityPage,
  Configuration,
  ConfigurationPage,
  CountryPage,
  CreatedWebhook,
  Datacenter,
  DatacenterChange,
  DatacenterPage,
  Delivery,
  DeliveryPage,
  Deployment,
  DeploymentDeletion,
  DeploymentPage,
  Disk,
  DiskChange,
  DiskMove,
  DiskPage,
  EnrolmentToken,
  Estimate,
  EventPage,
  Group,
  GroupChange,
  GroupPage,
  Host,
  HostChange,
  HostInstancePage,
  HostMetrics,
  HostPage,
  Image,
  ImageChange,
  ImagePage,
  Impersonation,
  Instance,
  InstanceChange,
  InstanceCounts,
  InstanceMetrics,
  InstancePage,
  InstancePorts,
  Keys,
  LedgerPage,
  LedgerTransaction,
  Login,
  Logs,
  Me,
  NewAccount,
  NewAddressPool,
  NewAddresses,
  NewApiKey,
  NewApiKeyAnswer,
  NewBackupSchedule,
  NewConfiguration,
  NewCredit,
  NewDatacenter,
  NewDebit,
  NewDeployment,
  NewDisk,
  NewEnrolmentToken,
  NewEstimate,
  NewGroup,
  NewImage,
  NewImpersonation,
  NewInstance,
  NewPrice,
  NewPrivilege,
  NewQuote,
  NewReimage,
  NewSecondFactor,
  NewSession,
  NewSlot,
  NewSshKey,
  NewTicket,
  NewUser,
  NewUserAnswer,
  NewWebhook,
  OfferExplanation,
  OfferPage,
  OfferedHardware,
  Operation,
  OperationPage,
  Orphan,
  OrphanPage,
  PowerOrder,
  Price,
  PricePage,
  PriceRevision,
  Privilege,
  PrivilegeChange,
  PrivilegePage,
  Quote,
  QuotePage,
  Reimage,
  Revenue,
  RevisedPrice,
  SecondFactorConfirmation,
  SecondFactorRemoval,
  SecondFactorSecret,
  Session,
  SessionPage,
  Slot,
  SlotChange,
  SlotPage,
  Spend,
  SshKey,
  SshKeyPage,
  Statement,
  StoragePoolPage,
  Ticket,
  TransactionPage,
  User,
  UserChange,
  UserPage,
  Webhook,
  WebhookChange,
  WebhookPage,
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
      /** Only with this in their name, in small or capital letters */
      search?: string | undefined;
    } = {}, options: Options = {}): Pages<AccountPage['items'][number]> {
    return this.#transport.pages('/berth/v1/accounts', { query }, options);
  }

  /** Open an account, with nothing in it. Its name becomes a part of its VMs' host names, and stays. */
  create(body: NewAccount, options: ChangeOptions = {}): Promise<Account> {
    return this.#transport.change('POST', '/berth/v1/accounts', { body }, options);
  }

  /** An account. */
  get(account: string, options: Options = {}): Promise<Account> {
    return this.#transport.read(`/berth/v1/accounts/${encodeURIComponent(account)}`, {}, options);
  }

  /** Close an account in which nothing ever was. */
  delete(account: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/accounts/${encodeURIComponent(account)}`, {}, options);
  }
}

/** Operations on addresses. */
export class AddressesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The addresses of the VMs that you see, in their order. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only of this instance */
      instance?: string | undefined;
      family?: 'ipv4' | 'ipv6' | undefined;
      /** Only additional ones, or only main ones */
      additional?: boolean | undefined;
    } = {}, options: Options = {}): Pages<AddressPage['items'][number]> {
    return this.#transport.pages('/berth/v1/addresses', { query }, options);
  }

  /** An address. */
  get(address: string, options: Options = {}): Promise<Address> {
    return this.#transport.read(`/berth/v1/addresses/${encodeURIComponent(address)}`, {}, options);
  }

  /** Say what an address is called in the other direction; null is nothing. */
  update(address: string, body: AddressChange, options: ChangeOptions = {}): Promise<Address> {
    return this.#transport.change('PATCH', `/berth/v1/addresses/${encodeURIComponent(address)}`, { body }, options);
  }

  /** Give an additional address back. */
  delete(address: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/addresses/${encodeURIComponent(address)}`, {}, options);
  }

  /** Give a VM additional IPv4 addresses, which lead to its main one at once. A VM has up to 4 of them. */
  create(instance: string, body: NewAddresses, options: ChangeOptions = {}): Promise<Addresses> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/addresses`, { body }, options);
  }

  /** Let two VMs that are off exchange their addresses. Both have to be on the same host. The ports that are open stay with each VM. */
  swap(instance: string, body: AddressSwap, options: ChangeOptions = {}): Promise<Addresses> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/swap-addresses`, { body }, options);
  }
}

/** Operations on api keys. */
export class ApiKeysApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** An account’s API keys, a user’s, or your own, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Whose keys; your own unless given */
      account?: string | undefined;
      /** Id or name of whose keys, for operators */
      user?: string | undefined;
      /** Only those that stand so */
      state?: 'valid' | 'revoked' | 'expired' | undefined;
    } = {}, options: Options = {}): Pages<ApiKeyPage['items'][number]> {
    return this.#transport.pages('/berth/v1/api-keys', { query }, options);
  }

  /** Make an API key, of an account or your own. A user makes keys of their own in a session; each does only what is granted to it. */
  create(body: NewApiKey, options: ChangeOptions = {}): Promise<NewApiKeyAnswer> {
    return this.#transport.change('POST', '/berth/v1/api-keys', { body }, options);
  }

  /** An API key. */
  get(apiKey: string, options: Options = {}): Promise<ApiKey> {
    return this.#transport.read(`/berth/v1/api-keys/${encodeURIComponent(apiKey)}`, {}, options);
  }

  /** End an API key at once. An account’s key stays in the list as revoked; a user’s is removed with what was granted to it. */
  delete(apiKey: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/api-keys/${encodeURIComponent(apiKey)}`, {}, options);
  }
}

/** Operations on backup schedules. */
export class BackupSchedulesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The schedules by which the disks that you see are backed up, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only of this instance */
      instance?: string | undefined;
      /** Only of this disk */
      disk?: string | undefined;
    } = {}, options: Options = {}): Pages<BackupSchedulePage['items'][number]> {
    return this.#transport.pages('/berth/v1/backup-schedules', { query }, options);
  }

  /** A schedule of backups. */
  get(schedule: string, options: Options = {}): Promise<BackupSchedule> {
    return this.#transport.read(`/berth/v1/backup-schedules/${encodeURIComponent(schedule)}`, {}, options);
  }

  /** End a schedule; the backups that it has made stay. */
  delete(schedule: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/backup-schedules/${encodeURIComponent(schedule)}`, {}, options);
  }

  /** Back a disk up again and again. A disk has up to 10 schedules. Backups that were missed are not made up for, but for the last. */
  create(disk: string, body: NewBackupSchedule, options: ChangeOptions = {}): Promise<BackupSchedule> {
    return this.#transport.change('POST', `/berth/v1/disks/${encodeURIComponent(disk)}/backup-schedules`, { body }, options);
  }
}

/** Operations on backups. */
export class BackupsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The backups of the disks that you see, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only of this instance */
      instance?: string | undefined;
      /** Only of this disk */
      disk?: string | undefined;
      /** Only those that stand so */
      state?: 'ready' | 'wanted' | undefined;
      /** Only what was made at this moment or later */
      createdAfter?: string | undefined;
      /** Only what was made before this moment */
      createdBefore?: string | undefined;
    } = {}, options: Options = {}): Pages<BackupPage['items'][number]> {
    return this.#transport.pages('/berth/v1/backups', { query }, options);
  }

  /** A backup. */
  get(backup: string, options: Options = {}): Promise<Backup> {
    return this.#transport.read(`/berth/v1/backups/${encodeURIComponent(backup)}`, {}, options);
  }

  /** Erase a backup. */
  delete(backup: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/backups/${encodeURIComponent(backup)}`, {}, options);
  }

  /** Back a disk up as it is now. Its VM may be on. The backup is `ready` once its host has made it; of each disk one is made at a time, and up to 100 are kept. */
  create(disk: string, options: ChangeOptions = {}): Promise<Backup> {
    return this.#transport.change('POST', `/berth/v1/disks/${encodeURIComponent(disk)}/backups`, {}, options);
  }

  /** Make the content of a disk that of a backup; its VM has to be off. What the disk holds now is backed up first. The VM can be started at once; its disk is restored before that. */
  restore(backup: string, options: ChangeOptions = {}): Promise<Disk> {
    return this.#transport.change('POST', `/berth/v1/backups/${encodeURIComponent(backup)}/restore`, {}, options);
  }
}

/** Operations on configurations. */
export class ConfigurationsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The sizes that are sold, from the smallest. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only with at least so many */
      vcpusMin?: number | undefined;
      /** Only with at least so much */
      memoryMibMin?: number | undefined;
      /** Only with at least so much */
      diskGibMin?: number | undefined;
    } = {}, options: Options = {}): Pages<ConfigurationPage['items'][number]> {
    return this.#transport.pages('/berth/v1/configurations', { query }, options);
  }

  /** Put a size on sale, on every host that it fits on. */
  create(body: NewConfiguration, options: ChangeOptions = {}): Promise<Configuration> {
    return this.#transport.change('POST', '/berth/v1/configurations', { body }, options);
  }

  /** A size that is sold, by its slug. */
  get(configuration: string, options: Options = {}): Promise<Configuration> {
    return this.#transport.read(`/berth/v1/configurations/${encodeURIComponent(configuration)}`, {}, options);
  }

  /** Sell a size, named by its slug, no longer; what runs of it runs on. */
  delete(configuration: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/configurations/${encodeURIComponent(configuration)}`, {}, options);
  }
}

/** Operations on datacenters. */
export class DatacentersApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The datacenters, by their slugs. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only in this country */
      country?: string | undefined;
      /** Only in this city */
      city?: string | undefined;
    } = {}, options: Options = {}): Pages<DatacenterPage['items'][number]> {
    return this.#transport.pages('/berth/v1/datacenters', { query }, options);
  }

  /** Add a datacenter. */
  create(body: NewDatacenter, options: ChangeOptions = {}): Promise<Datacenter> {
    return this.#transport.change('POST', '/berth/v1/datacenters', { body }, options);
  }

  /** A datacenter, by its id or slug. */
  get(datacenter: string, options: Options = {}): Promise<Datacenter> {
    return this.#transport.read(`/berth/v1/datacenters/${encodeURIComponent(datacenter)}`, {}, options);
  }

  /** Change what is said of a datacenter. */
  update(datacenter: string, body: DatacenterChange, options: ChangeOptions = {}): Promise<Datacenter> {
    return this.#transport.change('PATCH', `/berth/v1/datacenters/${encodeURIComponent(datacenter)}`, { body }, options);
  }

  /** Remove a datacenter in which no host stands. */
  delete(datacenter: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/datacenters/${encodeURIComponent(datacenter)}`, {}, options);
  }
}

/** Operations on deployments. */
export class DeploymentsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What an account has made together, the oldest first unless asked otherwise. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
      /** Only with this in their name, in small or capital letters */
      search?: string | undefined;
      /** Only with an instance in one of these states, separated by commas */
      status?: string | undefined;
      newestFirst?: boolean | undefined;
    } = {}, options: Options = {}): Pages<DeploymentPage['items'][number]> {
    return this.#transport.pages('/berth/v1/deployments', { query }, options);
  }

  /** Make several VMs of one name, all or none. */
  create(body: NewDeployment, options: ChangeOptions = {}): Promise<Deployment> {
    return this.#transport.change('POST', '/berth/v1/deployments', { body }, options);
  }

  /** What was made together, as far as you see it. */
  get(deployment: string, options: Options = {}): Promise<Deployment> {
    return this.#transport.read(`/berth/v1/deployments/${encodeURIComponent(deployment)}`, {}, options);
  }

  /** Delete all that was made together, all of it or nothing. As far as you see it. Its VMs go off and out of sight, and can be brought back until they are purged; its containers end for good. What is deleted already stays as it is. */
  delete(deployment: string, query: {
      /** VMs are gone for good, too */
      purge?: boolean | undefined;
    } = {}, options: ChangeOptions = {}): Promise<DeploymentDeletion> {
    return this.#transport.change('DELETE', `/berth/v1/deployments/${encodeURIComponent(deployment)}`, { query }, options);
  }
}

/** Operations on disks. */
export class DisksApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The disks of the VMs that you see, in the order in which they were made. Those of a deleted VM that can be restored are among them. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only of this instance */
      instance?: string | undefined;
      /** Its name within its instance */
      label?: string | undefined;
      /** Only of this grade */
      grade?: 'sata' | 'ssd' | 'archive' | undefined;
    } = {}, options: Options = {}): Pages<DiskPage['items'][number]> {
    return this.#transport.pages('/berth/v1/disks', { query }, options);
  }

  /** A disk. */
  get(disk: string, options: Options = {}): Promise<Disk> {
    return this.#transport.read(`/berth/v1/disks/${encodeURIComponent(disk)}`, {}, options);
  }

  /** Rename a disk, make it larger, or bound how busy it may be. A guest that runs sees the larger size. `iopsLimit` is for who runs the installation to set. */
  update(disk: string, body: DiskChange, options: ChangeOptions = {}): Promise<Disk> {
    return this.#transport.change('PATCH', `/berth/v1/disks/${encodeURIComponent(disk)}`, { body }, options);
  }

  /** Erase a disk of a VM that is off, with its backups; nothing brings it back. */
  delete(disk: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/disks/${encodeURIComponent(disk)}`, {}, options);
  }

  /** Give a VM one more disk, blank. Its guest sees it at once where its hardware profile can, and else from its next start on. A VM has up to 8. */
  create(instance: string, body: NewDisk, options: ChangeOptions = {}): Promise<Disk> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/disks`, { body }, options);
  }

  /** Give a disk, with its backups, to another VM of the same host. Both VMs have to be off. The disk that a VM is booted from stays with it. */
  move(disk: string, body: DiskMove, options: ChangeOptions = {}): Promise<Disk> {
    return this.#transport.change('POST', `/berth/v1/disks/${encodeURIComponent(disk)}/move`, { body }, options);
  }
}

/** Operations on events. */
export class EventsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What happened in an account or to one instance, oldest first unless asked otherwise. */
  list(query: {
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
      /** Only of this one */
      instance?: string | undefined;
      /** Only of this kind and those below it: `instance` has `instance.active` */
      kind?: string | undefined;
      /** For operators: every account's, and what belongs to none */
      all?: boolean | undefined;
      /** Only what was made at this moment or later */
      createdAfter?: string | undefined;
      /** Only what was made before this moment */
      createdBefore?: string | undefined;
      /** From the newest to the oldest; `nextCursor` leads to older ones, and is null behind the oldest */
      newestFirst?: boolean | undefined;
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
      /** Only with this in their name, in small or capital letters */
      search?: string | undefined;
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

/** Operations on hosts. */
export class HostsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The hosts, by their names. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      state?: 'open' | 'drained' | 'retired' | undefined;
      reachable?: boolean | undefined;
      /** Id or slug of a datacenter */
      datacenter?: string | undefined;
    } = {}, options: Options = {}): Pages<HostPage['items'][number]> {
    return this.#transport.pages('/berth/v1/hosts', { query }, options);
  }

  /** A host. */
  get(host: string, options: Options = {}): Promise<Host> {
    return this.#transport.read(`/berth/v1/hosts/${encodeURIComponent(host)}`, {}, options);
  }

  /** Change a host's name, or its terms for what is deployed from now on. */
  update(host: string, body: HostChange, options: ChangeOptions = {}): Promise<Host> {
    return this.#transport.change('PATCH', `/berth/v1/hosts/${encodeURIComponent(host)}`, { body }, options);
  }

  /** Make a one-time token that enrols a machine as a host, and the host where there is none of this name. Terms are for a new host. One that is there keeps its own; it is enrolled again by its name alone. */
  createEnrolmentToken(body: NewEnrolmentToken, options: ChangeOptions = {}): Promise<EnrolmentToken> {
    return this.#transport.change('POST', '/berth/v1/hosts/enrolment-tokens', { body }, options);
  }

  /** Let a host take no new instances; those it has stay. */
  drain(host: string, options: ChangeOptions = {}): Promise<Host> {
    return this.#transport.change('POST', `/berth/v1/hosts/${encodeURIComponent(host)}/drain`, {}, options);
  }

  /** Let a host take new instances again, also one that was retired. */
  undrain(host: string, options: ChangeOptions = {}): Promise<Host> {
    return this.#transport.change('POST', `/berth/v1/hosts/${encodeURIComponent(host)}/undrain`, {}, options);
  }

  /** Take a host without instances out of the market, for the record only. */
  retire(host: string, options: ChangeOptions = {}): Promise<Host> {
    return this.#transport.change('POST', `/berth/v1/hosts/${encodeURIComponent(host)}/retire`, {}, options);
  }

  /** What a host holds something of: what it was told, and what it last said. */
  listInstances(host: string, query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<HostInstancePage['items'][number]> {
    return this.#transport.pages(`/berth/v1/hosts/${encodeURIComponent(host)}/instances`, { query }, options);
  }

  /** Where disks lie on a host. */
  listStoragePools(host: string, query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<StoragePoolPage['items'][number]> {
    return this.#transport.pages(`/berth/v1/hosts/${encodeURIComponent(host)}/storage-pools`, { query }, options);
  }

  /** The ranges of addresses for a host's instances. */
  listAddressPools(host: string, query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<AddressPoolPage['items'][number]> {
    return this.#transport.pages(`/berth/v1/hosts/${encodeURIComponent(host)}/address-pools`, { query }, options);
  }

  /** Let a host hand out addresses of a range. */
  createAddressPool(host: string, body: NewAddressPool, options: ChangeOptions = {}): Promise<AddressPool> {
    return this.#transport.change('POST', `/berth/v1/hosts/${encodeURIComponent(host)}/address-pools`, { body }, options);
  }

  /** A range of addresses of a host. */
  getAddressPool(host: string, addressPool: string, options: Options = {}): Promise<AddressPool> {
    return this.#transport.read(`/berth/v1/hosts/${encodeURIComponent(host)}/address-pools/${encodeURIComponent(addressPool)}`, {}, options);
  }

  /** Let a host hand out no more addresses of a range; instances keep those they have. */
  deleteAddressPool(host: string, addressPool: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/hosts/${encodeURIComponent(host)}/address-pools/${encodeURIComponent(addressPool)}`, {}, options);
  }

  /** What a host used over a span of time. */
  getMetrics(host: string, query: {
      /** From the step on that this day or moment is in; an hour before `to` where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
      /** Seconds from one point to the next; left out, the finest of which 720 points hold the span */
      step?: 10 | 30 | 60 | 300 | 900 | 1800 | 3600 | 7200 | 21600 | 86400 | undefined;
    } = {}, options: Options = {}): Promise<HostMetrics> {
    return this.#transport.read(`/berth/v1/hosts/${encodeURIComponent(host)}/metrics`, { query }, options);
  }
}

/** Operations on images. */
export class ImagesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** OS images: the catalog, then the own ones of the accounts that you see as a whole, by their slugs. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only the own ones of this account */
      account?: string | undefined;
      state?: 'checking' | 'ready' | 'failed' | undefined;
    } = {}, options: Options = {}): Pages<ImagePage['items'][number]> {
    return this.#transport.pages('/berth/v1/images', { query }, options);
  }

  /** Register an OS image of your own by its URL and checksum. VMs are made of it as of those of the catalog, as `own:` and its name, once its URL was looked at and its state is `ready`. Each host fetches it once, holds the whole file against `sha256`, and fails the VM where it differs. */
  create(body: NewImage, options: ChangeOptions = {}): Promise<Image> {
    return this.#transport.change('POST', '/berth/v1/images', { body }, options);
  }

  /** An OS image, by its id or slug. */
  get(image: string, options: Options = {}): Promise<Image> {
    return this.#transport.read(`/berth/v1/images/${encodeURIComponent(image)}`, {}, options);
  }

  /** Rename an OS image of your own. A file that changes is another image: register that, and delete this one. */
  update(image: string, body: ImageChange, options: ChangeOptions = {}): Promise<Image> {
    return this.#transport.change('PATCH', `/berth/v1/images/${encodeURIComponent(image)}`, { body }, options);
  }

  /** Forget an OS image of your own; what was made of it keeps it. */
  delete(image: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/images/${encodeURIComponent(image)}`, {}, options);
  }
}

/** Operations on instances. */
export class InstancesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The instances that you see, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only in this group */
      group?: string | undefined;
      /** Only of what was deployed together */
      deployment?: string | undefined;
      /** Only of this kind */
      kind?: 'vm' | 'container' | undefined;
      /** Only in one of these states, separated by commas */
      status?: string | undefined;
      /** Only of this name */
      name?: string | undefined;
      /** Only with this in their name, host name or an address, in small or capital letters */
      search?: string | undefined;
      /** Only in this datacenter, by its id or slug */
      datacenter?: string | undefined;
      /** For operators: only on this host */
      host?: string | undefined;
      /** Only what was made at this moment or later */
      createdAfter?: string | undefined;
      /** Only what was made before this moment */
      createdBefore?: string | undefined;
      /** Those too that are deleted and not gone yet */
      deleted?: boolean | undefined;
    } = {}, options: Options = {}): Pages<InstancePage['items'][number]> {
    return this.#transport.pages('/berth/v1/instances', { query }, options);
  }

  /** Make a VM where the market has room for it, or a container on a slot. The cheapest host that keeps the constraints takes the VM. It is answered as soon as it is accepted; its host brings it up afterwards. `dryRun` answers what it would be and cost. */
  create(body: NewInstance, options: ChangeOptions = {}): Promise<Instance> {
    return this.#transport.change('POST', '/berth/v1/instances', { body }, options);
  }

  /** An instance; also one that is deleted, until it is gone. */
  get(instance: string, options: Options = {}): Promise<Instance> {
    return this.#transport.read(`/berth/v1/instances/${encodeURIComponent(instance)}`, {}, options);
  }

  /** Change an instance's name and group, or a VM's size and machine. Of a container only the name and the group change. What a VM is made of counts from its next start on. */
  update(instance: string, body: InstanceChange, options: ChangeOptions = {}): Promise<Instance> {
    return this.#transport.change('PATCH', `/berth/v1/instances/${encodeURIComponent(instance)}`, { body }, options);
  }

  /** Delete an instance. A VM goes off and out of sight; it keeps its name, addresses and disks, and can be brought back until it is purged. A container ends for good. */
  delete(instance: string, query: {
      /** A VM is gone for good, too */
      purge?: boolean | undefined;
    } = {}, options: ChangeOptions = {}): Promise<Operation> {
    return this.#transport.change('DELETE', `/berth/v1/instances/${encodeURIComponent(instance)}`, { query }, options);
  }

  /** How many instances you see of each kind and status; deleted ones too, until they are gone. */
  count(query: {
      /** Only of this account */
      account?: string | undefined;
    } = {}, options: Options = {}): Promise<InstanceCounts> {
    return this.#transport.read('/berth/v1/instance-counts', { query }, options);
  }

  /** What an instance has said, the oldest line first. With `follow`, the answer is application/x-ndjson: a line of JSON for each line as it is said, and `{"error": {"code", "detail"}}` where it breaks off. White space before a line only keeps the connection alive. The last line, of stream `system`, says that the instance has ended. */
  getLogs(instance: string, query: {
      /** The last so many lines, 100 unless given; of very long ones, as many as 4 MiB hold */
      tail?: number | undefined;
      /** Only from then on: a time, seconds since 1970, or a span back from now */
      since?: string | undefined;
      /** What was noted about an instance, which is told of a VM, or a container's output */
      source?: 'system' | 'container' | undefined;
    } = {}, options: Options = {}): Promise<Logs> {
    return this.#transport.read(`/berth/v1/instances/${encodeURIComponent(instance)}/logs`, { query }, options);
  }

  /** Say which of a VM's ports are open from outside, all others closed. */
  setPorts(instance: string, body: InstancePorts, options: ChangeOptions = {}): Promise<Instance> {
    return this.#transport.change('PUT', `/berth/v1/instances/${encodeURIComponent(instance)}/ports`, { body }, options);
  }

  /** Erase a VM for good, deleted before or not. */
  purge(instance: string, options: ChangeOptions = {}): Promise<Operation> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/purge`, {}, options);
  }

  /** Bring a deleted VM back, switched off. */
  undelete(instance: string, options: ChangeOptions = {}): Promise<Instance> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/undelete`, {}, options);
  }

  /** Switch a VM on or off, or press one of its buttons. `start` switches it on. `stop` pulls its plug, `cycle` pulls it and puts it in again, and so does `restart`, which switches on one that is off. `shutdown` presses its power button, and `reset` its reset button. One that comes back by itself (`autoreboot`) does so after `stop` and `shutdown`, too. */
  power(instance: string, body: PowerOrder, options: ChangeOptions = {}): Promise<Operation> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/power`, { body }, options);
  }

  /** Make the first disk of a VM that is off anew from an image, and switch it on. What was on the disk is gone. */
  reimage(instance: string, body: NewReimage, options: ChangeOptions = {}): Promise<Reimage> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/reimage`, { body }, options);
  }

  /** What instances would cost that were made now. Takes the body of the request that would make them, its `quote` too, and whoever may make them. Nothing is kept, and no quote used up. */
  estimate(body: NewEstimate, options: ChangeOptions = {}): Promise<Estimate> {
    return this.#transport.change('POST', '/berth/v1/estimates', { body }, options);
  }

  /** Press keys of the keyboard of a VM that is on, all of them together. What its guest makes of them is up to the guest. */
  sendKeys(instance: string, body: Keys, options: ChangeOptions = {}): Promise<Operation> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/keys`, { body }, options);
  }

  /** A ticket that opens one door of an instance, once, within 30 s. For WebSockets of web pages, which can send no header. It lasts no longer than the key or session that made it. */
  createTicket(instance: string, body: NewTicket, options: ChangeOptions = {}): Promise<Ticket> {
    return this.#transport.change('POST', `/berth/v1/instances/${encodeURIComponent(instance)}/tickets`, { body }, options);
  }

  /** What an instance used over a span of time. Measured by its host every 10 seconds. These are kept for 2 hours, averages of 5 minutes for 8 days and of an hour for 90 days. */
  getMetrics(instance: string, query: {
      /** From the step on that this day or moment is in; an hour before `to` where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
      /** Seconds from one point to the next; left out, the finest of which 720 points hold the span */
      step?: 10 | 30 | 60 | 300 | 900 | 1800 | 3600 | 7200 | 21600 | 86400 | undefined;
    } = {}, options: Options = {}): Promise<InstanceMetrics> {
    return this.#transport.read(`/berth/v1/instances/${encodeURIComponent(instance)}/metrics`, { query }, options);
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

/** Operations on money. */
export class MoneyApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What an account has, spends, and how long that lasts. */
  getBalance(account: string, options: Options = {}): Promise<Balance> {
    return this.#transport.read(`/berth/v1/accounts/${encodeURIComponent(account)}/balance`, {}, options);
  }

  /** What moved in an account in a span of time, summed up by instance and kind. With `Accept: text/csv` every single transaction with the balance after it, as `berth local account statement --csv` has them, with ids as they are here. */
  getStatement(account: string, query: {
      /** From this day or moment on, in UTC unless it says otherwise; from the beginning where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
    } = {}, options: Options = {}): Promise<Statement> {
    return this.#transport.read(`/berth/v1/accounts/${encodeURIComponent(account)}/statement`, { query }, options);
  }

  /** What an account was charged in a span of time, day by day. */
  getSpend(account: string, query: {
      /** From this day or moment on, in UTC unless it says otherwise; from the beginning where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
    } = {}, options: Options = {}): Promise<Spend> {
    return this.#transport.read(`/berth/v1/accounts/${encodeURIComponent(account)}/spend`, { query }, options);
  }

  /** What moved in an account, transaction by transaction, the newest first. */
  listTransactions(account: string, query: {
      /** Rows at most */
      limit?: number | undefined;
      /** From this day or moment on, in UTC unless it says otherwise; from the beginning where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
      kind?: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund' | undefined;
      /** Only what was paid for this one */
      instance?: string | undefined;
    } = {}, options: Options = {}): Pages<TransactionPage['items'][number]> {
    return this.#transport.pages(`/berth/v1/accounts/${encodeURIComponent(account)}/transactions`, { query }, options);
  }

  /** What moved in all accounts, with every entry, the newest first. */
  listLedger(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** From this day or moment on, in UTC unless it says otherwise; from the beginning where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
      kind?: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund' | undefined;
      /** Only what was paid for this one */
      instance?: string | undefined;
      /** Only of this account */
      account?: string | undefined;
      /** Only what this host earned or gave back */
      host?: string | undefined;
    } = {}, options: Options = {}): Pages<LedgerPage['items'][number]> {
    return this.#transport.pages('/berth/v1/ledger', { query }, options);
  }

  /** A transaction with its entries. */
  getLedgerTransaction(transaction: string, options: Options = {}): Promise<LedgerTransaction> {
    return this.#transport.read(`/berth/v1/ledger/${encodeURIComponent(transaction)}`, {}, options);
  }

  /** Give an account money; what it owes is paid at once. */
  creditAccount(account: string, body: NewCredit, options: ChangeOptions = {}): Promise<LedgerTransaction> {
    return this.#transport.change('POST', `/berth/v1/accounts/${encodeURIComponent(account)}/credits`, { body }, options);
  }

  /** Take money from an account, of what it has available. */
  debitAccount(account: string, body: NewDebit, options: ChangeOptions = {}): Promise<LedgerTransaction> {
    return this.#transport.change('POST', `/berth/v1/accounts/${encodeURIComponent(account)}/debits`, { body }, options);
  }

  /** What hosts, datacenters, accounts or kinds have brought in over a span of time. With `per` also for each day, week or month of it, of 400 at most; `from` is then some way back where it is left out. What was charged counts at the moment at which it was. With `Accept: text/csv` the same as a table. */
  getRevenue(query: {
      /** From this day or moment on, in UTC unless it says otherwise; from the beginning where left out */
      from?: string | undefined;
      /** Up to before this day or moment; up to now where left out */
      to?: string | undefined;
      /** What it is summed up by; `host` where left out */
      by?: 'host' | 'datacenter' | 'account' | 'kind' | undefined;
      /** Divide it into days, weeks from Monday on, or months, in UTC */
      per?: 'day' | 'week' | 'month' | undefined;
      /** So many stand for themselves; 10 with `per` and 1000 else where left out */
      top?: number | undefined;
    } = {}, options: Options = {}): Promise<Revenue> {
    return this.#transport.read('/berth/v1/revenue', { query }, options);
  }
}

/** Operations on offers. */
export class OffersApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What can be rented now, the cheapest first. Computed anew for each page: what the market changes between two pages may be missed or come twice. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Slug of a configuration; left out for any */
      configuration?: string | undefined;
      /** GiB beyond the configuration's own storage */
      additionalStorageGib?: number | undefined;
      /** ISO 3166-1 alpha-2; several with commas between them */
      country?: string | undefined;
      /** Part of a UN/LOCODE; several with commas between them */
      city?: string | undefined;
      /** Id or slug; several with commas between them */
      datacenter?: string | undefined;
      cpuManufacturer?: string | undefined;
      cpuArchitecture?: string | undefined;
      memoryType?: string | undefined;
      memoryGeneration?: string | undefined;
      /** The host's, and so of all disks */
      storageType?: 'HDD' | 'SSD' | 'NVMe' | undefined;
      /** Only configurations with at least so many */
      vcpusMin?: number | undefined;
      /** Only configurations with at least so much */
      memoryMibMin?: number | undefined;
      /** US dollars for one instance and epoch, additional storage included */
      maxPrice?: string | undefined;
    } = {}, options: Options = {}): Pages<OfferPage['items'][number]> {
    return this.#transport.pages('/berth/v1/offers', { query }, options);
  }

  /** Why a request would find nothing, and the smallest changes that would work. */
  explain(query: {
      /** Slug of a configuration; left out for any */
      configuration?: string | undefined;
      /** GiB beyond the configuration's own storage */
      additionalStorageGib?: number | undefined;
      /** ISO 3166-1 alpha-2; several with commas between them */
      country?: string | undefined;
      /** Part of a UN/LOCODE; several with commas between them */
      city?: string | undefined;
      /** Id or slug; several with commas between them */
      datacenter?: string | undefined;
      cpuManufacturer?: string | undefined;
      cpuArchitecture?: string | undefined;
      memoryType?: string | undefined;
      memoryGeneration?: string | undefined;
      /** The host's, and so of all disks */
      storageType?: 'HDD' | 'SSD' | 'NVMe' | undefined;
      /** Only configurations with at least so many */
      vcpusMin?: number | undefined;
      /** Only configurations with at least so much */
      memoryMibMin?: number | undefined;
      /** US dollars for one instance and epoch, additional storage included */
      maxPrice?: string | undefined;
      /** Instances, 1 to 10 */
      count?: number | undefined;
    } = {}, options: Options = {}): Promise<OfferExplanation> {
    return this.#transport.read('/berth/v1/offers/explain', { query }, options);
  }

  /** How many instances of each configuration still fit into each datacenter. */
  listCapacity(query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<CapacityPage['items'][number]> {
    return this.#transport.pages('/berth/v1/capacity', { query }, options);
  }

  /** The hardware that can be asked for. */
  getHardware(options: Options = {}): Promise<OfferedHardware> {
    return this.#transport.read('/berth/v1/hardware', {}, options);
  }

  /** The countries with hosts that take instances. */
  listCountries(query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<CountryPage['items'][number]> {
    return this.#transport.pages('/berth/v1/countries', { query }, options);
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
      /** Only of this kind */
      kind?: 'create' | 'start' | 'stop' | 'shutdown' | 'reset' | 'cycle' | 'restart' | 'reimage' | 'delete' | 'purge' | 'send-keys' | undefined;
      /** Only what was made at this moment or later */
      createdAfter?: string | undefined;
      /** Only what was made before this moment */
      createdBefore?: string | undefined;
    } = {}, options: Options = {}): Pages<OperationPage['items'][number]> {
    return this.#transport.pages('/berth/v1/operations', { query }, options);
  }

  /** How something that was asked of an instance goes. */
  get(operation: string, options: Options = {}): Promise<Operation> {
    return this.#transport.read(`/berth/v1/operations/${encodeURIComponent(operation)}`, {}, options);
  }
}

/** Operations on orphans. */
export class OrphansApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What hosts have and nobody owns; it is shown, and its addresses kept from others. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only what this host has */
      host?: string | undefined;
    } = {}, options: Options = {}): Pages<OrphanPage['items'][number]> {
    return this.#transport.pages('/berth/v1/orphans', { query }, options);
  }

  /** An orphan. */
  get(orphan: string, options: Options = {}): Promise<Orphan> {
    return this.#transport.read(`/berth/v1/orphans/${encodeURIComponent(orphan)}`, {}, options);
  }

  /** Have an orphan switched off and erased, for good. Its host is told, and says when nothing of it is left; then it is no longer listed. Of a VM that the host has no record of any more, which disks were its own is not known: they stay, and are among what the host finds that belongs to nothing. */
  delete(orphan: string, options: ChangeOptions = {}): Promise<Orphan> {
    return this.#transport.change('DELETE', `/berth/v1/orphans/${encodeURIComponent(orphan)}`, {}, options);
  }
}

/** Operations on prices. */
export class PricesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The rate cards, the newest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<PricePage['items'][number]> {
    return this.#transport.pages('/berth/v1/prices', { query }, options);
  }

  /** Make a rate card, for hosts to be pointed to. Where there is an equal one, that one is answered. */
  create(body: NewPrice, options: ChangeOptions = {}): Promise<Price> {
    return this.#transport.change('POST', '/berth/v1/prices', { body }, options);
  }

  /** A rate card. */
  get(price: string, options: Options = {}): Promise<Price> {
    return this.#transport.read(`/berth/v1/prices/${encodeURIComponent(price)}`, {}, options);
  }

  /** Change rates of a card for its hosts, for what is deployed from now on. A card never changes: its hosts are pointed to another one that has the rates given and the other rates of this one. What runs keeps what it was promised. */
  revise(price: string, body: PriceRevision, options: ChangeOptions = {}): Promise<RevisedPrice> {
    return this.#transport.change('POST', `/berth/v1/prices/${encodeURIComponent(price)}/revisions`, { body }, options);
  }
}

/** Operations on privileges. */
export class PrivilegesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Privileges that you may see, in the order in which they were granted. Unless you ask for those of a user or on an object: your own, and those in accounts of yours. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Id or name of whose they are; `me` for your own */
      user?: string | undefined;
      /** Held on this account itself */
      account?: string | undefined;
      /** Held on this group itself */
      group?: string | undefined;
      /** Held on this VM */
      instance?: string | undefined;
    } = {}, options: Options = {}): Pages<PrivilegePage['items'][number]> {
    return this.#transport.pages('/berth/v1/privileges', { query }, options);
  }

  /** Grant a user, or a key of yours, a privilege. Needs a higher level there than the one granted; to your own keys you grant what you have yourself. */
  create(body: NewPrivilege, options: ChangeOptions = {}): Promise<Privilege> {
    return this.#transport.change('POST', '/berth/v1/privileges', { body }, options);
  }

  /** A privilege. */
  get(privilege: string, options: Options = {}): Promise<Privilege> {
    return this.#transport.read(`/berth/v1/privileges/${encodeURIComponent(privilege)}`, {}, options);
  }

  /** Change the terms of a privilege. */
  update(privilege: string, body: PrivilegeChange, options: ChangeOptions = {}): Promise<Privilege> {
    return this.#transport.change('PATCH', `/berth/v1/privileges/${encodeURIComponent(privilege)}`, { body }, options);
  }

  /** Take a privilege away. */
  delete(privilege: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/privileges/${encodeURIComponent(privilege)}`, {}, options);
  }
}

/** Operations on quotes. */
export class QuotesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** An account's quotes, the newest first. Those that are over are listed for 30 days. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
      /** Only those that stand so */
      state?: 'open' | 'used' | 'expired' | 'released' | 'lost' | undefined;
    } = {}, options: Options = {}): Pages<QuotePage['items'][number]> {
    return this.#transport.pages('/berth/v1/quotes', { query }, options);
  }

  /** Hold room for VMs, or a slot for a container, at the price of now. Nobody else gets what a quote holds until it is used, let go, or its time is over; a price that changes meanwhile does not matter. It costs nothing, but what it would take to make all of it, and all of the account's other open quotes, has to be there. It is used once, by `quote` in the body that makes an instance or a deployment, or by the header `Berth-Quote` of the other APIs. */
  create(body: NewQuote, options: ChangeOptions = {}): Promise<Quote> {
    return this.#transport.change('POST', '/berth/v1/quotes', { body }, options);
  }

  /** A quote. */
  get(quote: string, options: Options = {}): Promise<Quote> {
    return this.#transport.read(`/berth/v1/quotes/${encodeURIComponent(quote)}`, {}, options);
  }

  /** Let go of an open quote; what it holds is everybody's at once. */
  delete(quote: string, options: ChangeOptions = {}): Promise<Quote> {
    return this.#transport.change('DELETE', `/berth/v1/quotes/${encodeURIComponent(quote)}`, {}, options);
  }
}

/** Operations on sessions. */
export class SessionsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Log in. Refused with `bad_credentials`, or with `second_factor_needed` where the password is right and a code is missing. After some failures each further attempt has to wait. */
  create(body: NewSession, options: ChangeOptions = {}): Promise<Login> {
    return this.#transport.change('POST', '/berth/v1/sessions', { body }, options);
  }

  /** Where you are logged in, the newest first. Keys have no sessions, and see none. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
    } = {}, options: Options = {}): Pages<SessionPage['items'][number]> {
    return this.#transport.pages('/berth/v1/sessions', { query }, options);
  }

  /** The session that you are in. */
  getCurrent(options: Options = {}): Promise<Session> {
    return this.#transport.read('/berth/v1/sessions/current', {}, options);
  }

  /** Log out. */
  deleteCurrent(options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', '/berth/v1/sessions/current', {}, options);
  }

  /** One of your sessions. */
  get(session: string, options: Options = {}): Promise<Session> {
    return this.#transport.read(`/berth/v1/sessions/${encodeURIComponent(session)}`, {}, options);
  }

  /** Log out somewhere else: end one of your sessions. */
  delete(session: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/sessions/${encodeURIComponent(session)}`, {}, options);
  }

  /** Act as another user, in a session of his. For who runs the whole, in a session of his own, and as one who holds less of it than himself. */
  createImpersonation(body: NewImpersonation, options: ChangeOptions = {}): Promise<Impersonation> {
    return this.#transport.change('POST', '/berth/v1/sessions/impersonations', { body }, options);
  }
}

/** Operations on slots. */
export class SlotsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The slots that can be rented, the oldest first; operators see all. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Words in the name of one of its GPUs */
      gpu?: string | undefined;
      /** Words in its processor's name */
      cpu?: string | undefined;
      /** vCPUs at least */
      vcpusMin?: number | undefined;
      /** Memory at least */
      memoryGibMin?: number | undefined;
      /** Storage at least */
      diskGibMin?: number | undefined;
      /** For operators: only what can be rented, or only what can’t */
      available?: boolean | undefined;
    } = {}, options: Options = {}): Pages<SlotPage['items'][number]> {
    return this.#transport.pages('/berth/v1/slots', { query }, options);
  }

  /** Let a slice of a host. */
  create(body: NewSlot, options: ChangeOptions = {}): Promise<Slot> {
    return this.#transport.change('POST', '/berth/v1/slots', { body }, options);
  }

  /** A slot, free or not. */
  get(slot: string, options: Options = {}): Promise<Slot> {
    return this.#transport.read(`/berth/v1/slots/${encodeURIComponent(slot)}`, {}, options);
  }

  /** Change what a slot costs, or whether it is let; who rents it keeps it, and its price. */
  update(slot: string, body: SlotChange, options: ChangeOptions = {}): Promise<Slot> {
    return this.#transport.change('PATCH', `/berth/v1/slots/${encodeURIComponent(slot)}`, { body }, options);
  }

  /** Remove a slot that nobody rents. */
  delete(slot: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/slots/${encodeURIComponent(slot)}`, {}, options);
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
      /** Only with this in their name, in small or capital letters */
      search?: string | undefined;
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

/** Operations on users. */
export class UsersApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Yourself, and who has to do with accounts that you run, by name. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Only who has to do with this account */
      account?: string | undefined;
      username?: string | undefined;
    } = {}, options: Options = {}): Pages<UserPage['items'][number]> {
    return this.#transport.pages('/berth/v1/users', { query }, options);
  }

  /** Add a user, with privileges in an account that you run. A higher level is needed than each that is granted. Operators may add users without privileges. */
  create(body: NewUser, options: ChangeOptions = {}): Promise<NewUserAnswer> {
    return this.#transport.change('POST', '/berth/v1/users', { body }, options);
  }

  /** A user, by id or as `me`. */
  get(user: string, options: Options = {}): Promise<User> {
    return this.#transport.read(`/berth/v1/users/${encodeURIComponent(user)}`, {}, options);
  }

  /** Change yourself, or as an operator another user. Another password needs the one that you have, and ends your other sessions. */
  update(user: string, body: UserChange, options: ChangeOptions = {}): Promise<User> {
    return this.#transport.change('PATCH', `/berth/v1/users/${encodeURIComponent(user)}`, { body }, options);
  }

  /** Remove a user with their sessions, keys and privileges. */
  delete(user: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/users/${encodeURIComponent(user)}`, {}, options);
  }

  /** Begin to set up your second factor. Codes are asked for once it is confirmed with one. */
  createSecondFactor(user: string, body: NewSecondFactor, options: ChangeOptions = {}): Promise<SecondFactorSecret> {
    return this.#transport.change('POST', `/berth/v1/users/${encodeURIComponent(user)}/second-factor`, { body }, options);
  }

  /** Confirm your second factor with a code of it. From then on a code is needed to log in. Your other sessions end. */
  confirmSecondFactor(user: string, body: SecondFactorConfirmation, options: ChangeOptions = {}): Promise<User> {
    return this.#transport.change('PUT', `/berth/v1/users/${encodeURIComponent(user)}/second-factor`, { body }, options);
  }

  /** Take a second factor away: yours with a code of it, another’s as an operator. */
  removeSecondFactor(user: string, body: SecondFactorRemoval, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('POST', `/berth/v1/users/${encodeURIComponent(user)}/second-factor/remove`, { body }, options);
  }
}

/** Operations on webhooks. */
export class WebhooksApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** An account's webhooks, the oldest first. */
  list(query: {
      /** Rows at most */
      limit?: number | undefined;
      /** Id or name of an account; left out where you see only one */
      account?: string | undefined;
    } = {}, options: Options = {}): Pages<WebhookPage['items'][number]> {
    return this.#transport.pages('/berth/v1/webhooks', { query }, options);
  }

  /** Be told of events. Each is posted as `{"id", "webhook", "event"}`, with `X-Webhook-Signature: sha256=` and the HMAC-SHA256 of the body under the secret. It is tried again until it was taken with a status of 2xx, for 24 hours; the same `id` is the same delivery. */
  create(body: NewWebhook, options: ChangeOptions = {}): Promise<CreatedWebhook> {
    return this.#transport.change('POST', '/berth/v1/webhooks', { body }, options);
  }

  /** A webhook. */
  get(webhook: string, options: Options = {}): Promise<Webhook> {
    return this.#transport.read(`/berth/v1/webhooks/${encodeURIComponent(webhook)}`, {}, options);
  }

  /** Change where a webhook goes or what it tells, or switch it off and on. What is pending when it is switched off is sent when it is switched on; what happens in between is not. */
  update(webhook: string, body: WebhookChange, options: ChangeOptions = {}): Promise<Webhook> {
    return this.#transport.change('PATCH', `/berth/v1/webhooks/${encodeURIComponent(webhook)}`, { body }, options);
  }

  /** Be told no more; what is still to be delivered is dropped. */
  delete(webhook: string, options: ChangeOptions = {}): Promise<void> {
    return this.#transport.change('DELETE', `/berth/v1/webhooks/${encodeURIComponent(webhook)}`, {}, options);
  }

  /** What was, is being or could not be delivered, the newest first. Kept for 7 days when it was delivered, for 30 when it was given up. */
  listDeliveries(webhook: string, query: {
      /** Rows at most */
      limit?: number | undefined;
      state?: 'pending' | 'delivered' | 'dead' | undefined;
    } = {}, options: Options = {}): Pages<DeliveryPage['items'][number]> {
    return this.#transport.pages(`/berth/v1/webhooks/${encodeURIComponent(webhook)}/deliveries`, { query }, options);
  }

  /** Deliver again, whatever has become of it. */
  resendDelivery(webhook: string, delivery: string, options: ChangeOptions = {}): Promise<Delivery> {
    return this.#transport.change('POST', `/berth/v1/webhooks/${encodeURIComponent(webhook)}/deliveries/${encodeURIComponent(delivery)}/resend`, {}, options);
  }
}

/** Every noun of the API. */
export class Resources {
  readonly accounts: AccountsApi;
  readonly addresses: AddressesApi;
  readonly apiKeys: ApiKeysApi;
  readonly backupSchedules: BackupSchedulesApi;
  readonly backups: BackupsApi;
  readonly configurations: ConfigurationsApi;
  readonly datacenters: DatacentersApi;
  readonly deployments: DeploymentsApi;
  readonly disks: DisksApi;
  readonly events: EventsApi;
  readonly groups: GroupsApi;
  readonly hosts: HostsApi;
  readonly images: ImagesApi;
  readonly instances: InstancesApi;
  readonly me: MeApi;
  readonly money: MoneyApi;
  readonly offers: OffersApi;
  readonly operations: OperationsApi;
  readonly orphans: OrphansApi;
  readonly prices: PricesApi;
  readonly privileges: PrivilegesApi;
  readonly quotes: QuotesApi;
  readonly sessions: SessionsApi;
  readonly slots: SlotsApi;
  readonly sshKeys: SshKeysApi;
  readonly users: UsersApi;
  readonly webhooks: WebhooksApi;

  constructor(transport: Transport) {
    this.accounts = new AccountsApi(transport);
    this.addresses = new AddressesApi(transport);
    this.apiKeys = new ApiKeysApi(transport);
    this.backupSchedules = new BackupSchedulesApi(transport);
    this.backups = new BackupsApi(transport);
    this.configurations = new ConfigurationsApi(transport);
    this.datacenters = new DatacentersApi(transport);
    this.deployments = new DeploymentsApi(transport);
    this.disks = new DisksApi(transport);
    this.events = new EventsApi(transport);
    this.groups = new GroupsApi(transport);
    this.hosts = new HostsApi(transport);
    this.images = new ImagesApi(transport);
    this.instances = new InstancesApi(transport);
    this.me = new MeApi(transport);
    this.money = new MoneyApi(transport);
    this.offers = new OffersApi(transport);
    this.operations = new OperationsApi(transport);
    this.orphans = new OrphansApi(transport);
    this.prices = new PricesApi(transport);
    this.privileges = new PrivilegesApi(transport);
    this.quotes = new QuotesApi(transport);
    this.sessions = new SessionsApi(transport);
    this.slots = new SlotsApi(transport);
    this.sshKeys = new SshKeysApi(transport);
    this.users = new UsersApi(transport);
    this.webhooks = new WebhooksApi(transport);
  }
}
