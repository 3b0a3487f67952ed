// `berth local datacenter`: where hosts can stand.

import type { Command } from 'commander';
import { addDatacenter, changeDatacenter, type DatacenterFields, removeDatacenter } from '../app/datacenter.ts';
import { listDatacenters } from '../app/offer.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { collect, parseNumber } from './parse.ts';
import { table } from './print.ts';

const fields: DatacenterFields = {
  slug: 'the name',
  countryCode: '--country',
  cityCode: '--city',
  cityIndex: '--index',
  tier: '--tier',
  certifications: '--certification',
};

interface Options {
  country?: string;
  city?: string;
  index?: string;
  tier?: string;
  certification?: string[];
}

const withParts = (command: Command) =>
  command
    .option('--country <CODE>', 'ISO 3166-1 code, such as PL')
    .option('--city <CODE>', 'the city in UN/LOCODE, such as POZ')
    .option('--index <NUMBER>', 'tells datacenters of one city apart')
    .option('--tier <NUMBER>', 'tier of the Uptime Institute, 1 to 4')
    .option('--certification <NAME>', 'such as "ISO 27001"; may be given more than once', collect);

/** The `datacenter` command. */
export function datacenterCommand(ground: Ground): Command {
  const command = group('datacenter', 'places where hosts stand');
  addCommand(command, ground, 'list', 'show all datacenters', plain, async (context) => {
    const datacenters = await listDatacenters(context);
    const rows = datacenters.map(({ slug, countryCode, cityCode, cityIndex, tier, certifications }) => [
      ...[slug, countryCode, cityCode, String(cityIndex), String(tier), certifications.join(', ')],
    ]);
    return {
      value: { datacenters },
      text: table(['datacenter', 'country', 'city', 'index', 'tier', 'certifications'], rows),
    };
  });
  addCommand<Options>(
    command,
    ground,
    'add <SLUG>',
    'add a datacenter',
    withRequired,
    async (context, [slug = ''], options) => {
      const { country = '', city = '', index = '1', tier = '', certification = [] } = options;
      const given = {
        ...{
          slug,
          countryCode: country,
          cityCode: city,
          cityIndex: parseNumber(index, '--index'),
          tier: parseNumber(tier, '--tier'),
        },
        certifications: certification,
      };
      const datacenter = await addDatacenter(context, given, fields);
      return {
        value: datacenter,
        text: `Datacenter ${slug} is there; "berth local host set NAME --datacenter ${slug}" puts hosts into it.\n`,
      };
    },
  );
  addCommand<Options>(
    command,
    ground,
    'set <SLUG>',
    'change what is said of a datacenter',
    withParts,
    async (context, [slug = ''], options) => {
      const { country, city, index, tier, certification } = options;
      const changes = {
        ...(country === undefined ? {} : { countryCode: country }),
        ...(city === undefined ? {} : { cityCode: city }),
        ...(index === undefined ? {} : { cityIndex: parseNumber(index, '--index') }),
        ...(tier === undefined ? {} : { tier: parseNumber(tier, '--tier') }),
        ...(certification === undefined ? {} : { certifications: certification.filter((name) => name !== 'none') }),
      };
      const datacenter = await changeDatacenter(context, slug, changes, fields);
      return { value: datacenter, text: `Datacenter ${datacenter.slug} is changed.\n` };
    },
  );
  addCommand(
    command,
    ground,
    'remove <SLUG>',
    'remove a datacenter in which no host stands',
    plain,
    async (context, [slug = '']) => {
      await removeDatacenter(context, slug);
      return { value: { slug }, text: `Datacenter ${slug} is gone.\n` };
    },
  );
  return command;
}

function withRequired(command: Command): Command {
  const configured = withParts(command);
  for (const name of ['--country', '--city', '--tier']) {
    const option = configured.options.find(({ long }) => long === name);
    if (option) option.mandatory = true;
  }
  return configured;
}
