// Keeps this server's view of the market up to the moment. Nothing is taken on its word: it says where to try, and the
// database takes the place or refuses. It may be lost at any time and is read anew.

import { setImmediate } from 'node:timers/promises';
import type { Size } from '../model/configuration.ts';
import type { Datacenter } from '../model/datacenter.ts';
import { Market, type MarketHost } from '../placement/market.ts';
import type { Placed } from '../placement/place.ts';
import { listConfigurations } from '../store/configuration.ts';
import type { Database } from '../store/database.ts';
import { listDatacenters } from '../store/datacenter.ts';
import {
  type HostPage,
  isBefore,
  listMarketHosts,
  type MarketCursor,
  type MarketRow,
  readMarketChanges,
  readMarketCursor,
} from '../store/market.ts';

/** Hosts read at once when everything is read, so that other requests get their turn in between. */
const pageMax = 500;

/** Places that a deployment under way is about to take. */
export interface Hold {
  readonly shares: readonly { hostId: string; count: number }[];
  readonly size: Size;
}

const without = (free: Size, size: Size, count: number): Size => ({
  vcpus: free.vcpus - size.vcpus * count,
  memoryMib: free.memoryMib - size.memoryMib * count,
  diskGib: free.diskGib - size.diskGib * count,
});

/** The market, as of now whenever it is asked for. */
export class MarketView {
  readonly #database: Database;
  #market = new Market();
  #datacenters: ReadonlyMap<string, Datacenter> = new Map();
  #cursor: MarketCursor | null = null;
  #reading: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** What deployments under way are about to take, by host. */
  readonly #holds = new Set<Hold>();
  readonly #ended = new Set<Hold>();
  readonly #waiting = new Set<() => void>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The market with everything in it that was committed before this call. */
  async now(): Promise<Market> {
    // A reading under way may have begun too early for this caller; the next one serves all who wait for it.
    if (!this.#reading) await this.#read();
    else {
      this.#next ??= this.#reading.then(
        () => this.#read(),
        () => this.#read(),
      );
      await this.#next;
    }
    return this.#market;
  }

  /**
   * Looks for a place beside those that other deployments of this server are about to take. Where each takes the best fit,
   * all would meet at the same host otherwise, and all but one in vain.
   */
  besideHolds<Result>(market: Market, look: () => Result): Result {
    const before = new Map<string, MarketHost>();
    for (const { shares, size } of this.#holds) {
      for (const { hostId, count } of shares) {
        const host = market.get(hostId);
        if (!host) continue;
        if (!before.has(hostId)) before.set(hostId, host);
        market.set({ ...host, free: without(host.free, size, count) });
      }
    }
    try {
      return look();
    } finally {
      for (const host of before.values()) market.set(host);
    }
  }

  /** Holds places until {@link endHold}. They are only kept from the deployments of this server, and from nobody else. */
  hold({ placements, size }: Placed): Hold {
    const shares = size ? placements.map(({ host, count }) => ({ hostId: host.id, count })) : [];
    const hold = { shares, size: size ?? { vcpus: 0, memoryMib: 0, diskGib: 0 } };
    this.#holds.add(hold);
    return hold;
  }

  /** @param isTaken whether the places have been taken: then they are held until the view has read so */
  endHold(hold: Hold, isTaken: boolean): void {
    if (isTaken) this.#ended.add(hold);
    else this.#holds.delete(hold);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Waits until a deployment under way has ended, one way or the other. */
  async holdEnded(): Promise<void> {
    if (this.#holds.size === this.#ended.size) return;
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #read(): Promise<void> {
    this.#next = null;
    const ended = [...this.#ended];
    this.#reading = this.#readChanges().finally(() => {
      this.#reading = null;
      for (const hold of ended) {
        this.#holds.delete(hold);
        this.#ended.delete(hold);
      }
    });
    return this.#reading;
  }

  async #readChanges(): Promise<void> {
    const since = this.#cursor;
    if (!since) return this.#readAll();
    const { cursor, hosts } = await readMarketChanges(this.#database, since, pageMax);
    // Transactions only ever count up; where they don't, the database is another one than before.
    if (isBefore(cursor, since) || cursor.catalogChanged !== since.catalogChanged) return this.#readAll();
    for (const row of hosts) this.#set(this.#market, this.#datacenters, row);
    const last = hosts.at(-1);
    if (last && hosts.length === pageMax)
      await this.#readHosts(this.#market, this.#datacenters, { since, after: last.id });
    this.#cursor = cursor;
  }

  async #readAll(): Promise<void> {
    const cursor = await readMarketCursor(this.#database);
    const datacenters = new Map((await listDatacenters(this.#database)).map((row) => [row.id, row]));
    const market = new Market();
    market.setConfigurations(await listConfigurations(this.#database));
    await this.#readHosts(market, datacenters, { after: null });
    this.#market = market;
    this.#datacenters = datacenters;
    this.#cursor = cursor;
  }

  async #readHosts(
    market: Market,
    datacenters: ReadonlyMap<string, Datacenter>,
    { since, after: begin }: Omit<HostPage, 'limit'>,
  ): Promise<void> {
    for (let after = begin; ; ) {
      const page = { ...(since ? { since } : {}), after, limit: pageMax };
      const rows: MarketRow[] = await listMarketHosts(this.#database, page);
      for (const row of rows) this.#set(market, datacenters, row);
      if (rows.length < pageMax) return;
      after = rows.at(-1)?.id ?? null;
      await setImmediate();
    }
  }

  #set(market: Market, datacenters: ReadonlyMap<string, Datacenter>, { datacenterId, ...row }: MarketRow): void {
    if (row.state === 'retired') market.delete(row.id);
    else market.set({ ...row, datacenter: (datacenterId && datacenters.get(datacenterId)) || null });
  }
}
