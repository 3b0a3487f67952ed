// The bodies that the client sends and receives, as the documents in openapi/ describe them. Only what callers read is
// typed; a server may send more.

/** A port open from outside. */
export interface Port {
  port: number;
  protocol: 'tcp' | 'udp';
}

/** What a VM must be like. What is left out or null is Berth's choice. */
export interface Constraints {
  /** A size, such as `cpu-2-ram-4gb-storage-25gb`. */
  basicConfiguration?: string | null;
  /** Grows the boot disk; `supply` in GiB. */
  additionalResources?: { storage: { type: 'HDD' | 'SSD' | 'NVMe'; supply: number; units: 'GiB' }[] } | null;
  hardware?: null;
  datacenter?: null;
  /** A decimal number of US dollars for one VM and one epoch. */
  maxTotalPricePerEpochUsd?: string | null;
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
    /** Public keys in OpenSSH's one-line form. */
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
  osImage: string;
  ports: Port[];
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
