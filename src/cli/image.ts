// `berth image build`: an OS image out of Debian's packages, with a line per step for the person who waits. The building
// itself is in builder/; this file only turns arguments into a call and results into sentences.

import { Argument, Command } from 'commander';
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

/** Builds and tells; sets the process's exit status to 1 when it fails. */
async function build(name: string, outFile: string): Promise<void> {
  const fail = (sentence: string): void => {
    process.stderr.write(`${sentence}\n`);
    process.exitCode = 1;
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
  } catch (error) {
    if (!(error instanceof ImageBuildError)) throw error;
    fail(error.message);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** The `image` command with its subcommand `build`, for the program to mount. */
export function imageCommand(): Command {
  const command = new Command('image').description('OS images for virtual machines');
  command
    .command('build')
    .description("build an OS image from Debian's packages (needs root)")
    .addArgument(new Argument('<name>', `the image: ${buildableImages.join(', ')}`))
    .requiredOption('--out <file>', 'the file to write')
    .action((name: string, options: { out: string }) => build(name, options.out));
  return command;
}
