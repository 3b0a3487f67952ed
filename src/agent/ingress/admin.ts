// Orders to a Caddy that runs, through its admin API on a unix socket that only it and root can reach.

import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { connectUnix } from '../vm/unix-socket.ts';

/** The socket's name in Caddy's working directory, short however deep that lies. */
export const adminSocket = 'admin.sock';

const connectTimeoutMs = 1_000;
const answerTimeoutMs = 10_000;

/** Caddy has understood an order and refuses it. */
export class CaddyRefused extends Error {}

/** The admin API of the Caddy that works in one directory. */
export class CaddyAdmin {
  readonly #directory: string;

  /** @param directory the one that Caddy's socket lies in */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether it takes orders. */
  async answers(): Promise<boolean> {
    const answer = await this.#ask('GET', '/config/admin').catch(() => null);
    return answer?.status === 200;
  }

  /**
   * Gives it a new configuration, the whole of it.
   * @throws CaddyRefused with what is wrong; any other Error when nobody answers
   */
  async load(config: string): Promise<void> {
    const { status, body } = await this.#ask('POST', '/load', config);
    if (status !== 200) throw new CaddyRefused(`Caddy refuses its configuration (${status}): ${body.slice(0, 500)}`);
  }

  async #ask(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const socket = await connectUnix(this.#directory, adminSocket, connectTimeoutMs, () => false);
    const hungUp = new Promise<never>((_resolve, reject) => {
      // Not the request's own timeout: on a socket that has closed meanwhile it tells nothing, ever.
      const timer = setTimeout(() => socket.destroy(), answerTimeoutMs);
      const tell = () => {
        clearTimeout(timer);
        reject(new Error('Caddy does not answer.'));
      };
      if (socket.destroyed) tell();
      else socket.once('close', tell);
    });
    try {
      return await Promise.race([exchange(socket, method, path, body), hungUp]);
    } finally {
      socket.destroy();
    }
  }
}

function exchange(
  socket: Socket,
  method: string,
  path: string,
  body: string | undefined,
): Promise<{ status: number; body: string }> {
  const agent = new Agent();
  agent.createConnection = () => socket;
  const headers = { 'content-type': 'application/json', host: 'localhost' };
  return new Promise((resolve, reject) => {
    const asked = request({ agent, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: text.trim() }));
      answer.once('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
