// Containers without a container engine, for scale and for faults.

import { PassThrough } from 'node:stream';
import type { ContainerDriver, ContainerSpec } from '../agent/container/driver.ts';
import type { ExecRequest, Execution } from '../agent/container/exec.ts';
import { DriverFailure } from '../agent/driver.ts';
import type { LogLine } from '../model/log.ts';
import { SimulatedDriver } from './driver.ts';

/** Runs simulated containers, which say nothing. */
export class SimulatedContainerDriver extends SimulatedDriver<ContainerSpec> implements ContainerDriver {
  async *logs(): AsyncIterable<LogLine> {}

  /** Every command says what is typed into it, until its input ends. */
  async exec(instanceId: string, _request: ExecRequest): Promise<Execution> {
    if ((await this.inspect(instanceId))?.power !== 'running') {
      throw new DriverFailure('container.not-running', 'The container does not run.', false);
    }
    const [echo, stderr] = [new PassThrough(), new PassThrough()];
    const { promise: exitCode, resolve } = Promise.withResolvers<number>();
    echo.once('end', () => {
      stderr.end();
      stderr.resume();
      resolve(0);
    });
    const end = () => {
      for (const stream of [echo, stderr]) stream.destroy();
    };
    return { stdin: echo, stdout: echo, stderr, resize: async () => {}, exitCode, end };
  }

  protected override imageFailure(): DriverFailure {
    return new DriverFailure('IMAGE_NOT_FOUND', 'The registry has no such image.', true);
  }
}
