// `berth datacenter`: where hosts stand.

import type { Datacenter } from '../../../sdk/generated/types.ts';
import { type Noun, option, several } from '../command.ts';
import { UsageError } from '../exit.ts';
import { wholeNumber } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface Options {
  country?: string;
  city?: string;
  index?: number;
  tier?: number;
  certification?: string[];
}

const options = () => [
  option('--country <CODE>', 'ISO 3166-1 alpha-2, such as PL'),
  option('--city <CODE>', "the city's part of its UN/LOCODE, such as POZ"),
  option('--index <N>', 'tells datacenters of one city apart; 1 unless given', wholeNumber),
  option('--tier <N>', "Uptime Institute's tier, 1 to 4", wholeNumber),
  option('--certification <NAMES>', 'such as "ISO 27001"', several),
];

/** The `datacenter` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the datacenters',
      operation: 'listDatacenters',
      examples: ['datacenter list', 'datacenter list --json'],
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
      examples: ['datacenter show pl-poz-1', 'datacenter show pl-poz-1 --json'],
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
    actVerb<Options>({
      usage: 'create <SLUG>',
      description: 'add a datacenter (for operators)',
      operation: 'createDatacenter',
      examples: [
        'datacenter create pl-poz-1 --country PL --city POZ --tier 4',
        'datacenter create de-fra-2 --country DE --city FRA --index 2 --tier 3 \\\n    --certification "ISO 27001"',
      ],
      options: options(),
      async act({ berth }, [slug = ''], { country, city, index: cityIndex, tier, certification: certifications }) {
        if (!country || !city || !tier) throw new UsageError('--country, --city and --tier are needed.');
        const value = await berth.datacenters.create({ slug, country, city, cityIndex, tier, certifications });
        return {
          value,
          done: `Datacenter ${slug} is there; "berth host set HOST --datacenter ${slug}" puts hosts into it.`,
        };
      },
    }),
    actVerb<Options>({
      usage: 'set <DATACENTER>',
      description: 'change what is said of a datacenter (for operators)',
      operation: 'updateDatacenter',
      examples: ['datacenter set pl-poz-1 --tier 3', 'datacenter set pl-poz-1 --certification "ISO 27001,SOC 2"'],
      options: options(),
      async act({ berth }, [slug = ''], { country, city, index: cityIndex, tier, certification: certifications }) {
        const change = { country, city, cityIndex, tier, certifications };
        if (Object.values(change).every((value) => value === undefined))
          throw new UsageError('Nothing is to be changed.');
        return { value: await berth.datacenters.update(slug, change), done: `Datacenter ${slug} is changed.` };
      },
    }),
    deleteVerb({
      usage: 'delete <DATACENTER>',
      description: 'remove a datacenter in which no host stands (for operators)',
      operation: 'deleteDatacenter',
      examples: ['datacenter delete pl-poz-1', 'datacenter delete pl-poz-1 --yes'],
      find: ({ berth }, text) => berth.datacenters.get(text),
      question: ({ slug }) => `Remove datacenter ${slug}?`,
      end: ({ berth }, { id }) => berth.datacenters.delete(id),
      done: ({ slug }) => `Datacenter ${slug} is removed.`,
    }),
  ],
};
