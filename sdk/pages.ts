// A list that comes in pages: gone through to its end, or read a page at a time.

/** One page as the server sends it. */
export interface Page<Item> {
  items: Item[];
  /** Where to go on; null on the last page. */
  nextCursor: string | null;
}

/** A list. `for await (const one of list)` goes through all of it, and asks for a page when it is needed. */
export class Pages<Item> implements AsyncIterable<Item> {
  readonly #read: (cursor: string | undefined) => Promise<Page<Item>>;

  /** @param read asks for the page behind a cursor; the first where there is none */
  constructor(read: (cursor: string | undefined) => Promise<Page<Item>>) {
    this.#read = read;
  }

  /** One page: the first, or the one behind a cursor. */
  page(cursor?: string): Promise<Page<Item>> {
    return this.#read(cursor);
  }

  /** All of it. */
  async all(): Promise<Item[]> {
    return Array.fromAsync(this);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    let cursor: string | undefined;
    do {
      const { items, nextCursor } = await this.#read(cursor);
      yield* items;
      // A feed has a cursor also where nothing is behind it yet.
      cursor = items.length > 0 ? (nextCursor ?? undefined) : undefined;
    } while (cursor !== undefined);
  }
}
