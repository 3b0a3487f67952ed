// What a container is to be, for whatever runs it. The Docker Engine of this host is one driver, the simulation another.

import type { ContainerPort } from '../../model/container.ts';
import type { LogLine } from '../../model/log.ts';
import type { Driver } from '../driver.ts';
import type { ContainerExec } from './exec.ts';

/** A container as it should be. */
export interface ContainerSpec {
  instanceId: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** Ids of the GPUs that it gets, as their driver names them. */
  gpus: readonly string[];
  /** A reference as the customer wrote it. */
  image: string;
  /** A login goes with the image; it is asked for when the image is pulled. */
  hasRegistryAuth: boolean;
  ports: readonly ContainerPort[];
  environment: Readonly<Record<string, string>>;
  startupScript: string | null;
  sshKeys: readonly string[];
  /** The IPv4 address that is the instance's own. */
  address: string;
}

/** Which lines of a container's output are asked for. */
export interface LogQuery {
  /** The last so many lines. */
  tail: number;
  /** Only what was said from this moment on. */
  since: Date | null;
  /** Goes on with what is said from now on, until the container ends. */
  follow: boolean;
}

/** Runs containers. */
export interface ContainerDriver extends Driver<ContainerSpec> {
  /** What a container has said. @throws DriverFailure when there is no such container */
  logs(instanceId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Runs a command in a container. @throws DriverFailure when the container does not run */
  exec: ContainerExec;
}
