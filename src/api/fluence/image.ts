// Fluence's catalog of OS images.

import { listCatalog } from '../../app/image.ts';
import type { Api } from '../types.ts';
import { DefaultImageSchema } from './schema.ts';

/** Adds the route. */
export function imageRoutes({ app, context, principalOf, errors }: Api): void {
  app.get(
    '/vms/v3/default_images',
    {
      schema: {
        operationId: 'listDefaultImages',
        summary: 'List the OS images of the catalog',
        response: { 200: { type: 'array', items: DefaultImageSchema }, ...errors(403) },
      },
    },
    async (request) => {
      principalOf(request);
      return (await listCatalog(context)).map(({ createdAt, updatedAt, ...image }) => ({
        ...image,
        createdAt: createdAt.toISOString(),
        updatedAt: updatedAt.toISOString(),
      }));
    },
  );
}
