// The OS images that every installation offers: the distributions' own cloud images, and two that Berth builds from
// Debian's packages where there is no internet, or no patience.

import { createHash } from 'node:crypto';
import type { CatalogImage } from '../store/image.ts';

type Entry = Omit<CatalogImage, 'createdAt' | 'updatedAt'>;

/** An image's id follows from its slug, so that every replica writes the same. */
const idOf = (slug: string) => createHash('sha256').update(slug).digest('hex').slice(0, 32);

function fromTheDistribution(slug: string, distribution: string, name: string, downloadUrl: string): Entry {
  return { id: idOf(slug), slug, distribution, name, downloadUrl, builtAs: null, username: distribution.toLowerCase() };
}

function builtHere(slug: string, distribution: string, name: string, builtAs: string, username: string): Entry {
  return { id: idOf(slug), slug, distribution, name, downloadUrl: null, builtAs, username };
}

const ubuntu = (version: string) =>
  `https://cloud-images.ubuntu.com/releases/${version}/release/ubuntu-${version}-server-cloudimg-amd64.img`;
const debian = (codename: string, version: number) =>
  `https://cloud.debian.org/images/cloud/${codename}/latest/debian-${version}-genericcloud-amd64.qcow2`;

/** The catalog. */
export const catalog: readonly Entry[] = [
  fromTheDistribution('debian-13-x64', 'Debian', '13 x64', debian('trixie', 13)),
  fromTheDistribution('debian-12-x64', 'Debian', '12 x64', debian('bookworm', 12)),
  fromTheDistribution('ubuntu-24-04-x64', 'Ubuntu', '24.04 (LTS) x64', ubuntu('24.04')),
  fromTheDistribution('ubuntu-22-04-x64', 'Ubuntu', '22.04 (LTS) x64', ubuntu('22.04')),
  builtHere('debian-12-local', 'Debian', '12 x64, built on this installation', 'debian-12', 'debian'),
  builtHere('micro', 'Berth', 'Micro x64, built on this installation', 'micro', 'berth'),
];
