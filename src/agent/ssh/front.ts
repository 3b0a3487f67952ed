// SSH into containers whose images have no SSH server: it ends here, on the container's own address, and what is asked for is
// run inside the container through its engine.

import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type Connection, Server, type ServerConfig, utils } from 'ssh2';
import { writeDurably } from '../../host/durable-file.ts';
import type { ContainerExec } from '../container/exec.ts';
import { AuthorizedKeys } from './keys.ts';
import { serveSession } from './session.ts';

/** What the front is given. */
export interface SshFrontParts {
  /** Where the host's key is kept; it is made once, so that clients know the host again. */
  hostKeyFile: string;
  exec: ContainerExec;
  /** The address that a container has in its own network; undefined while it has none. */
  addressOf(instanceId: string): Promise<string | undefined>;
  logger: { debug(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Where a container's SSH answers, and to whom. */
export interface SshPlace {
  address: string;
  port: number;
  /** Public keys, each on one line. */
  keys: readonly string[];
}

const connectionsMax = 20;
const attemptsMax = 6;
const handshakeMsMax = 20_000;
const keepaliveMs = 30_000;

interface Door {
  place: SshPlace;
  keys: AuthorizedKeys;
  server: Server;
  connections: Set<Connection>;
}

/** The SSH of one host's containers. */
export class SshFront {
  readonly #parts: SshFrontParts;
  readonly #doors = new Map<string, Door>();
  #hostKey = '';

  constructor(parts: SshFrontParts) {
    this.#parts = parts;
  }

  /** Reads the host's key, or makes it. Call it once, first. */
  async open(): Promise<void> {
    const { hostKeyFile } = this.#parts;
    const known = await readFile(hostKeyFile, 'utf8').catch(() => null);
    this.#hostKey = known ?? utils.generateKeyPairSync('ed25519').private;
    if (known === null) await writeDurably(hostKeyFile, this.#hostKey);
  }

  /**
   * Makes these the containers that can be reached; who is connected to one that stays, stays.
   * @returns why some can't be reached, by instance
   */
  async apply(places: ReadonlyMap<string, SshPlace>): Promise<Map<string, Error>> {
    const failures = new Map<string, Error>();
    for (const [instanceId, door] of this.#doors) {
      const place = places.get(instanceId);
      if (place?.address === door.place.address && place.port === door.place.port) {
        if (place.keys.join('\n') !== door.place.keys.join('\n')) door.keys = new AuthorizedKeys(place.keys);
        door.place = place;
      } else await this.#shut(instanceId);
    }
    for (const [instanceId, place] of places) {
      if (this.#doors.has(instanceId)) continue;
      await this.#listen(instanceId, place).catch((error: Error) => failures.set(instanceId, error));
    }
    return failures;
  }

  /** Ends every connection, and listens no more. */
  async close(): Promise<void> {
    for (const instanceId of [...this.#doors.keys()]) await this.#shut(instanceId);
  }

  async #listen(instanceId: string, place: SshPlace): Promise<void> {
    const config: ServerConfig = { hostKeys: [this.#hostKey], ident: 'Berth', keepaliveInterval: keepaliveMs };
    const server = new Server(config, (connection) => this.#serve(instanceId, connection));
    const door: Door = { place, keys: new AuthorizedKeys(place.keys), server, connections: new Set() };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place.port, place.address, () => {
        server.removeListener('error', reject);
        server.on('error', (error: Error) => this.#parts.logger.warn({ instanceId, err: error }, 'SSH failed'));
        resolve();
      });
    });
    this.#doors.set(instanceId, door);
  }

  async #shut(instanceId: string): Promise<void> {
    const door = this.#doors.get(instanceId);
    if (!door) return;
    this.#doors.delete(instanceId);
    const closed = new Promise<void>((resolve) => door.server.close(() => resolve()));
    for (const connection of door.connections) connection.end();
    // A client that does not let go is let go of with the process.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
  }

  #serve(instanceId: string, connection: Connection): void {
    const door = this.#doors.get(instanceId);
    if (!door || door.connections.size >= connectionsMax) {
      connection.on('error', () => {});
      connection.end();
      return;
    }
    door.connections.add(connection);
    const patience = setTimeout(() => connection.end(), handshakeMsMax);
    let attempts = 0;
    connection.on('error', (error: Error) => {
      this.#parts.logger.debug({ instanceId, reason: error.message }, 'an SSH connection broke');
    });
    connection.on('close', () => {
      clearTimeout(patience);
      door.connections.delete(connection);
    });
    connection.on('authentication', (context) => {
      if (context.method === 'publickey' && door.keys.admits(context)) return context.accept();
      attempts += context.method === 'none' ? 0 : 1;
      if (attempts >= attemptsMax) connection.end();
      else context.reject(['publickey']);
    });
    connection.on('ready', () => {
      clearTimeout(patience);
      connection.on('session', (accept) => serveSession(accept(), instanceId, this.#parts));
      connection.on('tcpip', (accept, reject, { destPort }) => {
        void this.#forward(instanceId, destPort, accept, reject);
      });
    });
  }

  /** `ssh -L`: to a port of the container, whatever host the client names. */
  async #forward(
    instanceId: string,
    port: number,
    accept: () => NodeJS.ReadWriteStream,
    reject: () => void,
  ): Promise<void> {
    const address = await this.#parts.addressOf(instanceId).catch(() => undefined);
    if (address === undefined) return reject();
    const socket = connect(port, address);
    socket.once('error', () => reject());
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      const channel = accept();
      socket.on('error', () => channel.end());
      channel.on('error', () => socket.destroy());
      channel.pipe(socket).pipe(channel);
    });
  }
}
