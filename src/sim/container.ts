// Containers without a container engine, for scale and for faults.

import type { ContainerDriver, ContainerSpec } from '../agent/container/driver.ts';
import type { LogLine } from '../model/log.ts';
import { SimulatedDriver } from './driver.ts';

/** Runs simulated containers, which say nothing. */
export class SimulatedContainerDriver extends SimulatedDriver<ContainerSpec> implements ContainerDriver {
  async *logs(): AsyncIterable<LogLine> {}
}
