// The SSH of one container: listens, lets in whoever has a key, and bounds what each may take. Nothing that a client does, by
// the rules or against them, reaches further than its own connection.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type ClientInfo, type Connection } from 'ssh2';
import type { ContainerExec } from '../container/exec.ts';
import { AuthorizedKeys } from './keys.ts';
import { serveSession } from './session.ts';

/** What a container's clients may take of the host. */
export interface SshLimits {
  /** Connections, from the moment that they are taken. */
  connections: number;
  /** Wrong keys on one connection; OpenSSH's own bound. */
  attempts: number;
  /** From the connection until the login. */
  handshakeMs: number;
  /** Sessions and forwarded ports of one connection: a browser behind `ssh -D` takes dozens. */
  channels: number;
}

/** The usual limits. */
export const defaultSshLimits: SshLimits = { connections: 20, attempts: 6, handshakeMs: 20_000, channels: 50 };

/** Where a container's SSH answers, and to whom. */
export interface SshPlace {
  address: string;
  port: number;
  /** Public keys, each on one line. */
  keys: readonly string[];
}

/** What a door is given. */
export interface DoorParts {
  exec: ContainerExec;
  /** The address that a container has in its own network; undefined while it has none. */
  addressOf(instanceId: string): Promise<string | undefined>;
  /** Leads what comes for a place to another port of its address; null leads it nowhere any more. */
  redirect(place: { address: string; port: number }, port: number | null): Promise<void>;
  logger: { debug(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** A client that answers nothing for three of these is gone. */
const keepaliveMs = 30_000;
/** A port of a container is one hop away. */
const dialMs = 10_000;
/** How long a client that is told to go may take to hear it. */
const partingMs = 1_000;

/** One container's way in. */
export class Door {
  readonly #instanceId: string;
  readonly #parts: DoorParts;
  readonly #limits: SshLimits;
  readonly #ssh: ssh2.Server;
  readonly #listener: Server;
  /** Every connection, by its other end. */
  readonly #sockets = new Map<string, { socket: Socket; patience: NodeJS.Timeout }>();
  readonly #connections = new Set<Connection>();
  #place: SshPlace;
  #isRedirected = false;
  #keys: AuthorizedKeys;

  constructor(instanceId: string, place: SshPlace, hostKey: string, parts: DoorParts, limits: SshLimits) {
    this.#instanceId = instanceId;
    this.#parts = parts;
    this.#limits = limits;
    this.#place = place;
    this.#keys = new AuthorizedKeys(place.keys);
    const config = { hostKeys: [hostKey], ident: 'Berth', keepaliveInterval: keepaliveMs };
    this.#ssh = new ssh2.Server(config, (connection, client) => this.#serve(connection, client));
    // Not ssh2's own listener, which tells of a client only once that has said something.
    this.#listener = createServer((socket) => this.#take(socket));
  }

  /**
   * Begins to listen: on the port itself, or on another that it is led to where a program of the host has it on every address.
   * @throws Error when the address can't be had
   */
  async listen(): Promise<void> {
    const { address, port } = this.#place;
    try {
      await this.#listenAt(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await this.#listenAt(0);
      this.#isRedirected = true;
      await this.#parts.redirect({ address, port }, (this.#listener.address() as AddressInfo).port);
    }
    this.#listener.on('error', (error) => {
      this.#parts.logger.warn({ instanceId: this.#instanceId, err: error }, 'SSH takes no connection');
    });
  }

  async #listenAt(port: number): Promise<void> {
    this.#listener.listen(port, this.#place.address);
    await once(this.#listener, 'listening');
  }

  /** Takes over what has changed. @returns false when that needs another door: the address is not this one's */
  changeTo(place: SshPlace): boolean {
    if (place.address !== this.#place.address || place.port !== this.#place.port) return false;
    if (place.keys.join('\n') !== this.#place.keys.join('\n')) this.#keys = new AuthorizedKeys(place.keys);
    this.#place = place;
    return true;
  }

  /** Listens no more, and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const connection of this.#connections) connection.end();
    const rude = setTimeout(() => {
      for (const { socket } of this.#sockets.values()) socket.destroy();
    }, partingMs);
    await closed;
    clearTimeout(rude);
    const { address, port } = this.#place;
    if (this.#isRedirected) await this.#parts.redirect({ address, port }, null);
  }

  #take(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || this.#sockets.size >= this.#limits.connections) {
      socket.destroy();
      return;
    }
    const name = `${remoteAddress} ${remotePort}`;
    const patience = setTimeout(() => socket.destroy(), this.#limits.handshakeMs);
    this.#sockets.set(name, { socket, patience });
    socket.once('close', () => {
      clearTimeout(patience);
      this.#sockets.delete(name);
    });
    socket.setNoDelay(true);
    this.#ssh.injectSocket(socket);
  }

  #serve(connection: Connection, { ip, port }: ClientInfo): void {
    this.#connections.add(connection);
    connection.on('close', () => void this.#connections.delete(connection));
    connection.on('error', (error: Error) => {
      const about = { instanceId: this.#instanceId, reason: error.message };
      this.#parts.logger.debug(about, 'an SSH connection broke');
    });
    let wrong = 0;
    connection.on('authentication', (context: AuthContext) => {
      if (context.method === 'publickey' && this.#keys.admits(context)) return context.accept();
      if (context.method !== 'none') wrong += 1;
      if (wrong < this.#limits.attempts) context.reject(['publickey']);
      else connection.end();
    });
    connection.on('ready', () => {
      clearTimeout(this.#sockets.get(`${ip} ${port}`)?.patience);
      this.#open(connection);
    });
  }

  /** Lets a client that has logged in have its channels. */
  #open(connection: Connection): void {
    let channels = 0;
    const hasRoom = () => channels < this.#limits.channels;
    const count = (channel: { once(event: 'close', listener: () => void): unknown }) => {
      channels += 1;
      channel.once('close', () => {
        channels -= 1;
      });
    };
    connection.on('session', (accept, reject) => {
      if (!hasRoom()) return reject();
      const session = accept();
      count(session);
      serveSession(session, this.#instanceId, this.#parts);
    });
    connection.on('tcpip', (accept, reject, { destPort }) => {
      if (!hasRoom()) return reject();
      void this.#dial(destPort).then((socket) => {
        if (!socket) return reject();
        const channel = accept();
        count(channel);
        channel.on('error', () => {});
        channel.once('close', () => socket.destroy());
        socket.once('close', () => channel.end());
        channel.pipe(socket).pipe(channel);
      });
    });
  }

  /** A connection to a port of the container, for `ssh -L`, whatever host the client names; null when there is none. */
  async #dial(port: number): Promise<Socket | null> {
    const address = await this.#parts.addressOf(this.#instanceId).catch(() => undefined);
    // Clients may ask for any number of 32 bits.
    if (address === undefined || port < 1 || port > 65_535) return null;
    const socket = connect(port, address);
    return new Promise((resolve) => {
      socket.setTimeout(dialMs, () => socket.destroy());
      // Also says so when nobody waits for it any more.
      socket.on('error', () => resolve(null));
      socket.once('close', () => resolve(null));
      socket.once('connect', () => {
        socket.setTimeout(0);
        resolve(socket);
      });
    });
  }
}
