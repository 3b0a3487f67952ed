// The bodies that the client sends and receives, as the documents in openapi/ describe them. Only what callers read is
// typed; a server may send more.

/** A port open from outside. */
export interface Port {
  port: number;
  protocol: 'tcp' | 'udp';
}

/** A kind of disk. */
export type StorageType = 'HDD' | 'SSD' | 'NVMe';

/** What a VM must be like. What is left out, null or empty is Berth's choice; entries of one list mean any of them. */
export interface Constraints {
  /** A size, such as `cpu-2-ram-4gb-storage-25gb`. */
  basicConfiguration?: string | null;
  /** Grows the boot disk; `supply` in GiB. */
  additionalResources?: { storage: { type: StorageType; supply: number; units: 'GiB' }[] } | null;
  hardware?: {
    cpu?: { manufacturer?: string | null; architecture?: string | null }[] | null;
    memory?: { type?: string | null; generation?: string | null }[] | null;
    storage?: { type: StorageType }[] | null;
  } | null;
  /** Countries by their ISO 3166-1 alpha-2 codes. */
  datacenter?: { countries: string[] } | null;
  /** A decimal number of US dollars for one VM and one epoch. */
  maxTotalPricePerEpochUsd?: string | null;
}

/** Where a machine stands. */
export interface Datacenter {
  countryCode: string;
  cityCode: string;
  cityIndex: number;
  tier: number;
  certifications: string[];
}

/** Storage that a VM may have beyond its size: `price` in US dollars for one GiB and epoch, `supply` in GiB. */
export interface AdditionalSupply {
  type: 'STORAGE';
  metadata: Record<string, unknown>;
  price: string;
  supply: number;
  units: 'GiB';
  perVmLimit: number | null;
}

/** A size that can be deployed now on machines of one kind. Prices are decimal numbers of US dollars for one epoch. */
export interface Offer {
  configuration: { slug: string; price: string };
  resources: { type: 'VCPU' | 'RAM' | 'STORAGE' | 'PUBLIC_IP'; metadata: Record<string, unknown>; price: string }[];
  datacenter: Datacenter | null;
  servers: { availableBasicInstances: number; additionalResources: AdditionalSupply[] }[];
  maxAdditionalSupply: AdditionalSupply[];
}

/** What a deployment would cost: decimal numbers of US dollars. */
export interface Estimate {
  depositAmountUsdc: string;
  depositEpochs: number;
  totalPricePerEpoch: string;
  maxPricePerEpoch: string;
  instances: number;
}

/** What can be asked for of hardware. */
export interface MarketHardware {
  cpu: { manufacturer: string; architecture: string }[];
  memory: { type: string; generation: string }[];
  storage: { type: StorageType }[];
}

/** A datacenter of the market. */
export interface ListedDatacenter extends Omit<Datacenter, 'cityIndex'> {
  id: string;
  slug: string;
  index: number;
}

/** A registered public SSH key; without a name it goes by its fingerprint. */
export interface SshKey {
  name?: string;
  fingerprint: string;
  algorithm: string;
  comment: string;
  publicKey: string;
  active: boolean;
}

/** A request for one or more equal VMs. */
export interface DeployRequest {
  constraints?: Constraints | null;
  instances: number;
  vmConfiguration: {
    name: string;
    hostname?: string | null;
    openPorts: Port[];
    /** URL of a disk image. */
    osImage: string;
    /** Public keys in OpenSSH's one-line form, or the names or fingerprints of registered ones. */
    sshKeys: string[];
  };
}

/** A VM that was accepted. */
export interface DeployedVm {
  vmId: string;
  vmName: string;
}

/** A VM as it stands. Times are RFC 3339. */
export interface VmStatus {
  id: string;
  status: string;
  statusChangedAt: string;
  /** Its address while it is active. */
  publicIp: string | null;
}

/** A VM as the list shows it; prices are decimal numbers of US dollars. */
export interface Vm extends VmStatus {
  vmName: string;
  pricePerEpoch: string;
  createdAt: string;
  /** Missing once nothing is billed any more. */
  nextBillingAt?: string;
  osImage: string;
  datacenter: Datacenter | null;
  ports: Port[];
  /** Held for the next epoch. */
  reservedBalance: string;
  totalSpent: string;
}

/** A change of one VM; what is left out stays. */
export interface VmUpdate {
  id: string;
  vmName?: string;
  /** Replaces all of them. */
  openPorts?: Port[];
}

/** An OS image of the catalog; `downloadUrl` is what to deploy with, `username` who logs in. */
export interface DefaultImage {
  id: string;
  slug: string;
  name: string;
  distribution: string;
  downloadUrl: string;
  username: string;
}

/** One line of what happened. `cursor` is where to go on reading. */
export interface BerthEvent {
  cursor: string;
  instanceId: string | null;
  kind: string;
  message: string;
  actor: string;
  data: Record<string, unknown> | null;
  createdAt: string;
}
