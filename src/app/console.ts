// Opening consoles: a person's server asks the VM's host, through the database, to connect the console with it, and waits. The
// host may reach another server first, which is told here where to pass it on to.

import type { Duplex } from 'node:stream';
import { type ConsoleChannel, consoleNames, consolesPerVmMax } from '../model/console.ts';
import type { ExecOrder } from '../model/door.ts';
import { BerthError } from '../model/errors.ts';
import { isUuid, newSecret, newUuid } from '../model/id.ts';
import * as store from '../store/console.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import type { Context } from './context.ts';
import type { ManagedVm } from './management-address.ts';

export type { OfferedConsole } from '../store/console.ts';

/** A host that is well answers within a tenth of a second. */
const answerMsMax = 10_000;
/** A console whose server was killed counts as open for as long as this. */
const lifeMs = 60_000;
const renewEveryMs = 20_000;
/** The answer that told a host of a console may have been lost; the host knows which ones it has begun with. */
const offerAgainMs = 2_000;

/** Whose console it is, and where its host is found. */
export type ConsolePlace = Pick<ManagedVm, 'accountId' | 'instanceId' | 'hostId'>;

/** What a console waits for: its host's connection, or why there is none. */
interface Waiting {
  ticket: string;
  connected(connection: Duplex): void;
  refused(reason: string): void;
}

/** The consoles that people open at one server. */
export class ConsoleExchange {
  readonly #context: Context;
  readonly #waiting = new Map<string, Waiting>();
  readonly #open = new Set<Duplex>();

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Opens a console of an instance, for whoever was found to be allowed to.
   * @param actor how he is named in events
   * @param exec what is to be run, where the console is a command's
   * @returns what the console says and takes; to be destroyed when he has gone
   * @throws BerthError `too_many_requests`, `wrong_state` when the host has nothing to connect to, `unavailable`
   */
  async open(
    actor: string,
    place: ConsolePlace,
    channel: ConsoleChannel,
    exec: ExecOrder | null = null,
  ): Promise<Duplex> {
    const { entropy } = this.#context;
    const id = newUuid(entropy);
    const ticket = newSecret('console', entropy);
    let connection: Duplex | undefined;
    try {
      const answer = this.#answer(id, ticket);
      await this.#ask({ id, ticket, channel, exec }, place);
      connection = await answer;
      await this.#note(actor, place, channel);
      this.#keep(id, connection);
      return connection;
    } catch (error) {
      // Neither what is there already nor what comes now is anybody's.
      connection?.destroy();
      this.#waiting.delete(id);
      await this.#forget(id);
      throw error;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /**
   * A host has connected a console.
   * @returns false when nobody waits for it at this server
   */
  connected(id: string, ticket: string, connection: () => Duplex): boolean {
    const waiting = this.#take(id, ticket);
    waiting?.connected(connection());
    return waiting !== undefined;
  }

  /** A host says why it connects none. @returns as {@link connected} */
  refused(id: string, ticket: string, reason: string): boolean {
    const waiting = this.#take(id, ticket);
    waiting?.refused(reason);
    return waiting !== undefined;
  }

  /** The server that waits for a host's connection; undefined where none does, or it is this one. */
  async serverOf(id: string, ticket: string): Promise<string | undefined> {
    const { database, clock, publicUrl } = this.#context;
    if (!isUuid(id)) return undefined;
    const url = await store.findConsoleServer(database, id, ticket, clock.now());
    return url === publicUrl ? undefined : url;
  }

  /** Ends all of them. */
  close(): void {
    for (const { refused } of this.#waiting.values()) refused('The server is being stopped.');
    for (const connection of this.#open) connection.destroy();
  }

  /** Waits for the host, from before it is asked. */
  #answer(id: string, ticket: string): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const silent = new BerthError('unavailable', 'The host of this server does not answer; try again in a moment.');
    const patience = setTimeout(() => reject(silent), answerMsMax).unref();
    // Nobody may be waiting yet, or any more.
    promise.catch(() => {}).finally(() => clearTimeout(patience));
    this.#waiting.set(id, {
      ticket,
      connected: resolve,
      refused: (reason) => reject(new BerthError('wrong_state', reason)),
    });
    return promise;
  }

  async #ask(
    asked: Pick<store.NewConsole, 'id' | 'ticket' | 'channel' | 'exec'>,
    { instanceId, hostId }: ConsolePlace,
  ): Promise<void> {
    const { database, wakeups, publicUrl } = this.#context;
    const { now, expiresAt } = this.#life();
    await inTransaction(database, async (tx) => {
      const open = await store.countConsoles(tx, instanceId, now);
      if (open >= consolesPerVmMax) {
        throw new BerthError('too_many_requests', `${open} consoles of this server are open; close one of them first.`);
      }
      await store.insertConsole(tx, { ...asked, hostId, instanceId, serverUrl: publicUrl, expiresAt });
    });
    wakeups.changed([hostId]);
  }

  async #note(actor: string, { accountId, instanceId, hostId }: ConsolePlace, channel: ConsoleChannel): Promise<void> {
    const event = {
      ...{ accountId, instanceId, hostId, actor, kind: 'console.opened' },
      ...{ message: `The ${consoleNames[channel]} was opened.`, data: { channel } },
      createdAt: this.#context.clock.now(),
    };
    await inTransaction(this.#context.database, (tx) => insertEvents(tx, [event]));
  }

  /** Counts a console as open until it is closed. */
  #keep(id: string, connection: Duplex): void {
    const { database, logger } = this.#context;
    const renew = () =>
      store.renewConsole(database, id, this.#life().expiresAt).catch((error: unknown) => {
        logger.debug({ err: error, console: id }, 'a console was not renewed; it is tried again');
      });
    void renew();
    const renewing = setInterval(renew, renewEveryMs).unref();
    this.#open.add(connection);
    const closed = () => {
      clearInterval(renewing);
      this.#open.delete(connection);
      void this.#forget(id);
    };
    if (connection.closed) closed();
    else connection.once('close', closed);
  }

  #take(id: string, ticket: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting?.ticket !== ticket) return undefined;
    this.#waiting.delete(id);
    return waiting;
  }

  async #forget(id: string): Promise<void> {
    const { database, logger } = this.#context;
    // One that can't be forgotten expires.
    await store.deleteConsole(database, id).catch((error: unknown) => {
      logger.debug({ err: error, console: id }, 'a console was not forgotten; it expires');
    });
  }

  #life(): { now: Date; expiresAt: Date } {
    const now = this.#context.clock.now();
    return { now, expiresAt: new Date(now.getTime() + lifeMs) };
  }
}

/** The consoles that a host has to be told of, once, and again where it does not begin. */
export function offerConsoles(context: Context, hostId: string): Promise<store.OfferedConsole[]> {
  const now = context.clock.now();
  return store.offerConsoles(context.database, hostId, now, new Date(now.getTime() - offerAgainMs));
}
