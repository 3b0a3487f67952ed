// Connects to a unix socket in a directory of any depth. The kernel takes socket paths of 107 bytes at most, and a data
// directory may well be deeper: so the directory is opened, and the socket is named through /proc/self/fd.

import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The socket's owner takes a while to make it; asking this often costs nothing and delays little. */
const retryEveryMs = 10;

/**
 * Connects to `<directory>/<name>`, waiting for the socket to appear in the directory, which has to be there.
 * @returns a socket that may have been destroyed again by the time it is looked at
 * @param stillWorthwhile asked between attempts; false gives up at once
 * @throws Error when nobody listens there within `timeoutMs`
 */
export async function connectUnix(
  directory: string,
  name: string,
  timeoutMs: number,
  stillWorthwhile: () => boolean = () => true,
): Promise<Socket> {
  const deadline = performance.now() + timeoutMs;
  const handle = await open(directory, 'r');
  try {
    for (;;) {
      try {
        return await connectOnce(`/proc/self/fd/${handle.fd}/${name}`, Math.max(1, deadline - performance.now()));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        const mayCome = code === 'ENOENT' || code === 'ECONNREFUSED';
        if (!mayCome || !stillWorthwhile() || performance.now() >= deadline) throw error;
      }
      await sleep(retryEveryMs);
    }
  } finally {
    await handle.close();
  }
}

function connectOnce(path: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const timer = setTimeout(() => socket.destroy(new Error('the socket takes no connection')), timeoutMs);
    // Stays for good: the other side may hang up before whoever gets the socket listens. It is then destroyed, and says so.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
