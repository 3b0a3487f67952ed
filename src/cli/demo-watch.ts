// Shows a deployment as it happens, from the event feed: lasting lines for what is done, one living line for what goes on.
// It knows when each VM runs and when one has failed; the rest of the demo asks it.

import type { Berth } from '../../sdk/berth.ts';
import type { Event } from '../../sdk/generated/types.ts';
import type { Screen } from './screen.ts';

/** The place before the first event of all. */
const firstCursor = '0-0';
/** Events that are shown again when something went wrong. */
const eventsRemembered = 8;

/** What an event is worth on the screen, beside those that have a way of their own below. */
const signs: Record<string, 'done' | 'note' | 'warning'> = {
  'image.ready': 'done',
  'instance.deleted': 'done',
  'vm.retry': 'warning',
  'container.retry': 'warning',
  'container.died': 'warning',
  'vm.died': 'warning',
};

/** A VM that could not be brought up; the message is the reason that its owner reads. */
export class DeploymentFailed extends Error {}

/** Follows the feed of an account and shows it. */
export class Watch {
  readonly #screen: Screen;
  readonly #what: string;
  readonly #names = new Map<string, string>();
  /** What has happened, as `kind id`. */
  readonly #happened = new Set<string>();
  readonly #failed = new AbortController();
  readonly #closing = new AbortController();
  readonly #last: string[] = [];
  #download: Download | null = null;
  #building = false;
  #wake: (() => void) | null = null;

  /** @param what the instances are */
  constructor(screen: Screen, what: string) {
    this.#screen = screen;
    this.#what = what;
  }

  /** Aborted with a {@link DeploymentFailed} when a VM has failed, or with the error of a feed that broke off. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** The VMs that are followed. */
  get ids(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** The last events, as text. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Shows the events of these VMs, until {@link close}. */
  async follow(berth: Berth, ids: readonly string[]): Promise<void> {
    for (const [index, id] of ids.entries()) this.#names.set(id, ids.length > 1 ? `VM ${index + 1}: ` : '');
    try {
      // Those of the request's own moment are in it, too.
      for await (const event of berth.events.stream({ cursor: firstCursor }, { signal: this.#closing.signal })) {
        this.#take(event);
      }
    } catch (error) {
      this.#failed.abort(error);
    }
  }

  /** Shows no more. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Resolves when this has happened to all of the VMs.
   * @throws the signal's reason
   */
  async until(kind: 'instance.active' | 'instance.deleted', signal: AbortSignal): Promise<void> {
    while ([...this.#names.keys()].some((id) => !this.#happened.has(`${kind} ${id}`))) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #take(event: Event): void {
    const { instance, kind, message } = event;
    const name = instance === null ? undefined : this.#names.get(instance);
    if (instance === null || name === undefined) return;
    if (kind !== 'image.download') this.#remember(`${event.createdAt.slice(11, 19)} ${name}${message}`);
    switch (kind) {
      case 'image.build':
        if (!this.#building) this.#screen.event("Berth builds this image from Debian's packages, at its first use");
        this.#building = true;
        this.#screen.activity(message);
        break;
      case 'image.download':
        this.#showDownload(event);
        break;
      case 'image.verify':
        this.#screen.activity('Checking the image');
        break;
      case 'vm.prepare':
      case 'vm.start':
      case 'container.start':
        this.#screen.activity(null);
        this.#screen.event(name + message);
        break;
      case 'instance.active':
        this.#screen.event(`${name}Its ${this.#what} runs`, 'done');
        break;
      case 'vm.failed':
      case 'container.failed':
      case 'instance.failed':
        break; // the end of the demo, which says so
      default:
        this.#screen.event(name + message, signs[kind] ?? 'note');
    }
    this.#happened.add(`${kind} ${instance}`);
    if (kind === 'instance.failed') this.#failed.abort(new DeploymentFailed(message));
    this.#wake?.();
  }

  /** Several VMs that wait for one download all tell of it; there is one bar. */
  #showDownload({ data, message }: Event): void {
    const [done, total] = [Number(data?.done ?? 0), data?.total === undefined ? null : Number(data.total)];
    if (this.#download === null) {
      this.#download = new Download();
      const what = /^Downloading (\S+):/.exec(message)?.[1];
      this.#screen.event(what === undefined ? 'Downloading the image' : `Downloading ${what}`);
      const download = this.#download;
      this.#screen.activity(() => this.#screen.bar(download.progress()));
    }
    this.#download.note(done, total);
  }

  #remember(line: string): void {
    this.#last.push(line);
    if (this.#last.length > eventsRemembered) this.#last.shift();
  }
}

/** How far a download is, and how fast. */
class Download {
  readonly #startMs = performance.now();
  #first: number | null = null;
  #done = 0;
  #total: number | null = null;

  note(done: number, total: number | null): void {
    this.#first ??= done;
    this.#done = Math.max(this.#done, done);
    this.#total = total;
  }

  progress(): { share: number | null; figures: string } {
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const rate = seconds > 1 ? `  ${megabytes((this.#done - (this.#first ?? 0)) / seconds)} MB/s` : '';
    if (this.#total === null) return { share: null, figures: `Downloading: ${megabytes(this.#done)} MB${rate}` };
    return {
      share: this.#done / this.#total,
      figures: `${megabytes(this.#done)} of ${megabytes(this.#total)} MB${rate}`,
    };
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
