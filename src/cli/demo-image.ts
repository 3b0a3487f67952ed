// Which image the demo deploys. A short name such as `debian-12` means the distribution's own image where it can be
// fetched, and the one that Berth builds itself where it can't; every other name is one of the catalog's.

import type { Image } from '../../sdk/generated/types.ts';

/** The image that boots in the fewest seconds. */
export const quickestImage = 'micro';
/** Long enough for a slow line, short enough not to be waited for where there is none. */
const reachTimeoutMs = 5_000;

/**
 * Finds an image.
 * @param isReachable tells whether a URL can be fetched from here
 * @returns the image, and why it is that one where there was a choice
 * @throws Error that lists what there is
 */
export async function chooseImage(
  images: readonly Image[],
  name: string,
  isReachable: (url: string) => Promise<boolean>,
): Promise<{ image: Image; reason: string | null }> {
  const bySlug = (slug: string) => images.find((image) => image.slug === slug);
  const exact = bySlug(name);
  if (exact) return { image: exact, reason: null };
  const distributed = bySlug(`${name}-x64`);
  const local = bySlug(`${name}-local`);
  if (distributed && (!local || (await isReachable(distributed.url)))) {
    return { image: distributed, reason: "the distribution's own image" };
  }
  if (local && distributed) {
    const { host } = new URL(distributed.url);
    return { image: local, reason: `${host} is out of reach, so it is built here from packages` };
  }
  const names = images.map(({ slug }) => slug);
  const short = names.flatMap((slug) => (slug.endsWith('-local') ? slug.replace(/-local$/, '') : []));
  throw new Error(`There is no image "${name}"; there are ${[...names, ...short].sort().join(', ')}.`);
}

/** Whether a server answers for a URL, through its redirects, within five seconds. */
export async function isReachable(url: string, signal: AbortSignal): Promise<boolean> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(reachTimeoutMs)]);
  return fetch(url, { method: 'HEAD', signal: bounded }).then(
    ({ ok }) => ok,
    () => false,
  );
}
