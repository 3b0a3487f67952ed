// Builds the catalog's own images at first use, each once however many ask, and remembers a failure only for a while.

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImageState, BuiltImages } from '../api/built-image.ts';
import type { Logger } from '../app/context.ts';
import { type BuildableImage, buildableImages, buildImage, builtImageName } from '../builder/image.ts';

/** A build that failed is tried again by whoever asks after this time. */
const failureKeptMs = 60_000;

interface Build {
  step: string;
  /** Resolves when it is over, however it ended. */
  over: Promise<void>;
  failure: { reason: string; atMs: number } | null;
}

/** The images in one folder. */
export class BuiltImageFolder implements BuiltImages {
  readonly directory: string;
  readonly #logger: Logger;
  readonly #builds = new Map<BuildableImage, Build>();
  readonly #stop = new AbortController();

  constructor(directory: string, logger: Logger) {
    this.directory = directory;
    this.#logger = logger;
  }

  /** Makes the folder. */
  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
  }

  async request(file: string): Promise<BuiltImageState> {
    const name = buildableImages.find((image) => builtImageName(image) === file);
    if (!name) return { state: 'unknown' };
    const build = this.#builds.get(name);
    if (build && !build.failure) return { state: 'building', step: build.step };
    if (await stat(join(this.directory, file)).catch(() => null)) return { state: 'ready', file };
    if (build?.failure && performance.now() - build.failure.atMs < failureKeptMs) {
      return { state: 'failed', reason: build.failure.reason };
    }
    return { state: 'building', step: this.#begin(name).step };
  }

  /** Stops what is being built, and waits until it has taken its scratch files away. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#builds.values()].map(({ over }) => over));
  }

  #begin(name: BuildableImage): Build {
    const build: Build = { step: 'begins', over: Promise.resolve(), failure: null };
    this.#builds.set(name, build);
    this.#logger.info({ image: name }, 'building image');
    build.over = buildImage(name, join(this.directory, builtImageName(name)), {
      scratchDir: this.directory,
      signal: this.#stop.signal,
      onStep: ({ step, done, total }) => {
        build.step = `${step} (${Math.min(done + 1, total)} of ${total})`;
      },
    })
      .then(({ bytes }) => {
        this.#logger.info({ image: name, bytes }, 'image is built');
        this.#builds.delete(name);
      })
      .catch((error: Error) => {
        // Whoever stops Berth knows why it came to nothing; the next start begins it again.
        if (this.#stop.signal.aborted) this.#logger.info({ image: name }, 'image is not built: Berth stops');
        else this.#logger.error({ image: name, err: error }, 'image could not be built');
        build.failure = { reason: error.message, atMs: performance.now() };
      });
    return build;
  }
}
