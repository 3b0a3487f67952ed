// A host with real VMs, looked at from outside: the process table, the directories on the disk, and the guests themselves.
// None of it goes through Berth's own driver, except to leave nothing behind when a test has failed.

import { once } from 'node:events';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { VmRecord } from '../../src/agent/vm/home.ts';
import { noCds, qemuDriver } from '../agent/vm/support.ts';
import type { HostTruth, HostVm } from './truth.ts';

/** One QEMU process. */
export interface SeenQemu {
  pid: number;
  instanceId: string;
  vcpus: number;
  memoryMib: number;
}

/** The QEMUs whose disks lie below a directory. */
export function findQemus(vmDirectory: string): SeenQemu[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const instanceId = /\0guest=(0x[0-9a-f]{40})\0/.exec(line)?.[1];
      if (!instanceId || !line.includes(vmDirectory)) return [];
      const number = (pattern: RegExp) => Number(pattern.exec(line)?.[1]);
      const [vcpus, memoryMib] = [number(/\0cpus=(\d+)/), number(/\0size=(\d+)M\0/)];
      return [{ pid: Number(name), instanceId, vcpus, memoryMib }];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

/** What there is on a host with real VMs. */
export async function lookAtQemus(agentDirectory: string): Promise<HostTruth> {
  const vmDirectory = join(agentDirectory, 'vm');
  const qemus = Map.groupBy(findQemus(vmDirectory), ({ instanceId }) => instanceId);
  const homes = new Set(await readdir(vmDirectory).catch(() => []));
  const complaints: string[] = [];
  const vms: HostVm[] = [];
  for (const instanceId of new Set([...homes, ...qemus.keys()])) {
    const running = qemus.get(instanceId) ?? [];
    if (running.length > 1) complaints.push(`${instanceId} runs ${running.length} times`);
    if (!homes.has(instanceId)) complaints.push(`the QEMU of ${instanceId} has no directory`);
    const text = await readFile(join(vmDirectory, instanceId, 'vm.json'), 'utf8').catch(() => '{}');
    const { address = '' } = JSON.parse(text) as Partial<VmRecord>;
    const { vcpus = 0, memoryMib = 0 } = running[0] ?? {};
    vms.push({ instanceId, running: running.length === 1, address, vcpus, memoryMib, ports: null });
  }
  return { vms, complaints, erased: [] };
}

/** Ends whatever runs below an agent's directory, whose agent is dead. */
export async function endQemus(agentDirectory: string): Promise<void> {
  const driver = await qemuDriver(agentDirectory, {
    images: { ensure: () => Promise.reject(new Error('not now')), ensureIso: noCds },
  });
  for (const { instanceId } of await driver.observe()) await driver.erase(instanceId, 0);
  await driver.close();
}

/** Serves one file slowly enough that a plug is pulled in the middle of it; answers ranges, as image servers do. */
export async function serveImage(path: string): Promise<{ host: string; server: Server }> {
  const { size } = await stat(path);
  const bytesAtOnce = 256 * 1024;
  const pauseMs = 20;
  const server = createServer(async (request, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': size - start,
      etag: '"torture"',
      'accept-ranges': 'bytes',
      ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    try {
      for await (const chunk of createReadStream(path, { start, highWaterMark: bytesAtOnce })) {
        if (response.destroyed) return;
        response.write(chunk);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      response.end();
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
