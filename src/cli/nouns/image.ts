// `berth image`: the OS images of the catalog; and how Berth's own are built, which is done on this machine.

import type { Image } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { moment } from '../table.ts';
import { listVerb, showVerb } from '../verbs.ts';

/** The `image` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the images of the catalog',
      operation: 'listImages',
      examples: ['image list'],
      columns: [
        { title: 'image', cell: ({ slug }: Image) => slug },
        { title: 'system', cell: ({ name }) => name, rank: 2 },
        { title: 'user', cell: ({ username }) => username, rank: 1 },
      ],
      none: 'The catalog is empty.',
      pages: ({ berth }, limit) => berth.images.list({ limit }),
    }),
    showVerb({
      usage: 'show <IMAGE>',
      description: 'show one image',
      operation: 'getImage',
      examples: ['image show debian-12-x64'],
      find: ({ berth }, text) => berth.images.get(text),
      sheet: (image: Image, look) => [
        ['image', image.slug],
        ['id', image.id],
        ['system', image.name],
        ['user', image.username],
        ['url', image.url],
        ['added', moment(image.createdAt, look)],
      ],
    }),
    {
      usage: 'build <NAME>',
      description: "build an image from Debian's packages, on this machine (needs root)",
      detail: 'NAME is micro, debian-12 or rescue. Asks no server.',
      operation: null,
      examples: ['image build micro --out micro.qcow2'],
      options: [option('--out <FILE>', 'the file to write').makeOptionMandatory()],
      async offline({ end }, [name = ''], { out }: { out: string }) {
        const { build } = await import('../image-build.ts');
        if (!(await build(name, out))) end(1);
        return undefined;
      },
    },
  ],
};
