// One piece of work that many wait for: everyone hears how it goes, anyone may leave, and when the last one has left it
// is stopped. What the work is, and where it is kept while it runs, is the caller's.

import type { Clock } from '../../model/world.ts';
import type { Progress } from '../driver.ts';

/** Hears how a piece of work goes. */
export type Tell = (step: Progress) => void;

/** Four times a second is as often as a person can read, and events are stored. */
const betweenDownloadStepsMs = 250;

/** Thins out download steps for one listener: the first, the last, and no more than a few each second between. */
class Listener {
  readonly #tell: Tell;
  readonly #clock: Clock;
  #toldAt: number | null = null;
  #pending: Progress | null = null;

  constructor(tell: Tell, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  hear(step: Progress): void {
    if (step.kind !== 'image.download') {
      this.flush();
      this.#tell(step);
      return;
    }
    const now = this.#clock.now().getTime();
    if (this.#toldAt === null || now - this.#toldAt >= betweenDownloadStepsMs) {
      this.#toldAt = now;
      this.#pending = null;
      this.#tell(step);
    } else {
      this.#pending = step;
    }
  }

  /** Tells what has been held back, so that the last step is never lost. */
  flush(): void {
    const step = this.#pending;
    this.#pending = null;
    if (step) this.#tell(step);
  }
}

export class SharedJob<T> {
  readonly #listeners = new Set<Listener>();
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  readonly #result: Promise<T>;
  #lastStep: Progress | null = null;

  /**
   * Starts the work at once.
   * @param clock what download steps are spaced by
   */
  constructor(work: (emit: Tell, signal: AbortSignal) => Promise<T>, clock: Clock) {
    this.#clock = clock;
    const emit = (step: Progress) => {
      this.#lastStep = step;
      for (const listener of this.#listeners) listener.hear(step);
    };
    this.#result = work(emit, this.#stop.signal);
    // Whoever waits hears of a failure; when all have left nobody has to.
    this.#result.catch(() => {});
  }

  /** Whether everyone has left, so that nobody should join any more. */
  get abandoned(): boolean {
    return this.#stop.signal.aborted;
  }

  /** When the work has come to its end, whichever. */
  async settled(): Promise<void> {
    await this.#result.catch(() => {});
  }

  /**
   * Waits for the result with everyone else.
   * @throws what the work throws, or the signal's reason when this caller leaves
   */
  async join(progress: Tell, signal: AbortSignal): Promise<T> {
    const listener = new Listener(progress, this.#clock);
    this.#listeners.add(listener);
    if (this.#lastStep) listener.hear(this.#lastStep);
    let leave = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
    });
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await Promise.race([this.#result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      if (!signal.aborted) listener.flush();
      this.#listeners.delete(listener);
      // After the end this changes nothing: the work has let go of the signal.
      if (this.#listeners.size === 0) this.#stop.abort(new Error('nobody waits for this image any more'));
    }
  }
}
