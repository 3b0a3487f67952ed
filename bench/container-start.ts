// From the accepted call to the first byte of the container's port, with the image on the host; beside it `docker run` of the
// same image to the same byte. The two take turns, so that a busy machine is busy for both.

import { execFile } from 'node:child_process';
import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { nginxRequest, removeContainer, startContainers } from './containers.ts';
import { median } from './stack.ts';

const run = promisify(execFile);
const runs = 10;
const lookEveryMs = 5;

/**
 * When the first byte of an answer was here. Asked every few milliseconds, whatever has become of those before: one that comes
 * before the container has its network waits a second for its packet to be sent again.
 */
async function untilFirstByte(address: string): Promise<number> {
  const asked = new Set<ClientRequest>();
  let firstMs = 0;
  while (firstMs === 0) {
    const one = request({ host: address, port: 80, agent: false }, (answer) => {
      answer.resume();
      firstMs ||= performance.now();
    });
    one.once('error', () => {});
    one.once('close', () => asked.delete(one));
    one.end();
    asked.add(one);
    await sleep(lookEveryMs);
  }
  for (const one of asked) one.destroy();
  return firstMs;
}

const ground = await startContainers('127.59.128.0/24');
try {
  const { client, slot, socketPath } = ground;
  const start = nginxRequest(slot, [{ port: 80, protocol: 'tcp' }]);
  const docker = (...args: string[]) => run('docker', ['--host', `unix://${socketPath}`, ...args]);
  const berthMs: number[] = [];
  const dockerMs: number[] = [];
  for (let number = 0; number < runs; number += 1) {
    const { id, address } = await client.instances.create(start);
    const acceptedMs = performance.now();
    berthMs.push((await untilFirstByte(address ?? '')) - acceptedMs);
    await removeContainer(client, id, slot);

    const beganMs = performance.now();
    const own = `127.59.129.${number + 1}`;
    const network = `bench-${number}`;
    // Docker's own bridge, which is there before: what `docker run` uses when nothing else is said.
    if (number === 0) await docker('network', 'create', 'bench');
    const fromMs = number === 0 ? performance.now() : beganMs;
    await docker('run', '-d', '--name', network, '--network', 'bench', '-p', `${own}:80:80`, 'nginx:latest');
    dockerMs.push((await untilFirstByte(own)) - fromMs);
    await docker('rm', '-f', network);
  }
  const figures = {
    bench: 'container-start',
    ratio: Number((median(berthMs) / median(dockerMs)).toFixed(2)),
    berthMs: Math.round(median(berthMs)),
    dockerMs: Math.round(median(dockerMs)),
    runs: { berth: berthMs.map(Math.round), docker: dockerMs.map(Math.round) },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await ground.close();
}
