// `berth image`: the OS images of the catalog and your own; and how Berth's own are built, which is done on this machine.

import type { Image } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { accountOf } from '../find.ts';
import { type Cell, moment } from '../table.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const tones = { ready: 'good', checking: 'busy', failed: 'bad' } as const;

/** What runs in a VM made of it; an own image is told of by its name alone. */
const systemOf = ({ account, distribution, name }: Image) => (account === null ? `${distribution} ${name}` : name);

/** An own image may be called by its name alone. */
const ownSlug = (text: string) => (/^(own:|img_)/.test(text) ? text : `own:${text}`);

interface NewOptions {
  sha256: string;
  format?: 'qcow2' | 'raw';
  user?: string;
  account?: string;
}

/** The `image` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the images of the catalog, then your own',
      operation: 'listImages',
      examples: ['image list', 'image list --json'],
      columns: [
        { title: 'image', cell: ({ slug }: Image) => slug },
        { title: 'system', cell: systemOf, rank: 2 },
        { title: 'user', cell: ({ username }) => username, rank: 1 },
        { title: 'state', cell: ({ state }) => ({ text: state, tone: tones[state] }), rank: 3 },
      ],
      none: 'The catalog is empty.',
      pages: ({ berth }, limit) => berth.images.list({ limit }),
    }),
    showVerb({
      usage: 'show <IMAGE>',
      description: 'show one image',
      operation: 'getImage',
      examples: ['image show debian-12-x64', 'image show debian-12-x64 --json'],
      find: ({ berth }, text) => berth.images.get(text),
      sheet: (image: Image, look): [string, Cell][] => [
        ['image', image.slug],
        ['id', image.id],
        ['system', systemOf(image)],
        ['user', image.username],
        ['state', { text: image.state, tone: tones[image.state] }],
        ...(image.reason === null ? [] : [['reason', image.reason] as [string, Cell]]),
        ['url', image.url],
        ['SHA-256', image.sha256],
        ['added', moment(image.createdAt, look)],
      ],
    }),
    actVerb<NewOptions>({
      usage: 'add <NAME> <URL>',
      description: 'register an image of your own',
      detail: 'VMs are made of it as own:NAME. Its URL is looked at first; "berth image show" tells when it is ready.',
      operation: 'createImage',
      examples: [
        'image add shop-1 https://images.example.com/shop-1.qcow2 \\\n    --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        'image add shop-2 https://images.example.com/shop-2.raw --format raw \\\n    --user admin --sha256 $(sha256sum < shop-2.raw | cut -c1-64)',
      ],
      options: [
        option('--sha256 <HEX>', "of the URL's file").makeOptionMandatory(),
        option('--format <FORMAT>', 'found out unless given').choices(['qcow2', 'raw']),
        option('--user <NAME>', 'whom its system lets in by SSH key; root unless given'),
        option('--account <ACCOUNT>', 'whose, where you see several'),
      ],
      async act(desk, [name = '', url = ''], { sha256, format, user, account }) {
        const { id } = await accountOf(desk, account);
        const value = await desk.berth.images.create({ name, url, sha256, format, username: user, account: id });
        return { value, done: `Image ${value.slug} is registered, and being looked at.` };
      },
    }),
    actVerb({
      usage: 'rename <IMAGE> <NAME>',
      description: 'give an image of your own another name',
      operation: 'updateImage',
      examples: ['image rename own:shop-1 shop-2', 'image rename shop-1 shop-2'],
      async act({ berth }, [image = '', name = '']) {
        const value = await berth.images.update(ownSlug(image), { name });
        return { value, done: `It is ${value.slug} now.` };
      },
    }),
    deleteVerb({
      usage: 'delete <IMAGE>',
      description: 'forget an image of your own; what was made of it keeps it',
      operation: 'deleteImage',
      examples: ['image delete own:shop-1', 'image delete own:shop-1 --yes'],
      find: ({ berth }, text) => berth.images.get(ownSlug(text)),
      question: ({ slug }) => `Forget ${slug}? No VM can be made of it any more.`,
      end: ({ berth }, { id }) => berth.images.delete(id),
      done: ({ slug }) => `${slug} is forgotten.`,
    }),
    {
      usage: 'build <NAME>',
      description: "build an image from Debian's packages, on this machine (needs root)",
      detail: 'NAME is micro, debian-12 or rescue. Asks no server.',
      operation: null,
      examples: ['image build micro --out micro.qcow2', 'image build debian-12 --out /srv/images/debian-12.qcow2'],
      options: [option('--out <FILE>', 'the file to write').makeOptionMandatory()],
      async offline({ end }, [name = ''], { out }: { out: string }) {
        const { build } = await import('../image-build.ts');
        if (!(await build(name, out))) end(1);
        return undefined;
      },
    },
  ],
};
