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

/** An IP that a VM holds */
export interface Address {
  address: string;
  family: 'ipv4' | 'ipv6';
  instance: string;
  /** Leads to the main address of its instance */
  additional: boolean;
  /** What it is called in the other direction */
  reverseName: string | null;
  /** What it was asked for */
  reason: string | null;
}

export interface AddressChange {
  /** What it is called in the other direction */
  reverseName?: string | null | undefined;
}

export interface AddressPage {
  items: Address[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface AddressPool {
  id: string;
  /** An IPv4 range that begins at its first address */
  cidr: string;
  /** Addresses that it gives out */
  size: number;
  /** How many of them are held */
  used: number;
}

export interface AddressPoolPage {
  items: AddressPool[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface AddressSwap {
  /** The other VM */
  instance: string;
  /** Whether the additional ones go, too; not unless given */
  additional?: boolean | undefined;
}

export interface Addresses {
  items: Address[];
}

export interface ApiKey {
  id: string;
  /** Whose it is; null for a user’s */
  account: string | null;
  user: UserRef | null;
  name: string;
  /** Of an account’s key; a user’s does what is granted to it */
  scope: 'read-only' | 'full' | null;
  state: 'valid' | 'revoked' | 'expired';
  /** What is granted to a user’s key */
  privileges: Privilege[];
  createdAt: string;
  /** Null where it holds until it is revoked */
  expiresAt: string | null;
  /** To the hour; null where it never was */
  lastUsedAt: string | null;
}

export interface ApiKeyPage {
  items: ApiKey[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** A copy of a disk as it was at one moment, on the same host */
export interface Backup {
  id: string;
  disk: string;
  /** The VM that has the disk */
  instance: string;
  label: string;
  /** What its disk had then */
  sizeMib: number;
  /** Wanted until its host has made it; one that can not be made is gone again */
  state: 'wanted' | 'ready';
  /** Null where somebody asked for it */
  schedule: string | null;
  /** When it was asked for */
  createdAt: string;
}

export interface BackupPage {
  items: Backup[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** What backs a disk up again and again */
export interface BackupSchedule {
  id: string;
  disk: string;
  /** The VM that has the disk */
  instance: string;
  /** When its first backup is due */
  startAt: string;
  /** At least 300 */
  intervalSeconds: number;
  /** How many of its backups are kept; the oldest makes room */
  capacity: number;
}

export interface BackupSchedulePage {
  items: BackupSchedule[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Balance {
  account: string;
  currency: 'USD';
  /** What can be spent */
  available: string;
  /** Deposits: an epoch of each instance */
  held: string;
  /** What an epoch of everything that is deployed costs */
  spendPerEpoch: string;
  /** How long an epoch is; where things are billed otherwise, they are reckoned to this */
  epochSeconds: number;
  /** When the first payment can’t be made, if nothing changes; null where that is not in sight. Deposits are not counted */
  lastsUntil: string | null;
}

export interface BalanceAmounts {
  /** US dollars */
  available: string;
  /** US dollars */
  held: string;
}

/** How many instances of a configuration still fit into a datacenter */
export interface Capacity {
  datacenter: Datacenter | null;
  configuration: Configuration;
  /** Hosts there that take instances */
  hosts: number;
  /** How many instances of the configuration still fit */
  available: number;
  /** US dollars for the cheapest of them and epoch; null where none fits */
  pricePerEpochFrom: string | null;
}

export interface CapacityPage {
  items: Capacity[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** A size that is sold */
export interface Configuration {
  slug: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

export interface ConfigurationPage {
  items: Configuration[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** What is asked of a host; what is left out may be anything */
export interface Constraints {
  /** ISO 3166-1 alpha-2; any of them */
  countries?: string[] | undefined;
  /** Parts of UN/LOCODEs; any of them */
  cities?: string[] | undefined;
  /** Slugs or ids; any of them */
  datacenters?: string[] | undefined;
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
  /** US dollars for one instance and epoch, all of its storage included */
  maxPricePerEpoch?: string | undefined;
}

/** A way in by SSH */
export interface ContainerSsh {
  host: string;
  port: number;
  user: string;
}

export interface Country {
  /** ISO 3166-1 alpha-2 */
  code: string;
}

export interface CountryPage {
  items: Country[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface CreatedWebhook {
  id: string;
  account: string;
  /** Where deliveries are posted; a public address */
  url: string;
  /** Kinds of events, each with those below it: `instance` has `instance.active`; `*` is every event */
  kinds: string[];
  /** How a delivery is written; those made here are `event` */
  format: 'event' | 'hiveon';
  /** While it is not, nothing is sent or noted for it */
  enabled: boolean;
  createdAt: string;
  /** What deliveries are signed with, where it was made; it is not shown again */
  secret: string | null;
}

/** Where hosts stand */
export interface Datacenter {
  id: string;
  slug: string;
  /** ISO 3166-1 alpha-2 */
  country: string;
  /** The city's part of its UN/LOCODE */
  city: string;
  /** Tells datacenters of one city apart */
  cityIndex: number;
  /** Uptime Institute's tier, 1 to 4 */
  tier: number;
  certifications: string[];
}

export interface DatacenterChange {
  /** ISO 3166-1 alpha-2 */
  country?: string | undefined;
  /** The city's part of its UN/LOCODE */
  city?: string | undefined;
  /** Tells datacenters of one city apart; 1 where left out */
  cityIndex?: number | undefined;
  /** Uptime Institute's tier, 1 to 4 */
  tier?: number | undefined;
  certifications?: string[] | undefined;
}

export interface DatacenterPage {
  items: Datacenter[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Delivery {
  id: string;
  webhook: string;
  event: Event | null;
  /** `dead` is given up */
  state: 'pending' | 'delivered' | 'dead';
  attempts: number;
  /** Why the last attempt failed */
  lastError: string | null;
  /** When it happened */
  createdAt: string;
  /** When it was taken or given up */
  endedAt: string | null;
}

export interface DeliveryPage {
  items: Delivery[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface DeployedInstance {
  id: string;
  group: string;
  kind: 'vm' | 'container';
  name: string;
  status: 'launching' | 'active' | 'stopped' | 'failed' | 'terminated' | 'soft-deleted' | 'deleting' | 'deleted';
}

/** What was made together */
export interface Deployment {
  id: string;
  account: string;
  createdAt: string;
  /** Those that are gone, too */
  instances: DeployedInstance[];
}

export interface DeploymentDeletion {
  /** One for each that is deleted */
  operations: Operation[];
}

export interface DeploymentPage {
  items: Deployment[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** A block device of a VM */
export interface Disk {
  id: string;
  instance: string;
  /** Its name within its instance */
  label: string;
  /** The kind of storage that it is sold as */
  grade: 'sata' | 'ssd' | 'archive';
  sizeMib: number;
  /** Reads and writes a second; null is as many as it can */
  iopsLimit: number | null;
  /** Where it lies */
  storagePool: string;
  /** Its place among its instance's disks, from 1 on; the first is booted from */
  position: number;
  /** How many there are, or are being made */
  backups: number;
  /** The backup that its content was last restored from, while that is there */
  restoredFrom: string | null;
  createdAt: string;
}

export interface DiskChange {
  /** Its name within its instance */
  label?: string | undefined;
  /** Not less than it has */
  sizeMib?: number | undefined;
  /** Reads and writes a second; null is as many as it can */
  iopsLimit?: number | null | undefined;
}

export interface DiskMove {
  /** The VM that is to have it */
  instance: string;
}

export interface DiskPage {
  items: Disk[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface EnrolmentToken {
  host: string;
  name: string;
  /** Whether the host is new */
  added: boolean;
  /** Good for one enrolment; shown once */
  token: string;
  expiresAt: string;
  /** To be run there */
  command: string;
}

/** What instances would cost that were made now */
export interface Estimate {
  kind: 'vm' | 'container';
  count: number;
  /** Null for a size of its own, and for a container */
  configuration: string | null;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** What the prices are for */
  unit: 'hour' | 'epoch';
  /** US dollars for the dearest of them */
  price: string;
  /** US dollars for all of them */
  total: string;
  /** US dollars that are charged at once */
  firstCharge: string;
  /** US dollars that are held as long as they are there */
  deposit: string;
  /** Both together */
  needed: string;
  /** US dollars that the account has to spend */
  available: string;
  /** Whether that is enough */
  sufficient: boolean;
}

export interface Event {
  /** Its place in the feed */
  cursor: string;
  account: string | null;
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

export interface GradeRates {
  /** US dollars an epoch of a GiB of ssd storage */
  ssd: string;
  /** US dollars an epoch of a GiB of archive storage */
  archive: string;
}

export interface GradeRatesChange {
  /** US dollars an epoch of a GiB of ssd storage */
  ssd?: string | undefined;
  /** US dollars an epoch of a GiB of archive storage */
  archive?: string | undefined;
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

/** What a host is made of; what nobody could find out is null */
export interface Hardware {
  cpuManufacturer: string | null;
  cpuBrand: string | null;
  cpuArchitecture: string | null;
  cpuGeneration: string | null;
  /** As the processor names itself */
  cpuModel: string | null;
  memoryType: string | null;
  memoryGeneration: string | null;
  storageType: 'HDD' | 'SSD' | 'NVMe';
}

/** Goes before what was found; null takes your word back */
export interface HardwareChange {
  cpuManufacturer?: string | null | undefined;
  cpuBrand?: string | null | undefined;
  cpuArchitecture?: string | null | undefined;
  cpuGeneration?: string | null | undefined;
  memoryType?: string | null | undefined;
  memoryGeneration?: string | null | undefined;
  /** HDD, SSD or NVMe */
  storageType?: string | null | undefined;
}

/** What you have stated of it; null where nothing */
export interface HardwareOverrides {
  cpuManufacturer: string | null;
  cpuBrand: string | null;
  cpuArchitecture: string | null;
  cpuGeneration: string | null;
  memoryType: string | null;
  memoryGeneration: string | null;
  /** HDD, SSD or NVMe */
  storageType: string | null;
}

/** A machine that runs instances */
export interface Host {
  id: string;
  name: string;
  /** A drained one takes nothing new and keeps what it has; a retired one has nothing */
  state: 'open' | 'drained' | 'retired';
  /** Whether it is heard of */
  reachable: boolean;
  lastSeenAt: string | null;
  datacenter: string | null;
  /** Of what is deployed from now on */
  price: string;
  rates: Rates;
  overcommit: Overcommit;
  capacity: HostCapacity;
  sold: HostSold;
  /** What one instance may have beyond its configuration's storage; null: no limit */
  additionalDiskGibMax: number | null;
  /** Of which it holds something */
  instances: number;
  /** What runs there and nobody owns */
  orphans: number;
  /** What it found there that belongs to nothing it knows of */
  strays: string[];
  /** How it connects its VMs */
  network: 'user' | 'bridge';
  machine: HostMachine | null;
  hardware: Hardware | null;
  hardwareOverrides: HardwareOverrides;
  createdAt: string;
}

/** What may be sold */
export interface HostCapacity {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

export interface HostChange {
  /** Letters, digits, and . _ - between them; its own */
  name?: string | undefined;
  /** Id or slug of a datacenter */
  datacenter?: string | null | undefined;
  /** What is deployed from now on costs this; what runs keeps its own */
  price?: string | undefined;
  overcommit?: OvercommitChange | undefined;
  hardware?: HardwareChange | undefined;
  additionalDiskGibMax?: number | null | undefined;
}

export interface HostGpu {
  /** Null where no driver knows it */
  id: string | null;
  name: string;
}

export interface HostInstance {
  instance: string;
  account: string;
  kind: 'vm' | 'container';
  name: string;
  status: 'launching' | 'active' | 'stopped' | 'failed' | 'terminated' | 'soft-deleted' | 'deleting' | 'deleted';
  /** What it takes of its host */
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  slot: string | null;
  /** What the host was told it should be */
  desired: string;
  /** Of the order that tells it so */
  generation: number;
  /** What the host last said it is */
  observed: string | null;
  /** Of the order that the host had then */
  observedGeneration: number;
  observedAt: string | null;
  /** After crashes */
  restarts: number;
}

export interface HostInstancePage {
  items: HostInstance[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** What the machine last said of itself */
export interface HostMachine {
  cores: number;
  /** Less what is kept for the host itself */
  memoryMib: number;
  /** Less what is kept for the host itself */
  diskGib: number;
  cpuModel: string;
  gpus: HostGpu[];
  agentVersion: string;
  hypervisor: string;
  acceleration: string;
  /** Null where nothing runs containers */
  containerEngine: string | null;
  /** Below which HTTPS ports are reached; null where they are not */
  ingressDomain: string | null;
}

export interface HostMetrics {
  /** Seconds from one point to the next */
  step: number;
  /** When the first step begins */
  from: string;
  /** One for each step; one of which nothing is known is null but for its time */
  points: HostMetricsPoint[];
  latest: HostMetricsPoint | null;
}

export interface HostMetricsPoint {
  /** When its step begins */
  at: string;
  /** Cores on average */
  cpu: number | null;
  /** What is not to be had any more, of all that the machine has */
  memoryBytes: number | null;
  /** What is taken of the file system that instances lie on */
  diskBytes: number | null;
  /** Null where nobody counts it, as in the user network of a VM */
  networkReceiveBytesPerSecond: number | null;
  networkSendBytesPerSecond: number | null;
  /** How many of its instances run */
  instances: number | null;
}

export interface HostPage {
  items: Host[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** What of it is sold */
export interface HostSold {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

/** An OS image of the catalog, or of an account’s own */
export interface Image {
  id: string;
  /** Whose own it is; null for one of the catalog */
  account: string | null;
  /** Names it when an instance is made; that of an own one is `own:` and its name */
  slug: string;
  name: string;
  distribution: string;
  url: string;
  /** Whom its own system lets in by SSH key */
  username: string;
  /** What its file has to hash to; null where anything will do */
  sha256: string | null;
  /** What it is when it is unpacked; null where that is not known */
  format: 'qcow2' | 'raw' | null;
  /** Whether its URL leads to an image; that all of it hashes to `sha256` is seen by each host */
  state: 'checking' | 'ready' | 'failed';
  /** Why it failed, or is looked at again */
  reason: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface ImageChange {
  /** Letters, digits, and . _ - between them; its own in its account */
  name?: string | undefined;
}

export interface ImagePage {
  items: Image[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Impersonation {
  id: string;
  user: UserRef;
  /** What was shown to open it */
  factors: ('password' | 'yubikey' | '2fa' | 'impersonated')[];
  /** When that was */
  authenticatedAt: string;
  /** When it ends; each use puts that off, up to 30 days after `authenticatedAt` */
  expiresAt: string;
  /** Where it was opened */
  fromAddress: string | null;
  /** The program that opened it */
  userAgent: string | null;
  /** To be sent as `Authorization: Bearer`; not shown again */
  token: string;
}

/** What runs: a VM or a container */
export interface Instance {
  id: string;
  kind: 'vm' | 'container';
  account: string;
  group: string;
  /** Of what was deployed together */
  deployment: string;
  name: string;
  hostname: string;
  status: 'launching' | 'active' | 'stopped' | 'failed' | 'terminated' | 'soft-deleted' | 'deleting' | 'deleted';
  statusReason: string | null;
  statusChangedAt: string;
  /** Whether its next period can be paid */
  funds: 'enough' | 'small' | 'none';
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** A disk image's URL, or a container's image */
  image: string | null;
  /** Its main IPv4 address */
  address: string | null;
  addresses: InstanceAddress[];
  /** What is open from outside */
  ports: Port[];
  /** Every port is open, whatever `ports` says */
  allPortsOpen: boolean;
  datacenter: InstanceDatacenter | null;
  /** US dollars for an epoch */
  pricePerEpoch: string;
  /** Its deposit in US dollars */
  held: string;
  /** US dollars so far */
  spent: string;
  /** Null once nothing is billed any more */
  paidUntil: string | null;
  /** When something is charged next */
  nextBillingAt: string | null;
  createdAt: string;
  vm: InstanceVm | null;
  container: InstanceContainer | null;
  allowed: InstanceAllowed;
}

export interface InstanceAddress {
  ip: string;
  /** 4 or 6 */
  family: number;
  /** Leads to the main address of its family */
  additional: boolean;
}

/** For each act null where it can be done now, else the reason why not */
export interface InstanceAllowed {
  rename: string | null;
  changeDisks: string | null;
  removeDisk: string | null;
  setPorts: string | null;
  changeAddresses: string | null;
  swapAddresses: string | null;
  changeMachine: string | null;
  start: string | null;
  stop: string | null;
  shutdown: string | null;
  reset: string | null;
  cycle: string | null;
  restart: string | null;
  reimage: string | null;
  delete: string | null;
  undelete: string | null;
  purge: string | null;
}

export interface InstanceChange {
  /** Of a VM part of its host name */
  name?: string | undefined;
  /** Another group; of a VM also one of another account, with its network and its account's money */
  group?: string | undefined;
  /** From its next start on */
  vcpus?: number | undefined;
  /** From its next start on; in steps of 1024 */
  memoryMib?: number | undefined;
  /** From its next start on */
  hardwareProfile?: string | undefined;
  hardwareProfileLocked?: boolean | undefined;
  /** Comes back on when it was switched off */
  autoreboot?: boolean | undefined;
  /** Null takes the CD out */
  cdromUrl?: string | null | undefined;
  /** Of its consoles */
  keymap?: string | null | undefined;
}

/** What only a container has */
export interface InstanceContainer {
  slot: string | null;
  /** As it was started with */
  externalId: string | null;
  metadata: Record<string, string>;
  publicPorts: PublicPort[];
  ssh: ContainerSsh | null;
  /** Why it failed, for programs */
  failureCode: string | null;
}

export interface InstanceCount {
  kind: 'vm' | 'container';
  status: 'launching' | 'active' | 'stopped' | 'failed' | 'terminated' | 'soft-deleted' | 'deleting' | 'deleted';
  count: number;
}

/** How many instances of each kind have which status */
export interface InstanceCounts {
  /** What there is none of is left out */
  items: InstanceCount[];
}

export interface InstanceDatacenter {
  id: string;
  slug: string;
  /** ISO 3166-1 */
  country: string;
  /** The city's part of its UN/LOCODE */
  city: string;
}

export interface InstanceMetrics {
  /** Seconds from one point to the next */
  step: number;
  /** When the first step begins */
  from: string;
  /** One for each step; one of which nothing is known is null but for its time */
  points: InstanceMetricsPoint[];
  latest: InstanceMetricsPoint | null;
}

export interface InstanceMetricsPoint {
  /** When its step begins */
  at: string;
  /** Processors on average, from 0 to the number of vcpus, and a little more for what emulates devices */
  cpu: number | null;
  /** What it takes of its host's memory */
  memoryBytes: number | null;
  diskReadBytesPerSecond: number | null;
  diskWriteBytesPerSecond: number | null;
  diskReadsPerSecond: number | null;
  diskWritesPerSecond: number | null;
  /** Null where nobody counts it, as in the user network of a VM */
  networkReceiveBytesPerSecond: number | null;
  networkSendBytesPerSecond: number | null;
}

export interface InstancePage {
  items: Instance[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface InstancePorts {
  ports: Port[];
}

/** What only a VM has */
export interface InstanceVm {
  hardwareProfile: string;
  hardwareProfileLocked: boolean;
  /** Comes back on when it was switched off */
  autoreboot: boolean;
  cdromUrl: string | null;
  keymap: string | null;
  lastImagedWith: string | null;
  /** Where its consoles are reached by SSH */
  managementAddress: string | null;
  /** Once deleted, it can be brought back for so long */
  restorableDays: number;
}

export interface Keys {
  keys: ('shift' | 'shift_r' | 'alt' | 'alt_r' | 'altgr' | 'altgr_r' | 'ctrl' | 'ctrl_r' | 'meta_l' | 'meta_r' | 'menu' | 'esc' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '0' | 'minus' | 'equal' | 'backspace' | 'tab' | 'q' | 'w' | 'e' | 'r' | 't' | 'y' | 'u' | 'i' | 'o' | 'p' | 'bracket_left' | 'bracket_right' | 'ret' | 'a' | 's' | 'd' | 'f' | 'g' | 'h' | 'j' | 'k' | 'l' | 'semicolon' | 'apostrophe' | 'grave_accent' | 'backslash' | 'z' | 'x' | 'c' | 'v' | 'b' | 'n' | 'm' | 'comma' | 'dot' | 'slash' | 'asterisk' | 'spc' | 'less' | 'caps_lock' | 'f1' | 'f2' | 'f3' | 'f4' | 'f5' | 'f6' | 'f7' | 'f8' | 'f9' | 'f10' | 'f11' | 'f12' | 'num_lock' | 'scroll_lock' | 'pause' | 'kp_divide' | 'kp_multiply' | 'kp_subtract' | 'kp_add' | 'kp_enter' | 'kp_decimal' | 'sysrq' | 'kp_0' | 'kp_1' | 'kp_2' | 'kp_3' | 'kp_4' | 'kp_5' | 'kp_6' | 'kp_7' | 'kp_8' | 'kp_9' | 'print' | 'home' | 'pgup' | 'pgdn' | 'end' | 'left' | 'up' | 'down' | 'right' | 'insert' | 'delete')[];
}

export interface LedgerEntry {
  /** An account's, free or held; a host's earnings; the world outside */
  book: 'available' | 'held' | 'revenue' | 'cash';
  account: string | null;
  host: string | null;
  /** US dollars */
  amount: string;
}

export interface LedgerPage {
  items: LedgerTransaction[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface LedgerTransaction {
  id: string;
  account: string;
  kind: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund';
  /** What was paid for */
  instance: string | null;
  reason: string;
  /** Who did it */
  actor: string;
  /** What it moved of the account's available balance; negative where it was taken */
  availableMoved: string;
  /** The same of what is held */
  heldMoved: string;
  createdAt: string;
  /** They sum to zero */
  entries: LedgerEntry[];
}

export interface LogLine {
  timestamp: string;
  stream: 'stdout' | 'stderr' | 'system';
  line: string;
}

export interface Login {
  id: string;
  user: UserRef;
  /** What was shown to open it */
  factors: ('password' | 'yubikey' | '2fa' | 'impersonated')[];
  /** When that was */
  authenticatedAt: string;
  /** When it ends; each use puts that off, up to 30 days after `authenticatedAt` */
  expiresAt: string;
  /** Where it was opened */
  fromAddress: string | null;
  /** The program that opened it */
  userAgent: string | null;
  /** To be sent as `Authorization: Bearer`; not shown again. Left out where it is in a cookie */
  token?: string | undefined;
}

export interface Logs {
  items: LogLine[];
}

export interface Me {
  /** How events name who acted */
  actor: string;
  user: UserRef | null;
  grants: Grant[];
}

export interface NewAccount {
  /** Letters, digits and - */
  name: string;
}

export interface NewAddressPool {
  /** An IPv4 range that begins at its first address */
  cidr: string;
}

export interface NewAddresses {
  /** One unless given */
  count?: number | undefined;
  /** What they are for */
  reason?: string | undefined;
}

export interface NewApiKey {
  /** Stands in events */
  name: string;
  /** Whose it is to be; a user’s own unless given */
  account?: string | undefined;
  /** Of an account’s key; `full` unless given */
  scope?: 'read-only' | 'full' | undefined;
  /** Of a user’s key: what is granted to it, as far as you have it */
  privileges?: NewGrant[] | undefined;
  /** Holds until it is revoked unless given */
  expiresAt?: string | null | undefined;
}

export interface NewApiKeyAnswer {
  id: string;
  /** Whose it is; null for a user’s */
  account: string | null;
  user: UserRef | null;
  name: string;
  /** Of an account’s key; a user’s does what is granted to it */
  scope: 'read-only' | 'full' | null;
  state: 'valid' | 'revoked' | 'expired';
  /** What is granted to a user’s key */
  privileges: Privilege[];
  createdAt: string;
  /** Null where it holds until it is revoked */
  expiresAt: string | null;
  /** To the hour; null where it never was */
  lastUsedAt: string | null;
  /** The key itself; not shown again */
  secret: string;
}

export interface NewBackupSchedule {
  /** A time of day in UTC, the next such one; or a date and time, in UTC where it names no offset */
  startAt: string;
  /** At least 300 */
  intervalSeconds: number;
  /** How many of its backups are kept; one unless given */
  capacity?: number | undefined;
}

export interface NewConfiguration {
  /** Says the size */
  slug: string;
}

export interface NewCredit {
  /** US dollars above 0, with at most six decimals */
  amount: string;
  /** Stands in the statement */
  reason: string;
}

export interface NewDatacenter {
  /** Lower-case letters, digits and - */
  slug: string;
  /** ISO 3166-1 alpha-2 */
  country: string;
  /** The city's part of its UN/LOCODE */
  city: string;
  /** Tells datacenters of one city apart; 1 where left out */
  cityIndex?: number | undefined;
  /** Uptime Institute's tier, 1 to 4 */
  tier: number;
  certifications?: string[] | undefined;
}

export interface NewDebit {
  /** US dollars above 0, with at most six decimals */
  amount: string;
  /** Stands in the statement */
  reason: string;
}

export interface NewDeployment {
  /** Takes what it holds, at its price; what is not taken of it is let go */
  quote?: string | undefined;
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Id or name of a group; left out for the account's `default` */
  group?: string | undefined;
  /** Letters, digits and -; its own in its group. May be left out for a container */
  name?: string | undefined;
  /** Of a VM the slug or id of an image of the catalog or of an own one, or a URL; of a container its image's name */
  image: string;
  sshKeys?: string[] | undefined;
  /** What is open from outside; a VM has 22 open always */
  ports?: NewPort[] | undefined;
  /** Its name unless given */
  hostname?: string | undefined;
  /** Slug of a configuration; left out for any */
  configuration?: string | undefined;
  /** With `memoryMib`, in the place of a configuration */
  vcpus?: number | undefined;
  /** In steps of 1024 */
  memoryMib?: number | undefined;
  /** With `vcpus` and `memoryMib`: one disk */
  diskGib?: number | undefined;
  /** In the place of the one that the size has; it starts from the first */
  disks?: NewDiskOfInstance[] | undefined;
  /** GiB beyond the configuration's own storage */
  additionalStorageGib?: number | undefined;
  constraints?: Constraints | undefined;
  /** Every port is open, where its host can hold that apart for one VM */
  allPortsOpen?: boolean | undefined;
  /** Kept until its first boot */
  rootPassword?: string | undefined;
  /** Run as root at its first boot */
  firstBootScript?: string | undefined;
  /** Whether it is switched on at once */
  power?: 'on' | 'off' | undefined;
  hardwareProfile?: 'virtio2013' | 'compatibility2013' | undefined;
  /** Whether it is switched on again when its system switches it off */
  autoreboot?: boolean | undefined;
  /** Of its console's keyboard */
  keymap?: string | undefined;
  /** Instances of one name, 1 to 10; 1 unless given */
  count?: number | undefined;
}

export interface NewDisk {
  /** Its name within its instance */
  label?: string | undefined;
  /** The kind of storage; `sata` unless given */
  grade?: 'sata' | 'ssd' | 'archive' | undefined;
  sizeMib: number;
}

export interface NewDiskOfInstance {
  /** `disc-1` and so on unless given */
  label?: string | undefined;
  /** 50 to 2097152 */
  sizeMib: number;
  grade?: 'sata' | 'ssd' | 'archive' | undefined;
}

export interface NewEnrolmentToken {
  /** The host's name */
  name: string;
  /** Id or slug of a datacenter */
  datacenter?: string | undefined;
  /** The settings' where left out */
  price?: string | undefined;
  /** Ranges of IPv4 addresses for its instances */
  addressPools?: string[] | undefined;
}

export interface NewEstimate {
  /** Out of what it holds, at its price; it is not used up */
  quote?: string | undefined;
  /** `vm` unless given */
  kind?: 'vm' | 'container' | undefined;
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Id or name of a group; left out for the account's `default` */
  group?: string | undefined;
  /** Letters, digits and -; its own in its group. May be left out for a container */
  name?: string | undefined;
  /** Of a VM the slug or id of an image of the catalog or of an own one, or a URL; of a container its image's name */
  image: string;
  sshKeys?: string[] | undefined;
  /** What is open from outside; a VM has 22 open always */
  ports?: NewPort[] | undefined;
  /** Its name unless given */
  hostname?: string | undefined;
  /** Slug of a configuration; left out for any */
  configuration?: string | undefined;
  /** With `memoryMib`, in the place of a configuration */
  vcpus?: number | undefined;
  /** In steps of 1024 */
  memoryMib?: number | undefined;
  /** With `vcpus` and `memoryMib`: one disk */
  diskGib?: number | undefined;
  /** In the place of the one that the size has; it starts from the first */
  disks?: NewDiskOfInstance[] | undefined;
  /** GiB beyond the configuration's own storage */
  additionalStorageGib?: number | undefined;
  constraints?: Constraints | undefined;
  /** Every port is open, where its host can hold that apart for one VM */
  allPortsOpen?: boolean | undefined;
  /** Kept until its first boot */
  rootPassword?: string | undefined;
  /** Run as root at its first boot */
  firstBootScript?: string | undefined;
  /** Whether it is switched on at once */
  power?: 'on' | 'off' | undefined;
  hardwareProfile?: 'virtio2013' | 'compatibility2013' | undefined;
  /** Whether it is switched on again when its system switches it off */
  autoreboot?: boolean | undefined;
  /** Of its console's keyboard */
  keymap?: string | undefined;
  /** In a range of its group's own network; chosen for it unless given */
  ipv4?: string | undefined;
  /** In a range of its group's own network; chosen for it unless given */
  ipv6?: string | undefined;
  /** What it is to run on */
  slot?: string | undefined;
  /** May be left out where the slot has one price */
  slotPrice?: string | undefined;
  /** Environment variables */
  environment?: Record<string, string> | undefined;
  /** Run in it as it starts */
  startupScript?: string | undefined;
  registryAuth?: RegistryAuth | undefined;
  /** Your own id: the same request under the same id is the same container */
  externalId?: string | undefined;
  /** Kept for you */
  metadata?: Record<string, string> | undefined;
  /** VMs, 1 to 10; 1 unless given */
  count?: number | undefined;
}

export interface NewExec {
  /** The program and what it is given; a login shell unless given */
  command?: string[] | undefined;
  /** Whether it gets a terminal; else what it complains of comes apart */
  tty?: boolean | undefined;
  /** Of the terminal; 80 unless given */
  columns?: number | undefined;
  /** Of the terminal; 24 unless given */
  rows?: number | undefined;
}

/** Grades that are left out cost what the settings say */
export interface NewGradeRates {
  /** US dollars an epoch of a GiB of ssd storage */
  ssd?: string | undefined;
  /** US dollars an epoch of a GiB of archive storage */
  archive?: string | undefined;
}

export interface NewGrant {
  /** vm_… is held on a VM, group_… on a group, account_… on an account, cluster_… on everything */
  level: 'vm_console' | 'vm_admin' | 'group_admin' | 'account_admin' | 'cluster_admin' | 'cluster_su';
  /** Of a level of accounts */
  account?: string | undefined;
  /** Of a level of groups */
  group?: string | undefined;
  /** Of a level of VMs */
  instance?: string | undefined;
}

export interface NewGroup {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Letters, digits and -; part of its VMs' host names */
  name: string;
}

export interface NewImage {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Letters, digits, and . _ - between them; its own in its account */
  name: string;
  /** On a public server; ends as the images of Fluence do */
  url: string;
  /** Of the URL's file, compressed or not */
  sha256: string;
  /** Found out unless given */
  format?: 'qcow2' | 'raw' | undefined;
  /** `Own` unless given */
  distribution?: string | undefined;
  /** Whom its own system lets in by SSH key; `root` unless given */
  username?: string | undefined;
}

export interface NewImpersonation {
  /** Id or name of a user */
  user: string;
}

export interface NewInstance {
  /** Takes what it holds, at its price; what is not taken of it is let go */
  quote?: string | undefined;
  /** `vm` unless given */
  kind?: 'vm' | 'container' | undefined;
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Id or name of a group; left out for the account's `default` */
  group?: string | undefined;
  /** Letters, digits and -; its own in its group. May be left out for a container */
  name?: string | undefined;
  /** Of a VM the slug or id of an image of the catalog or of an own one, or a URL; of a container its image's name */
  image: string;
  sshKeys?: string[] | undefined;
  /** What is open from outside; a VM has 22 open always */
  ports?: NewPort[] | undefined;
  /** Its name unless given */
  hostname?: string | undefined;
  /** Slug of a configuration; left out for any */
  configuration?: string | undefined;
  /** With `memoryMib`, in the place of a configuration */
  vcpus?: number | undefined;
  /** In steps of 1024 */
  memoryMib?: number | undefined;
  /** With `vcpus` and `memoryMib`: one disk */
  diskGib?: number | undefined;
  /** In the place of the one that the size has; it starts from the first */
  disks?: NewDiskOfInstance[] | undefined;
  /** GiB beyond the configuration's own storage */
  additionalStorageGib?: number | undefined;
  constraints?: Constraints | undefined;
  /** Every port is open, where its host can hold that apart for one VM */
  allPortsOpen?: boolean | undefined;
  /** Kept until its first boot */
  rootPassword?: string | undefined;
  /** Run as root at its first boot */
  firstBootScript?: string | undefined;
  /** Whether it is switched on at once */
  power?: 'on' | 'off' | undefined;
  hardwareProfile?: 'virtio2013' | 'compatibility2013' | undefined;
  /** Whether it is switched on again when its system switches it off */
  autoreboot?: boolean | undefined;
  /** Of its console's keyboard */
  keymap?: string | undefined;
  /** In a range of its group's own network; chosen for it unless given */
  ipv4?: string | undefined;
  /** In a range of its group's own network; chosen for it unless given */
  ipv6?: string | undefined;
  /** What it is to run on */
  slot?: string | undefined;
  /** May be left out where the slot has one price */
  slotPrice?: string | undefined;
  /** Environment variables */
  environment?: Record<string, string> | undefined;
  /** Run in it as it starts */
  startupScript?: string | undefined;
  registryAuth?: RegistryAuth | undefined;
  /** Your own id: the same request under the same id is the same container */
  externalId?: string | undefined;
  /** Kept for you */
  metadata?: Record<string, string> | undefined;
}

export interface NewPort {
  port: number;
  /** `udp` for VMs alone, `https` for containers alone */
  protocol: 'tcp' | 'udp' | 'https';
}

export interface NewPrice {
  /** US dollars an epoch of a vCPU */
  vcpu: string;
  /** US dollars an epoch of a GiB of memory */
  memoryGib: string;
  /** US dollars an epoch of a GiB of storage */
  storageGib: string;
  gradeGib?: NewGradeRates | undefined;
  /** US dollars an epoch of an IPv4 address */
  publicIp: string;
}

export interface NewPrivilege {
  /** Id or name of whom it is granted to */
  user: string;
  /** vm_… is held on a VM, group_… on a group, account_… on an account, cluster_… on everything */
  level: 'vm_console' | 'vm_admin' | 'group_admin' | 'account_admin' | 'cluster_admin' | 'cluster_su';
  /** Of a level of accounts */
  account?: string | undefined;
  /** Of a level of groups */
  group?: string | undefined;
  /** Of a level of VMs */
  instance?: string | undefined;
  /** A key of the user's, which is to hold it */
  apiKey?: string | undefined;
  /** Whether it holds only in sessions with a second factor */
  secondFactorRequired?: boolean | undefined;
  /** How old that may be; null for any age */
  secondFactorAgeSecondsMax?: number | null | undefined;
  fromAddresses?: string[] | null | undefined;
}

export interface NewQuote {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** `vm` unless given */
  kind?: 'vm' | 'container' | undefined;
  /** For how long; 900 unless given, 3600 at most */
  validSeconds?: number | undefined;
  /** VMs, 1 to 10; 1 unless given */
  count?: number | undefined;
  /** Slug of a configuration; left out for any */
  configuration?: string | undefined;
  /** With `memoryMib` and `diskGib`, in the place of a configuration */
  vcpus?: number | undefined;
  /** In steps of 1024 */
  memoryMib?: number | undefined;
  /** Of the grade `sata` */
  diskGib?: number | undefined;
  /** GiB beyond the configuration's own storage */
  additionalStorageGib?: number | undefined;
  constraints?: Constraints | undefined;
  /** What a container is to run on */
  slot?: string | undefined;
  /** May be left out where the slot has one price */
  slotPrice?: string | undefined;
}

export interface NewReimage {
  /** Slug or id of an image of the catalog, or of an own one */
  image: string;
  sshKeys?: string[] | undefined;
  /** One is made where there is no SSH key either */
  rootPassword?: string | undefined;
  /** Run once by its system */
  firstBootScript?: string | undefined;
}

export interface NewSecondFactor {
  currentPassword: string;
}

export interface NewSession {
  username: string;
  password: string;
  /** Of the second factor, where the user has one */
  code?: string | undefined;
  /** How long it lasts unused */
  validitySeconds?: number | undefined;
  /** Whether the token is to be in a cookie that no script can read, and not in the body */
  cookie?: boolean | undefined;
}

export interface NewSlot {
  host: string;
  /** Tells slots of a host apart */
  name: string;
  vcpus: number;
  memoryGib: number;
  diskGib: number;
  /** Ids of the host's GPUs */
  gpus?: string[] | undefined;
  prices: NewSlotPrices;
}

/** At least one; billed by the second */
export interface NewSlotPrices {
  /** An hour */
  hour?: string | undefined;
  /** An epoch of 24 hours */
  epoch?: string | undefined;
}

export interface NewSshKey {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Its fingerprint unless given */
  name?: string | undefined;
  /** One line, as in authorized_keys */
  publicKey: string;
}

export interface NewTicket {
  /** A VM has `console` and `screen`, a container `exec` */
  door: 'console' | 'screen' | 'exec';
  exec?: NewExec | undefined;
}

export interface NewUser {
  /** Letters, digits and -_.+@ */
  username: string;
  email?: string | null | undefined;
  /** At least 15 characters; made and shown once unless given */
  password?: string | undefined;
  privileges?: NewGrant[] | undefined;
}

export interface NewUserAnswer {
  id: string;
  username: string;
  email: string | null;
  /** Public SSH keys, for consoles */
  authorizedKeys: string[];
  /** Whether a code is needed to log in */
  secondFactor: boolean;
  createdAt: string;
  /** Where it was made here; not shown again */
  password: string | null;
}

export interface NewWebhook {
  /** Id or name of an account; left out where you see only one */
  account?: string | undefined;
  /** Where deliveries are posted; a public address */
  url: string;
  /** Kinds of events, each with those below it: `instance` has `instance.active`; `*` is every event */
  kinds: string[];
  /** What deliveries are signed with; made unless given */
  secret?: string | undefined;
}

/** One configuration on hosts that differ in nothing that can be asked for */
export interface Offer {
  configuration: Configuration;
  /** US dollars for one instance and epoch, the additional storage that was asked for included */
  pricePerEpoch: string;
  /** How many instances fit now */
  available: number;
  hardware: Hardware;
  datacenter: Datacenter | null;
  rates: OfferRates;
  /** What one instance could have now beyond the configuration's storage */
  additionalStorageGib: number;
  /** What one may have at most; null is no limit */
  additionalStorageGibMax: number | null;
}

/** Why the market has nothing for a request, or what it has */
export interface OfferExplanation {
  /** All that there are */
  hosts: number;
  /** Those that could take at least one instance */
  fitting: number;
  /** How many of the instances have a place now */
  placed: number;
  removed: Removed[];
  /** The smallest changes that would work now, the cheapest first */
  relaxations: Relaxation[];
}

export interface OfferPage {
  items: Offer[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** What an epoch of each resource costs */
export interface OfferRates {
  /** US dollars a vCPU and epoch */
  vcpu: string;
  /** US dollars a GiB and epoch */
  memoryGib: string;
  /** US dollars an IPv4 address and epoch */
  address: string;
  /** The grades of storage that are sold there */
  storage: StorageRate[];
}

export interface OfferedCpu {
  manufacturer: string;
  architecture: string;
}

export interface OfferedHardware {
  cpu: OfferedCpu[];
  memory: OfferedMemory[];
  storage: OfferedStorage[];
}

export interface OfferedMemory {
  type: string;
  generation: string;
}

export interface OfferedStorage {
  type: string;
}

/** What operators see of a slot */
export interface OperatedSlot {
  host: string;
  /** Tells slots of a host apart */
  name: string;
  /** A closed one is let no more; who rents it keeps it */
  state: 'open' | 'closed';
  /** Why it can't be rented although nobody rents it */
  whyInactive: string | null;
  gpuIds: string[];
  /** Who rents it */
  account: string | null;
  /** What runs in it */
  instance: string | null;
  createdAt: string;
}

/** What was asked of an instance and takes its host a while */
export interface Operation {
  id: string;
  /** What was asked for */
  kind: 'create' | 'start' | 'stop' | 'shutdown' | 'reset' | 'cycle' | 'restart' | 'reimage' | 'delete' | 'purge' | 'send-keys';
  account: string;
  instance: string;
  status: 'running' | 'succeeded' | 'failed';
  error: OperationError | null;
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

export interface Orphan {
  /** The id that it was made with */
  instance: string;
  host: string;
  state: string;
  /** Kept from others */
  address: string | null;
  /** 0 where its host can not tell */
  vcpus: number;
  /** 0 where its host can not tell */
  memoryMib: number;
  /** 0 where its host can not tell */
  diskGib: number;
  seenAt: string;
  /** Whether its host was told to remove it */
  removing: boolean;
}

export interface OrphanPage {
  items: Orphan[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** Those who earned less, together */
export interface OtherRevenue {
  /** How many they are */
  count: number;
  /** What was charged, less refunds */
  revenue: string;
  /** The same for each of the periods */
  byPeriod: string[];
}

export interface Overcommit {
  /** vCPUs that are sold for each core */
  cpu: number;
  /** Memory that is sold for what is there */
  memory: number;
  /** Storage that is sold for what is there */
  disk: number;
}

export interface OvercommitChange {
  /** vCPUs that are sold for each core */
  cpu?: number | undefined;
  /** Memory that is sold for what is there */
  memory?: number | undefined;
  /** Storage that is sold for what is there */
  disk?: number | undefined;
}

export interface Port {
  /** 1 to 65535, but not 10250 */
  port: number;
  protocol: 'tcp' | 'udp';
}

export interface PowerOrder {
  action: 'start' | 'stop' | 'shutdown' | 'reset' | 'cycle' | 'restart';
}

/** A rate card; never changes */
export interface Price {
  id: string;
  rates: Rates;
  createdAt: string;
}

export interface PricePage {
  items: Price[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface PriceRevision {
  /** US dollars an epoch of a vCPU */
  vcpu?: string | undefined;
  /** US dollars an epoch of a GiB of memory */
  memoryGib?: string | undefined;
  /** US dollars an epoch of a GiB of storage */
  storageGib?: string | undefined;
  gradeGib?: GradeRatesChange | undefined;
  /** US dollars an epoch of an IPv4 address */
  publicIp?: string | undefined;
  /** Only these of its hosts; all that have the card where left out */
  hosts?: string[] | undefined;
}

/** What a user may do, and on what */
export interface Privilege {
  id: string;
  user: UserRef;
  /** What may be done; each level holds for what is below its object, too */
  level: 'vm_console' | 'vm_admin' | 'group_admin' | 'account_admin' | 'cluster_admin' | 'cluster_su';
  /** What it is held on, or what that is in */
  account: string | null;
  group: string | null;
  instance: string | null;
  /** What the account, group or VM that it is held on is called */
  targetName: string | null;
  /** The user's key that holds it in place of the user's sessions */
  apiKey: string | null;
  /** Whether it holds only in sessions with a second factor */
  secondFactorRequired: boolean;
  /** How old that may be; null for any age */
  secondFactorAgeSecondsMax: number | null;
  fromAddresses: string[] | null;
  /** The username of who granted it */
  grantedBy: string | null;
}

export interface PrivilegeChange {
  /** Whether it holds only in sessions with a second factor */
  secondFactorRequired?: boolean | undefined;
  /** How old that may be; null for any age */
  secondFactorAgeSecondsMax?: number | null | undefined;
  fromAddresses?: string[] | null | undefined;
}

export interface PrivilegePage {
  items: Privilege[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface Problem {
  type: string;
  /** What can be done about it */
  title: string;
  status: number;
  /** For programs; stays as it is */
  code: 'unauthenticated' | 'bad_credentials' | 'second_factor_needed' | 'cross_site' | 'forbidden' | 'not_found' | 'method_not_allowed' | 'malformed' | 'invalid_value' | 'unsupported' | 'no_suitable_offer' | 'not_enough_offers' | 'insufficient_balance' | 'name_taken' | 'slot_not_available' | 'price_stale' | 'quote_over' | 'quote_too_small' | 'external_id_reused' | 'wrong_state' | 'precondition_failed' | 'idempotency_key_reused' | 'payload_too_large' | 'unsupported_media_type' | 'too_many_requests' | 'internal' | 'unavailable';
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

export interface PublicPort {
  port: number;
  protocol: 'tcp' | 'https';
  /** Where an HTTPS port is reached */
  url: string | null;
}

/** A price that holds for a while, and the room that it is for */
export interface Quote {
  id: string;
  account: string;
  kind: 'vm' | 'container';
  /** It holds what it promises while it is open; lost is one whose host is closed or out of reach */
  state: 'open' | 'used' | 'expired' | 'released' | 'lost';
  /** Why it was lost */
  reason: string | null;
  count: number;
  /** Null for a size of its own, and for a container */
  configuration: string | null;
  /** Of each */
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** What the prices are for */
  unit: 'epoch' | 'hour';
  /** US dollars for the dearest of them */
  price: string;
  /** US dollars for all of them */
  total: string;
  /** US dollars that have to be there to make all of them */
  needed: string;
  placements: QuotePlacement[];
  createdAt: string;
  expiresAt: string;
  /** Null while it is open */
  closedAt: string | null;
  /** What was made with it */
  deployment: string | null;
}

export interface QuotePage {
  items: Quote[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** Instances on one host */
export interface QuotePlacement {
  /** Instances */
  count: number;
  /** US dollars for one of them */
  price: string;
  datacenter: InstanceDatacenter | null;
  /** A container's */
  slot: string | null;
  slotPrice: string | null;
}

export interface Rates {
  /** US dollars an epoch of a vCPU */
  vcpu: string;
  /** US dollars an epoch of a GiB of memory */
  memoryGib: string;
  /** US dollars an epoch of a GiB of storage */
  storageGib: string;
  gradeGib: GradeRates;
  /** US dollars an epoch of an IPv4 address */
  publicIp: string;
}

/** The login of a private registry; forgotten with its container */
export interface RegistryAuth {
  server: string;
  login: string;
  password: string;
}

export interface Reimage {
  operation: Operation;
  /** Where one was made; shown here and nowhere else */
  rootPassword: string | null;
}

export interface Relaxation {
  /** What differs from the request */
  changed: string[];
  count: number;
  configuration: string | null;
  /** GiB beyond the configuration's own storage */
  additionalStorageGib: number;
  constraints: Constraints;
  /** US dollars for the dearest instance and epoch */
  maxPricePerEpoch: string;
  /** US dollars for all of them and epoch */
  totalPricePerEpoch: string;
}

export interface Removed {
  /** `state` and `reachable` are of the hosts themselves, `freeVcpus`, `freeMemory` and `freeDisk` what they have too little of */
  constraint: string;
  /** Those that it was the first to turn down */
  hosts: number;
  /** Those that it turns down by itself */
  alone: number;
}

export interface Revenue {
  /** Null: from the beginning */
  from: string | null;
  /** Null: up to now */
  to: string | null;
  by: 'host' | 'datacenter' | 'account' | 'kind';
  per: 'day' | 'week' | 'month' | null;
  /** The first day of each day, week or month, in UTC; none unless `per` was asked for */
  periods: string[];
  /** Who earned most comes first */
  items: RevenueItem[];
  others: OtherRevenue | null;
  /** US dollars */
  total: string;
  /** The same for each of the periods */
  totalByPeriod: string[];
}

export interface RevenueItem {
  /** Of a host, a datacenter or an account; null for hosts that stand in no datacenter, and for kinds */
  id: string | null;
  /** Of a kind: `vm` or `container`, which rents a slot */
  name: string | null;
  /** What was charged, less refunds */
  revenue: string;
  /** The same for each of the periods */
  byPeriod: string[];
}

export interface RevisedPrice {
  price: Price;
  /** Those that have it now and had the other */
  hosts: string[];
}

export interface SecondFactorConfirmation {
  code: string;
}

export interface SecondFactorRemoval {
  /** Of your own; each is taken once */
  code?: string | undefined;
}

export interface SecondFactorSecret {
  /** In base32; not shown again */
  secret: string;
  /** For a QR code */
  uri: string;
}

export interface Session {
  id: string;
  user: UserRef;
  /** What was shown to open it */
  factors: ('password' | 'yubikey' | '2fa' | 'impersonated')[];
  /** When that was */
  authenticatedAt: string;
  /** When it ends; each use puts that off, up to 30 days after `authenticatedAt` */
  expiresAt: string;
  /** Where it was opened */
  fromAddress: string | null;
  /** The program that opened it */
  userAgent: string | null;
  /** Whether it is the one that this request came in */
  current: boolean;
}

export interface SessionPage {
  items: Session[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** A slice of a host that is rented whole to one container */
export interface Slot {
  id: string;
  /** It can be rented while it is available */
  status: 'available' | 'rented' | 'inactive';
  vcpus: number;
  memoryGib: number;
  diskGib: number;
  cpuName: string | null;
  gpus: SlotGpu[];
  cudaVersion: string | null;
  country: string | null;
  city: string | null;
  address: string | null;
  prices: SlotPrice[];
  operated: OperatedSlot | null;
}

export interface SlotChange {
  state?: 'open' | 'closed' | undefined;
  prices?: SlotPricesChange | undefined;
}

export interface SlotGpu {
  name: string;
  memoryMib: number | null;
  count: number;
}

export interface SlotPage {
  items: Slot[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface SlotPrice {
  id: string;
  /** What it is for: an hour, or an epoch of 24 hours; billed by the second */
  unit: 'hour' | 'epoch';
  /** US dollars */
  amount: string;
}

/** Null takes a price back; one has to be left */
export interface SlotPricesChange {
  /** An hour */
  hour?: string | null | undefined;
  /** An epoch of 24 hours */
  epoch?: string | null | undefined;
}

export interface Spend {
  account: string;
  /** Null: from the beginning */
  from: string | null;
  /** Null: up to now */
  to: string | null;
  /** Days without a charge are left out */
  days: SpendOfDay[];
  /** US dollars */
  total: string;
}

export interface SpendOfDay {
  /** In UTC */
  day: string;
  /** What was charged, less refunds */
  spent: string;
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

export interface Statement {
  account: string;
  /** Null: from the beginning */
  from: string | null;
  /** Null: up to now */
  to: string | null;
  opening: BalanceAmounts;
  closing: BalanceAmounts;
  /** By instance and kind; their sum is what lies between the two balances */
  lines: StatementLine[];
}

export interface StatementLine {
  instance: string | null;
  instanceName: string | null;
  kind: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund';
  /** Transactions */
  count: number;
  /** Negative where it was taken */
  availableMoved: string;
  /** US dollars */
  heldMoved: string;
}

export interface StoragePool {
  id: string;
  label: string;
  grades: string[];
  /** As the host last said */
  sizeGib: number;
  /** As the host last said */
  freeGib: number;
  /** What may be sold */
  capacityGib: number;
  /** What of it is sold */
  soldGib: number;
  disks: number;
  backups: number;
}

export interface StoragePoolPage {
  items: StoragePool[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface StorageRate {
  grade: 'sata' | 'ssd' | 'archive';
  /** US dollars a GiB and epoch */
  perGib: string;
}

export interface Ticket {
  /** Opens the door once; not shown again */
  ticket: string;
  /** When it opens it no more */
  expiresAt: string;
  /** Where the door is, with the ticket in it; to be resolved against where this API is reached, with `ws:` or `wss:` */
  url: string;
}

/** A movement of money; never changes */
export interface Transaction {
  id: string;
  account: string;
  kind: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund';
  /** What was paid for */
  instance: string | null;
  reason: string;
  /** Who did it */
  actor: string;
  /** What it moved of the account's available balance; negative where it was taken */
  availableMoved: string;
  /** The same of what is held */
  heldMoved: string;
  createdAt: string;
}

export interface TransactionPage {
  items: Transaction[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

/** A person, who may do what was granted to them */
export interface User {
  id: string;
  username: string;
  email: string | null;
  /** Public SSH keys, for consoles */
  authorizedKeys: string[];
  /** Whether a code is needed to log in */
  secondFactor: boolean;
  createdAt: string;
}

export interface UserChange {
  email?: string | null | undefined;
  authorizedKeys?: string[] | undefined;
  /** At least 15 characters */
  password?: string | undefined;
  /** Your own, to change it */
  currentPassword?: string | undefined;
}

export interface UserPage {
  items: User[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}

export interface UserRef {
  id: string;
  username: string;
}

/** Tells a URL what happens in an account */
export interface Webhook {
  id: string;
  account: string;
  /** Where deliveries are posted; a public address */
  url: string;
  /** Kinds of events, each with those below it: `instance` has `instance.active`; `*` is every event */
  kinds: string[];
  /** How a delivery is written; those made here are `event` */
  format: 'event' | 'hiveon';
  /** While it is not, nothing is sent or noted for it */
  enabled: boolean;
  createdAt: string;
}

export interface WebhookChange {
  /** Where deliveries are posted; a public address */
  url?: string | undefined;
  /** Kinds of events, each with those below it: `instance` has `instance.active`; `*` is every event */
  kinds?: string[] | undefined;
  enabled?: boolean | undefined;
}

export interface WebhookPage {
  items: Webhook[];
  /** Where to go on; null on the last page */
  nextCursor: string | null;
}
