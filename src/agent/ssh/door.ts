// The SSH of one container: lets in whoever has a key, and bounds what each may take. Nothing that a client does, by the rules
// or against them, reaches further than its own connection.

import { connect, type Socket } from 'node:net';
import type { AuthContext, Connection } from 'ssh2';
import { AuthorizedKeys } from '../../host/ssh/keys.ts';
import { type ListenerLimits, SshListener, type SshPlace } from '../../host/ssh/listener.ts';
import type { ContainerExec } from '../container/exec.ts';
import { serveSession } from './session.ts';

/** What a container's clients may take of the host. */
export interface SshLimits extends ListenerLimits {
  /** Wrong keys on one connection; OpenSSH's own bound. */
  attempts: number;
  /** Sessions and forwarded ports of one connection: a browser behind `ssh -D` takes dozens. */
  channels: number;
}

/** The usual limits. */
export const defaultSshLimits: SshLimits = { connections: 20, attempts: 6, handshakeMs: 20_000, channels: 50 };

/** Where a container's SSH answers, and to whom. */
export interface ContainerPlace extends SshPlace {
  /** Public keys, each on one line. */
  keys: readonly string[];
}

/** What a door is given. */
export interface DoorParts {
  exec: ContainerExec;
  /** The address that a container has in its own network; undefined while it has none. */
  addressOf(instanceId: string): Promise<string | undefined>;
  /** Leads what comes for a place to another port of its address; null leads it nowhere any more. */
  redirect(place: SshPlace, port: number | null): Promise<void>;
  logger: { debug(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** A port of a container is one hop away. */
const dialMs = 10_000;

/** One container's way in. */
export class Door {
  readonly #instanceId: string;
  readonly #parts: DoorParts;
  readonly #limits: SshLimits;
  readonly #listener: SshListener;
  #place: ContainerPlace;
  #keys: AuthorizedKeys;

  constructor(instanceId: string, place: ContainerPlace, hostKey: string, parts: DoorParts, limits: SshLimits) {
    this.#instanceId = instanceId;
    this.#parts = parts;
    this.#limits = limits;
    this.#place = place;
    this.#keys = new AuthorizedKeys(place.keys);
    const { address, port } = place;
    this.#listener = new SshListener(
      { address, port },
      {
        ...{ hostKey, limits, redirect: parts.redirect },
        serve: (connection) => this.#serve(connection),
        failed: (error, what) => {
          const about = { instanceId, reason: error.message };
          if (what === 'connection') parts.logger.debug(about, 'an SSH connection broke');
          else parts.logger.warn(about, 'SSH takes no connection');
        },
      },
    );
  }

  /**
   * Begins to listen.
   * @throws Error when the address can't be had
   */
  listen(): Promise<void> {
    return this.#listener.listen();
  }

  /** Takes over what has changed. @returns false when that needs another door: the address is not this one's */
  changeTo(place: ContainerPlace): boolean {
    if (place.address !== this.#place.address || place.port !== this.#place.port) return false;
    if (place.keys.join('\n') !== this.#place.keys.join('\n')) this.#keys = new AuthorizedKeys(place.keys);
    this.#place = place;
    return true;
  }

  /** Listens no more, and ends every connection. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  #serve(connection: Connection): void {
    let wrong = 0;
    connection.on('authentication', (context: AuthContext) => {
      if (context.method === 'publickey' && this.#keys.admits(context)) return context.accept();
      if (context.method !== 'none') wrong += 1;
      if (wrong < this.#limits.attempts) context.reject(['publickey']);
      else connection.end();
    });
    connection.on('ready', () => this.#open(connection));
  }

  /** Lets a client that has logged in have its channels. */
  #open(connection: Connection): void {
    let channels = 0;
    let isGone = false;
    connection.once('close', () => {
      isGone = true;
    });
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
      // Counted at once: what is being dialled is a connection, too.
      channels += 1;
      void this.#dial(destPort).then((socket) => {
        // Nothing would ever close a channel of a connection that is gone, nor the socket with it.
        if (isGone) return void socket?.destroy();
        if (!socket) {
          channels -= 1;
          return reject();
        }
        const channel = accept();
        channel.on('error', () => {});
        channel.once('close', () => {
          channels -= 1;
          socket.destroy();
        });
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
