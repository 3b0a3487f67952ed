// Whether a name is served: Caddy takes a name at once and its certificate a moment later, and until then turns clients away.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

const pollMs = 20;
const handshakeTimeoutMs = 1_000;

/** Waits until a client that asks for the name gets a certificate. @returns false when none did within the time */
export async function untilServed(address: string, port: number, name: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await getsCertificate(address, port, name))) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

function getsCertificate(host: string, port: number, servername: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Which certificate it is does not matter here: Caddy has none for any other name.
    const socket = connect({ host, port, servername, rejectUnauthorized: false });
    const say = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(handshakeTimeoutMs, () => say(false));
    socket.once('secureConnect', () => say(true));
    socket.once('error', () => say(false));
  });
}
