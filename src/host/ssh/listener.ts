// A place where SSH is spoken: takes connections on a port of an address and bounds how many there are and how long they take
// to log in. Who may log in, and what he may do then, is up to whoever listens.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type Connection } from 'ssh2';

/** What clients may take of a place before they have logged in. */
export interface ListenerLimits {
  /** Connections, from the moment that they are taken. */
  connections: number;
  /** From the connection until the login. */
  handshakeMs: number;
}

/** Where it is spoken, and by whom. */
export interface SshPlace {
  address: string;
  port: number;
}

/** What a place is given. */
export interface ListenerParts {
  /** The private key by which clients know the place again. */
  hostKey: string;
  limits: ListenerLimits;
  /** Leads what comes for a place to another port of its address; null leads it nowhere any more. */
  redirect(place: SshPlace, port: number | null): Promise<void>;
  /** Serves a connection, from before its login. */
  serve(connection: Connection, from: string): void;
  /** A connection broke, or the listener can't take one. */
  failed(error: Error, what: 'connection' | 'listener'): void;
}

/** A client that answers nothing for three of these is gone. */
const keepaliveMs = 30_000;
/** How long a client that is told to go may take to hear it. */
const partingMs = 1_000;

/**
 * Nothing is compressed: ssh2 would take it from who has not logged in yet, a thousand bytes for each that he sends, and throws
 * where something is said to a client that has just gone.
 */
const algorithms: ssh2.Algorithms = { compress: ['none'] };

/** One place where SSH is spoken. */
export class SshListener {
  readonly place: SshPlace;
  readonly #parts: ListenerParts;
  readonly #listener: Server;
  /** Every connection, by its other end. */
  readonly #sockets = new Map<string, { socket: Socket; patience: NodeJS.Timeout }>();
  readonly #connections = new Set<Connection>();
  /** Made when the first client comes: most places never see one. */
  #ssh: ssh2.Server | undefined;
  #isRedirected = false;

  constructor(place: SshPlace, parts: ListenerParts) {
    this.place = place;
    this.#parts = parts;
    // Not ssh2's own listener, which tells of a client only once that has said something.
    this.#listener = createServer((socket) => this.#take(socket));
  }

  /**
   * Begins to listen: on the port itself, or on another that it is led to where a program of the host has it on every address.
   * @throws Error when the address can't be had
   */
  async listen(): Promise<void> {
    const { place } = this;
    try {
      await this.#listenAt(place.port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await this.#listenAt(0);
      this.#isRedirected = true;
      try {
        await this.#parts.redirect(place, (this.#listener.address() as AddressInfo).port);
      } catch (reason) {
        this.#isRedirected = false;
        await this.close();
        throw reason;
      }
    }
    this.#listener.on('error', (error) => this.#parts.failed(error, 'listener'));
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
    if (this.#isRedirected) await this.#parts.redirect(this.place, null);
  }

  async #listenAt(port: number): Promise<void> {
    this.#listener.listen(port, this.place.address);
    await once(this.#listener, 'listening');
  }

  #take(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const { limits } = this.#parts;
    if (remoteAddress === undefined || this.#sockets.size >= limits.connections) {
      socket.destroy();
      return;
    }
    const name = `${remoteAddress} ${remotePort}`;
    const patience = setTimeout(() => socket.destroy(), limits.handshakeMs);
    this.#sockets.set(name, { socket, patience });
    socket.once('close', () => {
      clearTimeout(patience);
      this.#sockets.delete(name);
    });
    socket.setNoDelay(true);
    this.#ssh ??= this.#makeServer();
    this.#ssh.injectSocket(socket);
  }

  #makeServer(): ssh2.Server {
    const { hostKey, serve, failed } = this.#parts;
    const config = { hostKeys: [hostKey], ident: 'Berth', keepaliveInterval: keepaliveMs, algorithms };
    return new ssh2.Server(config, (connection, { ip, port }) => {
      this.#connections.add(connection);
      connection.on('close', () => void this.#connections.delete(connection));
      connection.on('error', (error: Error) => failed(error, 'connection'));
      connection.on('ready', () => clearTimeout(this.#sockets.get(`${ip} ${port}`)?.patience));
      serve(connection, ip);
    });
  }
}
