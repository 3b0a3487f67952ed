// The catalog of OS images, which instances can be made of by their slugs.

import type { Static } from 'typebox';
import { type ListedImage, listCatalog } from '../../app/image.ts';
import { BerthError, shown } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { Id, toId } from './id.ts';
import { read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Shape, Text, Time, toTime } from './shape.ts';

const ImageSchema = Shape(
  'Image',
  {
    id: Id('image'),
    slug: Text('debian-13-x64', 'Names it when an instance is made'),
    name: Text('13 x64'),
    distribution: Text('Debian'),
    url: Text('https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2'),
    username: Text('debian', 'Whom its own system lets in by SSH key'),
    createdAt: Time(),
    updatedAt: Time(),
  },
  'An OS image of the catalog',
);

const toImage = ({ id, downloadUrl, createdAt, updatedAt, ...image }: ListedImage): Static<typeof ImageSchema> => ({
  id: toId('image', id),
  slug: image.slug,
  name: image.name,
  distribution: image.distribution,
  url: downloadUrl,
  username: image.username,
  createdAt: toTime(createdAt),
  updatedAt: toTime(updatedAt),
});

/** Adds the routes. */
export function imageRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listImages',
      tag: 'images',
      summary: 'The OS images of the catalog, by distribution',
      path: '/images',
      query: pageQuery,
      result: PageOf('ImagePage', ImageSchema),
      refusals: [422],
    },
    async ({ context, query }) => pageOfAll(await listCatalog(context), query, ({ slug }) => slug, toImage),
  );
  read(
    api,
    {
      id: 'getImage',
      tag: 'images',
      summary: 'An OS image of the catalog, by its id or slug',
      path: '/images/{image}',
      result: ImageSchema,
    },
    async ({ context, params: { image: ref } }) => {
      const found = (await listCatalog(context)).find(({ id, slug }) => toId('image', id) === ref || slug === ref);
      if (found) return toImage(found);
      throw new BerthError('not_found', `There is no image ${shown(ref)}.`, ref);
    },
  );
}
