// OS images, which instances can be made of by their slugs: the catalog's, and the accounts' own beside it.

import Type, { type Static } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { findImageOf, type ImageRow, listImages } from '../../app/image.ts';
import { deleteImage, reachImage, registerImage, renameImage } from '../../app/own-image.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { imageFormats, ownImageNameLengthMax, ownImageStates } from '../../model/own-image.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf, accountRef } from './account.ts';
import { Id, parseId, readId, sampleOwnImage, toId, toIdOrNull } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime } from './shape.ts';

const sampleSha256 = '5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f';

const ImageSchema = Shape(
  'Image',
  {
    id: Id('image'),
    account: Nullable(Id('account', 'Whose own it is; null for one of the catalog')),
    slug: Text('debian-13-x64', 'Names it when an instance is made; that of an own one is `own:` and its name'),
    name: Text('13 x64'),
    distribution: Text('Debian'),
    url: Text('https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2'),
    username: Text('debian', 'Whom its own system lets in by SSH key'),
    sha256: Nullable(Text(sampleSha256, 'What its file has to hash to; null where anything will do')),
    format: Nullable(OneOf(imageFormats, 'What it is when it is unpacked; null where that is not known')),
    state: OneOf(
      ownImageStates,
      'Whether its URL leads to an image; that all of it hashes to `sha256` is seen by each host',
    ),
    reason: Nullable(
      Text("The image can't be fetched: its server answers 404.", 'Why it failed, or is looked at again'),
    ),
    createdAt: Time(),
    updatedAt: Time(),
  },
  'An OS image of the catalog, or of an account’s own',
);

const toImage = ({ accountId, createdAt, updatedAt, ...row }: ImageRow): Static<typeof ImageSchema> => ({
  id: toId('image', row.id),
  account: toIdOrNull('account', accountId),
  slug: row.slug,
  name: row.name,
  distribution: row.distribution,
  url: row.url,
  username: row.username,
  sha256: row.sha256,
  format: row.format,
  state: row.state,
  reason: row.reason,
  createdAt: toTime(createdAt),
  updatedAt: toTime(updatedAt),
});

/** The form in which images' ids are kept where they are listed. */
const listedId = (ref: string) => parseId('image', ref)?.replaceAll('-', '');

async function imageOf(context: Context, caller: Caller, ref: string) {
  const found = await listImages(context, caller, { only: listedId(ref) ?? ref, limit: 2, after: null });
  const [image, other] = found;
  if (image && !other) return toImage(image);
  const message = image
    ? `Several accounts that you see have an image ${shown(ref)}; name it by its id.`
    : `There is no image ${shown(ref)}.`;
  throw new BerthError('not_found', message, ref);
}

/**
 * The slug of the image that a request names by that or by its id, or the text itself where it is no id of one.
 * @param accountId whose own images it may be one of
 */
export async function imageSlug(context: Context, accountId: string, text: string): Promise<string> {
  const id = listedId(text);
  return (id === undefined ? undefined : await findImageOf(context, accountId, id))?.slug ?? text;
}

const Name = Text('shop-2026.11', 'Letters, digits, and . _ - between them; its own in its account', {
  minLength: 1,
  maxLength: ownImageNameLengthMax,
});
const word = (example: string, description: string) => Text(example, description, { minLength: 1, maxLength: 100 });

/** Adds the routes. */
export function imageRoutes(api: Api): void {
  const path = '/images/{image}';
  const currentImage = ({ context, caller, params }: { context: Context; caller: Caller; params: { image: string } }) =>
    imageOf(context, caller, params.image);

  read(
    api,
    {
      id: 'listImages',
      tag: 'images',
      summary: 'OS images: the catalog, then the own ones of the accounts that you see as a whole, by their slugs',
      path: '/images',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef('Only the own ones of this account')),
        state: Type.Optional({ ...OneOf(ownImageStates), examples: ['ready'] }),
      },
      result: PageOf('ImagePage', ImageSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const isKey = ([own = '']: readonly string[]) => ['true', 'false'].includes(own);
      const { limit, after } = readWindow(query, 3, isKey);
      const [own, slug = '', id = ''] = after ?? [];
      const rows = await listImages(context, caller, {
        account: query.account === undefined ? undefined : accountRef(query.account),
        ...{ state: query.state, limit: limit + 1, after: after && { own: own === 'true', slug, id } },
      });
      return toPage(rows, limit, (row) => [String(row.accountId !== null), row.slug, row.id], toImage);
    },
  );

  read(
    api,
    { id: 'getImage', tag: 'images', summary: 'An OS image, by its id or slug', path, result: ImageSchema },
    currentImage,
  );

  change(
    api,
    {
      id: 'createImage',
      tag: 'images',
      summary: 'Register an OS image of your own by its URL and checksum',
      description: [
        'VMs are made of it as of those of the catalog, as `own:` and its name, once its URL was looked at and its state is `ready`.',
        'Each host fetches it once, holds the whole file against `sha256`, and fails the VM where it differs.',
      ].join(' '),
      method: 'POST',
      path: '/images',
      body: Shape('NewImage', {
        account: Type.Optional(AccountRef()),
        name: Name,
        url: Text('https://images.example.com/shop.qcow2', 'On a public server; ends as the images of Fluence do', {
          maxLength: 2_048,
        }),
        sha256: Text(sampleSha256, "Of the URL's file, compressed or not", { maxLength: 64 }),
        format: Type.Optional(OneOf(imageFormats, 'Found out unless given')),
        distribution: Type.Optional(word('Debian', '`Own` unless given')),
        username: Type.Optional(word('debian', 'Whom its own system lets in by SSH key; `root` unless given')),
      }),
      status: 201,
      result: ImageSchema,
      location: ({ id }) => `/images/${id}`,
      refusals: ['not_found', 'name_taken'],
    },
    async ({ context, caller, body }) => {
      const { principal } = await accountOf(context, caller, body, 'account_admin');
      const { name, url, sha256, format = null, distribution = 'Own', username = 'root' } = body;
      const given = { name, url, sha256, format, distribution, username };
      const id = await registerImage(context, principal, given, { name: 'name', url: 'url', sha256: 'sha256' });
      return imageOf(context, caller, toId('image', id));
    },
  );

  change(
    api,
    {
      id: 'updateImage',
      tag: 'images',
      summary: 'Rename an OS image of your own',
      description: 'A file that changes is another image: register that, and delete this one.',
      method: 'PATCH',
      path,
      body: Shape('ImageChange', { name: Type.Optional(Name) }),
      result: ImageSchema,
      refusals: ['name_taken'],
      example: { params: { image: sampleOwnImage }, body: { name: 'shop-2026.12' } },
      current: currentImage,
    },
    async ({ context, caller, params, body }) => {
      const at = await reachImage(context, caller, readId('image', params.image), 'account_admin');
      if (body.name !== undefined) await renameImage(context, at, body.name, 'name');
      return imageOf(context, caller, params.image);
    },
  );

  change(
    api,
    {
      id: 'deleteImage',
      tag: 'images',
      summary: 'Forget an OS image of your own; what was made of it keeps it',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      example: { params: { image: sampleOwnImage } },
      current: currentImage,
    },
    async ({ context, caller, params }) => {
      await deleteImage(context, await reachImage(context, caller, readId('image', params.image), 'account_admin'));
      return null;
    },
  );
}
