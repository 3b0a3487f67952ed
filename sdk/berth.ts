// Berth's TypeScript client: `new Berth({ url, apiKey })`, and then a property for each noun of its API.

import { Feed } from './feed.ts';
import { Resources } from './generated/resources.ts';
import { Instances } from './instances.ts';
import { Money } from './money.ts';
import { Transport, type TransportOptions } from './transport.ts';

/** A client of one Berth for one caller. Every method throws a `BerthError`, or the reason of an aborted signal. */
export class Berth extends Resources {
  override readonly events: Feed;
  override readonly instances: Instances;
  override readonly money: Money;
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    const transport = new Transport(options);
    super(transport);
    this.#transport = transport;
    this.events = new Feed(transport);
    this.money = new Money(transport);
    this.instances = new Instances(transport, this.events);
  }

  /** Where it is. */
  get url(): string {
    return this.#transport.url;
  }

  /** The ETag that came with something that was read or changed, for `ifMatch`. */
  etagOf(read: object): string | undefined {
    return this.#transport.etagOf(read);
  }
}
