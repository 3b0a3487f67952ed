// The agent's image store: from a URL to a checked, read-only base on this host that a VM's overlay can stand on. It ties
// the parts together - download, unpack, inspect, cache - and sees to it that one URL is fetched once however many ask.

import { lookup as dnsLookup } from 'node:dns';
import { BerthError } from '../../model/errors.ts';
import { checkImageUrl, checkPublicUrl, type ImagePromise, imageEnding, isoEnding } from '../../model/image.ts';
import { Turns } from '../../model/turns.ts';
import type { Clock } from '../../model/world.ts';
import { DriverFailure } from '../driver.ts';
import { AddressGuard, type Lookup } from './address-guard.ts';
import { ImageCache, type ImageLogger } from './cache.ts';
import { download } from './download.ts';
import { diskFullFailure, imageFailure, isDiskFull, shownUrl } from './failure.ts';
import { checkDiskFormat, checkWrapping, detectContent } from './format.ts';
import type { Network } from './http-get.ts';
import { type IndexEntry, urlKey } from './index-file.ts';
import { install } from './install.ts';
import { defaultImageLimits, type ImageLimits } from './limits.ts';
import { PartFile, type Validators } from './part-file.ts';
import { SharedJob, type Tell } from './shared-job.ts';
import type { Unprivileged } from './tool.ts';

/** A base that an overlay may stand on. It is read-only, for ever the same, and named after its content. */
export interface CachedImage {
  path: string;
  format: 'qcow2' | 'raw';
  virtualSizeBytes: number;
  sha256: string;
}

export interface ImageStoreOptions {
  directory: string;
  /** HOST:PORT (name or IP) that may be a private address: the operator's mirrors, Berth's own server. */
  allowHosts: readonly string[];
  limits: Partial<ImageLimits>;
  clock: Clock;
  logger: ImageLogger;
  /** Paths of the bases that some VM's overlay stands on; asked before anything is evicted. */
  inUse: () => Promise<ReadonlySet<string>>;
  /** `dns.lookup`, unless a test answers by itself. */
  lookup?: Lookup;
  /** Whom qemu-img and xz run as, where the agent is root. */
  unprivileged?: Unprivileged;
  /** PEM certificates to trust beside the usual ones. */
  certificateAuthorities?: string;
}

/** What all steps for one URL need. */
interface Errand {
  url: URL;
  key: string;
  ending: ImagePromise;
  /** What the file has to hash to. */
  fileSha256: string | undefined;
  emit: Tell;
  signal: AbortSignal;
}

/** Failures of the way to a server rather than of what it serves. */
const networkFailures: ReadonlySet<string> = new Set([
  'image.unavailable',
  'image.unreachable',
  'image.timeout',
  'image.deadline',
  'image.truncated',
]);

/** Failures that bytes of an earlier run may be to blame for. */
const contentFailures: ReadonlySet<string> = new Set(['image.corrupt', 'image.checksum']);

const gib = 1024 ** 3;

export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #limits: ImageLimits;
  readonly #network: Network;
  readonly #cache: ImageCache;
  readonly #downloads: Turns;
  readonly #jobs = new Map<string, SharedJob<IndexEntry>>();

  /** @throws Error when an entry of `allowHosts` is not HOST:PORT */
  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#limits = { ...defaultImageLimits, ...options.limits };
    this.#network = {
      guard: new AddressGuard(options.allowHosts, options.lookup ?? dnsLookup),
      certificateAuthorities: options.certificateAuthorities,
    };
    const { directory, clock, logger, inUse } = options;
    this.#cache = new ImageCache({ directory, limits: this.#limits, clock, logger, inUse });
    this.#downloads = new Turns(this.#limits.downloadsMax);
  }

  /** Makes the directories and removes what an earlier run left half done. Call it once, before anything else. */
  open(): Promise<void> {
    return this.#cache.open();
  }

  /** Removes what nothing uses, as far as the limits ask for it. */
  async evict(): Promise<void> {
    await this.#cache.evict();
  }

  /**
   * Sees to it that the image of a URL is here. Callers for one URL share the work; one that gives up leaves the others
   * alone. The base is safe from eviction for `limits.holdMs`; by then `inUse` has to name it.
   * @param want with a `sha256`, the file that is fetched has to hash to it, in the form in which its server has it
   * @throws DriverFailure; the signal's reason
   */
  async ensure(
    urlText: string,
    want: { diskBytes: number; sha256?: string },
    progress: Tell,
    signal: AbortSignal,
  ): Promise<CachedImage> {
    const { url, ending } = readUrl(urlText);
    const { key, entry } = await this.#fetch({ url, ending, fileSha256: want.sha256 }, progress, signal);
    if (entry.virtualSizeBytes > want.diskBytes) {
      const needed = Math.ceil(entry.virtualSizeBytes / gib);
      const text = `The image at ${shownUrl(url)} needs ${needed} GiB, the VM's disk has ${Math.floor(want.diskBytes / gib)} GiB; ask for more storage.`;
      throw imageFailure('image.size', text);
    }
    await this.#cache.touch(key, entry);
    progress({ kind: 'image.ready', message: `The image at ${shownUrl(url)} is ready.` });
    const { format, virtualSizeBytes, sha256 } = entry;
    return { path: this.#cache.basePath(entry), format, virtualSizeBytes, sha256 };
  }

  /**
   * Sees to it that the ISO image of a URL is here, whatever the URL ends in. It is shared, held and limited as images are.
   * @returns its path
   * @throws DriverFailure; the signal's reason
   */
  async ensureIso(urlText: string, progress: Tell, signal: AbortSignal): Promise<string> {
    const url = checked(() => checkPublicUrl(urlText, "The CD's URL"));
    const { key, entry } = await this.#fetch({ url, ending: isoEnding, fileSha256: undefined }, progress, signal);
    await this.#cache.touch(key, entry);
    return this.#cache.basePath(entry);
  }

  async #fetch(
    wanted: Pick<Errand, 'url' | 'ending' | 'fileSha256'>,
    progress: Tell,
    signal: AbortSignal,
  ): Promise<{ key: string; entry: IndexEntry }> {
    signal.throwIfAborted();
    const { url, ending, fileSha256 } = wanted;
    const key = urlKey(url, ending === isoEnding ? 'iso' : 'disk', fileSha256);
    return { key, entry: await this.#share({ ...wanted, key }, progress, signal) };
  }

  /** Joins the work that is going on for a key, or begins it. */
  async #share(errand: Omit<Errand, 'emit' | 'signal'>, progress: Tell, signal: AbortSignal): Promise<IndexEntry> {
    for (;;) {
      const job = this.#jobs.get(errand.key) ?? this.#begin(errand);
      if (!job.abandoned) return job.join(progress, signal);
      // It is being stopped and still has its files open; two must not write to them.
      await job.settled();
      signal.throwIfAborted();
    }
  }

  #begin(errand: Omit<Errand, 'emit' | 'signal'>): SharedJob<IndexEntry> {
    const job = new SharedJob<IndexEntry>(async (emit, signal) => {
      try {
        // Not before the job is in the map, or a failure at once would leave it there.
        await Promise.resolve();
        return await this.#resolve({ ...errand, emit, signal });
      } finally {
        this.#jobs.delete(errand.key);
      }
    }, this.#options.clock);
    this.#jobs.set(errand.key, job);
    return job;
  }

  /** The cached copy while it is fresh; else whatever the server says, or the cached copy when it says nothing. */
  async #resolve(errand: Errand): Promise<IndexEntry> {
    const fresh = await this.#cache.find(errand.key);
    const now = this.#options.clock.now().getTime();
    // What has to hash to something can't have changed since it did.
    const isFixed = errand.fileSha256 !== undefined;
    if (fresh && (isFixed || now - fresh.checkedAt < this.#limits.freshMs)) return fresh;
    return this.#downloads.run(async () => {
      // Looked for again, since the wait for a turn may have been longer than a hold.
      const cached = await this.#cache.find(errand.key);
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(this.#deadlineFailure(errand)), this.#limits.deadlineMs);
      const signal = AbortSignal.any([errand.signal, deadline.signal]);
      try {
        return await this.#cache.withPart(errand.key, () => this.#obtain({ ...errand, signal }, cached));
      } catch (error) {
        if (isDiskFull(error)) throw diskFullFailure();
        if (!(error instanceof DriverFailure) || !networkFailures.has(error.code)) throw error;
        const known = cached && (await this.#cache.confirm(errand.key));
        if (!known) throw error;
        const fields = { image: shownUrl(errand.url), code: error.code };
        this.#options.logger.warn(fields, 'an image server can not be asked; the cached copy is used');
        return known;
      } finally {
        clearTimeout(timer);
      }
    }, errand.signal);
  }

  #deadlineFailure(errand: Errand): DriverFailure {
    const minutes = Math.round(this.#limits.deadlineMs / 60_000);
    const text = `The image at ${shownUrl(errand.url)} took longer than ${minutes} minutes to get, the most that is allowed.`;
    return imageFailure('image.deadline', text);
  }

  /** Fetches, and tries a second time where that can help: after making room, or without bytes of an earlier run. */
  async #obtain(errand: Errand, known: IndexEntry | null): Promise<IndexEntry> {
    let cached = known;
    let roomMade = false;
    let fromScratch = false;
    for (;;) {
      const part = await this.#openPart(errand.key);
      let resumed = part.bytes > 0;
      try {
        const result = await this.#download(errand, part, cached);
        if (result.kind === 'unchanged') {
          const entry = await this.#cache.confirm(errand.key);
          if (entry) return entry;
          cached = null;
          continue;
        }
        resumed = result.resumed;
        return await this.#install(errand, part, result.validators);
      } catch (caught) {
        // Whoever is stopped while waiting says only "aborted"; the signal knows why.
        const error: unknown = errand.signal.aborted ? errand.signal.reason : caught;
        const diskFull = isDiskFull(error);
        if (diskFull || (error instanceof DriverFailure && error.permanent)) await part.remove();
        if (diskFull && !roomMade) {
          roomMade = true;
          if ((await this.#cache.evict(Number.POSITIVE_INFINITY)) > 0) continue;
        }
        if (diskFull) throw diskFullFailure();
        if (error instanceof DriverFailure && contentFailures.has(error.code) && resumed && !fromScratch) {
          fromScratch = true;
          continue;
        }
        throw error;
      } finally {
        await part.close();
      }
    }
  }

  #openPart(key: string): Promise<PartFile> {
    return PartFile.open({
      directory: this.#cache.partDirectory,
      key,
      syncEveryBytes: this.#limits.syncEveryBytes,
      checkSpace: () => this.#cache.checkSpace(),
    });
  }

  #install(errand: Errand, part: PartFile, validators: Validators): Promise<IndexEntry> {
    return install({
      ...errand,
      part,
      validators,
      cache: this.#cache,
      limits: this.#limits,
      unprivileged: this.#options.unprivileged,
    });
  }

  #download(errand: Errand, part: PartFile, cached: IndexEntry | null) {
    const where = `The image at ${shownUrl(errand.url)}`;
    return download({
      url: errand.url,
      part,
      known: cached,
      network: this.#network,
      limits: this.#limits,
      clock: this.#options.clock,
      checkHead: (head) => {
        const content = detectContent(head);
        if (!checkWrapping(content, errand.ending, where)) checkDiskFormat(content, errand.ending, where);
      },
      makeRoom: (bytes) => this.#cache.makeRoom(bytes),
      emit: errand.emit,
      signal: errand.signal,
    });
  }
}

/** @throws DriverFailure `image.url` */
function readUrl(text: string): { url: URL; ending: ImagePromise } {
  const url = checked(() => checkImageUrl(text, 'The image URL'));
  const ending = imageEnding(url);
  if (ending) return { url, ending };
  throw imageFailure('image.url', 'The image URL has no known ending.');
}

function checked(check: () => URL): URL {
  try {
    return check();
  } catch (error) {
    if (error instanceof BerthError) throw imageFailure('image.url', error.message);
    throw error;
  }
}
