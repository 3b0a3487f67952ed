// What is meant by the short names of images and sizes: `debian-12` is `debian-12-x64`, and `cpu-2-ram-4gb` the one size that begins so.

import type { Berth } from '../../sdk/berth.ts';
import { NotThereError, UsageError } from './exit.ts';

/**
 * The slug of an image of the catalog; a URL and an id are left as they are.
 * @throws NotThereError that lists what there is
 */
export async function imageOf(berth: Berth, text: string): Promise<string> {
  if (text.includes('://') || /^img_[0-9a-f]+$/.test(text)) return text;
  const slugs = (await berth.images.list({ limit: 200 }).all()).map(({ slug }) => slug);
  // What the distribution makes itself goes before what is built out of its packages.
  const found = [text, `${text}-x64`, ...slugs.filter((slug) => slug.startsWith(`${text}-`))];
  const slug = found.find((one) => slugs.includes(one));
  if (slug !== undefined) return slug;
  throw new NotThereError(`There is no image "${text}"; there is: ${slugs.join(', ') || 'none'}.`);
}

/**
 * The slug of a size that is sold.
 * @throws NotThereError, or UsageError where several begin so; both list what there is
 */
export async function sizeOf(berth: Berth, text: string): Promise<string> {
  const slugs = (await berth.configurations.list({ limit: 200 }).all()).map(({ slug }) => slug);
  if (slugs.includes(text)) return text;
  const [first, ...others] = slugs.filter((slug) => slug.startsWith(`${text}-`));
  if (first === undefined) {
    throw new NotThereError(`There is no size "${text}"; there is: ${slugs.join(', ') || 'none'}.`);
  }
  if (others.length === 0) return first;
  throw new UsageError(`Several sizes begin with "${text}": ${[first, ...others].join(', ')}.`);
}
