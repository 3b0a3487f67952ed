// Keeps this server's view of the market up to the moment. Nothing is taken on its word: it says where to try, and the
// database takes the place or refuses. It may be lost at any time and is read anew.

import { setImmediate } from 'node:timers/promises';
import type { Datacenter } from '../model/datacenter.ts';
import { Market } from '../placement/market.ts';
import type { Database } from '../store/database.ts';
import {
  type HostPage,
  isBefore,
  listConfigurations,
  listDatacenters,
  listMarketHosts,
  type MarketCursor,
  type MarketRow,
  readMarketChanges,
  readMarketCursor,
} from '../store/market.ts';

/** Hosts read at once when everything is read, so that other requests get their turn in between. */
const pageMax = 500;

/** The market, as of now whenever it is asked for. */
export class MarketView {
  readonly #database: Database;
  #market = new Market();
  #datacenters: ReadonlyMap<string, Datacenter> = new Map();
  #cursor: MarketCursor | null = null;
  #reading: Promise<void> | null = null;
  #next: Promise<void> | null = null;

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

  #read(): Promise<void> {
    this.#next = null;
    this.#reading = this.#readChanges().finally(() => {
      this.#reading = null;
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
