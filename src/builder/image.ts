// Builds OS images for VMs out of Debian's packages. This file is the frame around each recipe: checks, progress, a
// scratch directory that always goes away, and an output file that appears only when it is whole. What goes into an image
// is in micro.ts, debian.ts and rescue.ts.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ImageBuildError } from './command.ts';
import { debian } from './debian.ts';
import type { RawDisk } from './disk.ts';
import { convertToQcow2 } from './disk.ts';
import { micro } from './micro.ts';
import type { Recipe } from './recipe.ts';
import { rescue } from './rescue.ts';

export { ImageBuildError } from './command.ts';

/** The images that can be built here. */
export const buildableImages = ['micro', 'debian-12', 'rescue'] as const;
export type BuildableImage = (typeof buildableImages)[number];

/** The file name of a built image. */
export function builtImageName(image: BuildableImage): string {
  return `${image}.${recipes[image].isVolume ? 'iso' : 'qcow2'}`;
}

/** The step that now begins, and how many of all the steps are behind it. The last report has `done` equal to `total`. */
export interface BuildStep {
  step: string;
  done: number;
  total: number;
}

/** The finished image: its path, its length, and the SHA-256 of its content in hexadecimal. */
export interface BuiltImage {
  file: string;
  bytes: number;
  sha256: string;
}

/** The Debian packages that a machine needs for building, beyond those that every Debian has. */
export const systemPackages: readonly string[] = [
  'debian-archive-keyring',
  'dosfstools',
  'e2fsprogs',
  'mmdebstrap',
  'mtools',
  'qemu-utils',
  'syslinux',
  'syslinux-common',
  'xorriso',
];

const recipes: Record<BuildableImage, Recipe> = { micro, 'debian-12': debian, rescue };
const closingSteps = ['Compressing the image', 'Computing its checksum'] as const;

/**
 * Builds an image: as a compressed qcow2, or as an ISO image where it is one that runs from a CD.
 *
 * `outFile` appears only at the end, whole; `scratchDir` gets a directory of its own for the time of the build and needs
 * some 100 MB for micro and 2 GB for debian-12. Needs root, as the files in an image belong to several users.
 *
 * @throws {ImageBuildError} when anything fails or `signal` stops the build; nothing is left behind then.
 */
export async function buildImage(
  name: BuildableImage,
  outFile: string,
  options: { scratchDir: string; onStep?: (step: BuildStep) => void; signal?: AbortSignal },
): Promise<BuiltImage> {
  const { onStep, signal } = options;
  const recipe = recipes[name];
  if (process.arch !== 'x64')
    throw new ImageBuildError(`Images are built on x86-64 machines only; this one is ${process.arch}.`);
  if (process.getuid?.() !== 0)
    throw new ImageBuildError('Building an image needs root; start it as root or with sudo.');

  const steps = [...recipe.steps, ...closingSteps];
  const report = (step: string): void => onStep?.({ step, done: steps.indexOf(step), total: steps.length });

  const file = resolve(outFile);
  await mkdir(options.scratchDir, { recursive: true });
  const scratchDir = await mkdtemp(join(resolve(options.scratchDir), 'image-build-'));
  // Two builds of one image at once do not write into each other's file.
  const partFile = join(dirname(file), `.${basename(file)}.${basename(scratchDir)}.part`);
  try {
    await mkdir(dirname(file), { recursive: true });
    const disk: RawDisk = { file: join(scratchDir, 'disk.raw'), scratchDir, signal };
    await recipe.make({ disk, step: report });
    report(closingSteps[0]);
    if (recipe.isVolume) await copyFile(disk.file, partFile);
    else await convertToQcow2(disk, partFile);
    report(closingSteps[1]);
    const hash = createHash('sha256');
    await pipeline(createReadStream(partFile), hash, signal ? { signal } : {});
    const { size } = await stat(partFile);
    await rename(partFile, file);
    onStep?.({ step: 'Done', done: steps.length, total: steps.length });
    return { file, bytes: size, sha256: hash.digest('hex') };
  } catch (error) {
    if (error instanceof ImageBuildError) {
      throw new ImageBuildError(`Building ${name} failed: ${error.message}`, { cause: error });
    }
    if (signal?.aborted)
      throw new ImageBuildError(`Building ${name} failed: the image build was stopped.`, { cause: error });
    throw new ImageBuildError(`Building ${name} failed: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(partFile, { force: true });
    await rm(scratchDir, { recursive: true, force: true });
  }
}
