// `berth image build`: an OS image out of Debian's packages, with a line per step for the person who waits. The building
// itself is in builder/; this file only turns arguments into a call and results into sentences.

import type { BuildableImage, BuildStep } from '../builder/image.ts';
import { buildableImages, buildImage, ImageBuildError } from '../builder/image.ts';

/** Not /tmp, which is in memory on some machines: the larger image needs 2 GB while it is made. */
const scratchDirectory = process.env.TMPDIR ?? '/var/tmp';

const imageNames = new Intl.ListFormat('en').format(buildableImages);

function isBuildable(name: string): name is BuildableImage {
  return (buildableImages as readonly string[]).includes(name);
}

/** "[3/9] Unpacking the base system", and nothing for the report that all is done. */
function progressLine({ step, done, total }: BuildStep): string {
  return done === total ? '' : `[${done + 1}/${total}] ${step}\n`;
}

/** Builds and tells. @returns whether it worked */
export async function build(name: string, outFile: string): Promise<boolean> {
  const fail = (sentence: string): boolean => {
    process.stderr.write(`${sentence}\n`);
    return false;
  };
  if (!isBuildable(name)) return fail(`There is no image "${name}" to build; there are ${imageNames}.`);

  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const startedMs = Date.now();
  try {
    const image = await buildImage(name, outFile, {
      scratchDir: scratchDirectory,
      onStep: (step) => process.stdout.write(progressLine(step)),
      signal: stop.signal,
    });
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    process.stdout.write(`${image.file}: ${(image.bytes / 1e6).toFixed(1)} MB, made in ${seconds} s\n`);
    process.stdout.write(`sha256 ${image.sha256}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof ImageBuildError)) throw error;
    return fail(error.message);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
