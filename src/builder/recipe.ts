// What image.ts asks of each image's recipe, and what it gives to it.

import type { RawDisk } from './disk.ts';

/** Work for a recipe: the disk image to fill, and where to say which of its steps begins. */
export interface RecipeContext {
  disk: RawDisk;
  step: (name: string) => void;
}

/** How one image is made: the names of its steps in their order, and the making. */
export interface Recipe {
  steps: readonly string[];
  make: (context: RecipeContext) => Promise<void>;
  /** The file that it makes is a CD's volume, and stays as it is; others become compressed qcow2 images. */
  isVolume?: boolean;
}
