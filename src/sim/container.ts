// Containers without a container engine, for scale and for faults.

import type { ContainerDriver, ContainerSpec } from '../agent/container/driver.ts';
import { DriverFailure } from '../agent/driver.ts';
import type { LogLine } from '../model/log.ts';
import { SimulatedDriver } from './driver.ts';

/** Runs simulated containers, which say nothing. */
export class SimulatedContainerDriver extends SimulatedDriver<ContainerSpec> implements ContainerDriver {
  async *logs(): AsyncIterable<LogLine> {}

  protected override imageFailure(): DriverFailure {
    return new DriverFailure('IMAGE_NOT_FOUND', 'The registry has no such image.', true);
  }
}
