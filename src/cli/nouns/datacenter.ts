// `berth datacenter`: where hosts stand.

import type { Datacenter } from '../../../sdk/generated/types.ts';
import type { Noun } from '../command.ts';
import { listVerb, showVerb } from '../verbs.ts';

/** The `datacenter` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the datacenters',
      operation: 'listDatacenters',
      examples: ['datacenter list'],
      columns: [
        { title: 'datacenter', cell: ({ slug }: Datacenter) => slug },
        { title: 'country', cell: ({ country }) => country },
        { title: 'city', cell: ({ city, cityIndex }) => `${city} ${cityIndex}`, rank: 1 },
        { title: 'tier', cell: ({ tier }) => tier, rank: 2 },
        { title: 'certifications', cell: ({ certifications }) => certifications.join(', '), rank: 3 },
      ],
      none: 'There is no datacenter.',
      pages: ({ berth }, limit) => berth.datacenters.list({ limit }),
    }),
    showVerb({
      usage: 'show <DATACENTER>',
      description: 'show one datacenter',
      operation: 'getDatacenter',
      examples: ['datacenter show pl-poz-1'],
      find: ({ berth }, text) => berth.datacenters.get(text),
      sheet: (one: Datacenter) => [
        ['datacenter', one.slug],
        ['id', one.id],
        ['country', one.country],
        ['city', `${one.city} ${one.cityIndex}`],
        ['tier', one.tier],
        ['certifications', one.certifications.join(', ')],
      ],
    }),
  ],
};
