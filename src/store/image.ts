// The catalog of OS images.

import type { Database, Tx } from './database.ts';

/** One image of the catalog; `builtAs` names one that Berth builds and serves itself, otherwise `downloadUrl` is public. */
export interface CatalogImage {
  id: string;
  slug: string;
  name: string;
  distribution: string;
  downloadUrl: string | null;
  builtAs: string | null;
  username: string;
  createdAt: Date;
  updatedAt: Date;
}

/** The whole catalog, in its order. */
export async function listImages(database: Database): Promise<CatalogImage[]> {
  const rows = await database.selectFrom('image').selectAll().orderBy('distribution').orderBy('slug').execute();
  return rows.map((row) => ({
    id: row.id,
    slug: row.slug,
    name: row.name,
    distribution: row.distribution,
    downloadUrl: row.download_url,
    builtAs: row.built_as,
    username: row.username,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
}

/** Makes sure of an image, found again by its slug; `createdAt` of an existing one stays, `updatedAt` moves only on a change. */
export async function ensureImage(tx: Tx, image: CatalogImage): Promise<void> {
  const { id, slug, createdAt, ...rest } = image;
  const columns = {
    name: rest.name,
    distribution: rest.distribution,
    download_url: rest.downloadUrl,
    built_as: rest.builtAs,
    username: rest.username,
    updated_at: rest.updatedAt,
  };
  await tx
    .insertInto('image')
    .values({ id, slug, ...columns, created_at: createdAt })
    .onConflict((conflict) =>
      conflict
        .column('slug')
        .doUpdateSet(columns)
        .where(({ eb, ref, and, not }) =>
          not(
            and([
              eb('image.name', '=', ref('excluded.name')),
              eb('image.distribution', '=', ref('excluded.distribution')),
              eb('image.username', '=', ref('excluded.username')),
              eb('image.download_url', 'is not distinct from', ref('excluded.download_url')),
              eb('image.built_as', 'is not distinct from', ref('excluded.built_as')),
            ]),
          ),
        ),
    )
    .execute();
}
