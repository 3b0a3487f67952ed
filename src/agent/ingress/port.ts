// Which port an ingress of this machine alone listens on: chosen once, because customers have it in their addresses.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { writeDurably } from '../../host/durable-file.ts';

/** Tried in this order; after them, any free one. */
const preferredPorts = [443, 8443];

/**
 * The port that was chosen before, or one that is free now and is chosen thereby.
 * @param file where the choice is kept
 * @throws Error when the address can't be listened on at all
 */
export async function lastingPort(file: string, address: string): Promise<number> {
  const known = await readFile(file, 'utf8').catch(() => null);
  if (known !== null) return Number(known);
  for (const candidate of [...preferredPorts, 0]) {
    const port = await freePort(candidate, address);
    if (port === null) continue;
    await writeDurably(file, String(port));
    return port;
  }
  throw new Error(`No port is free for the ingress on ${address}.`);
}

/** The port, when it can be listened on; with 0 any that can. */
function freePort(port: number, address: string): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen(port, address || undefined, () => {
      const at = probe.address();
      probe.close(() => resolve(typeof at === 'object' && at ? at.port : null));
    });
  });
}
