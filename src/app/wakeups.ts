// Wakes those who wait for news about a host, or about a stream: at once in this process, and through PostgreSQL's NOTIFY in
// every other replica. A wake-up that is lost does no harm, because everyone who waits also looks for himself now and then.

import { EventEmitter } from 'node:events';

/** Several changes within this time travel as one notification: a NOTIFY costs the database a flush of its log. */
const gatherMs = 20;

/** Wake-ups by the id of a host or stream. */
export class Wakeups {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #send: (hostIds: string[]) => Promise<void>;
  #gathered = new Set<string>();

  /** @param send tells the other replicas; its failure is not an error */
  constructor(send: (hostIds: string[]) => Promise<void>) {
    this.#send = send;
  }

  /** Something about these hosts has changed and is committed. */
  changed(hostIds: Iterable<string>): void {
    const first = this.#gathered.size === 0;
    for (const id of hostIds) {
      this.#emitter.emit(id);
      this.#gathered.add(id);
    }
    if (first && this.#gathered.size > 0) setTimeout(() => this.#flush(), gatherMs).unref();
  }

  /** Something has changed that those who wait in other replicas look for often enough themselves. */
  changedHere(id: string): void {
    this.#emitter.emit(id);
  }

  /** Another replica says that something about this host has changed. */
  heard(hostId: string): void {
    this.#emitter.emit(hostId);
  }

  /** Resolves at the next wake-up for this host, after `timeoutMs`, or when `signal` aborts. */
  async next(hostId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#emitter.off(hostId, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#emitter.once(hostId, done);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }

  #flush(): void {
    const hostIds = [...this.#gathered];
    this.#gathered = new Set();
    this.#send(hostIds).catch(() => {});
  }
}
