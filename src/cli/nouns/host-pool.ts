// `berth host pool`: the ranges of addresses that hosts give to their instances, for operators.

import type { AddressPool, Host } from '../../../sdk/generated/types.ts';
import { confirm } from '../ask.ts';
import type { Desk, Verb } from '../command.ts';
import { NotThereError } from '../exit.ts';
import { find, hostKind, isId } from '../find.ts';
import { actVerb, listVerb, sheetAnswer, yesOption } from '../verbs.ts';

/** The range of a host's addresses that is meant, by itself or its id. */
async function findPool({ berth }: Desk, { id, name }: Pick<Host, 'id' | 'name'>, text: string): Promise<AddressPool> {
  const pools = await berth.hosts.listAddressPools(id).all();
  const pool = pools.find(({ cidr, id: own }) => cidr === text || own === text);
  if (pool) return pool;
  throw new NotThereError(`Host ${name} has no range ${text}; "berth host pool list ${name}" shows them.`);
}

/** The `host pool` commands. */
export const poolVerbs: readonly Verb[] = [
  listVerb({
    usage: 'pool list <HOST>',
    description: "list the ranges of addresses for a host's instances",
    operation: 'listAddressPools',
    examples: ['host pool list rack-1', 'host pool list rack-1 --json'],
    columns: [
      { title: 'range', cell: ({ cidr }: AddressPool) => cidr },
      { title: 'addresses', cell: ({ size: all }) => all, right: true },
      { title: 'in use', cell: ({ used }) => used, right: true },
      { title: 'id', cell: ({ id }) => id, rank: 1, whole: true },
    ],
    none: 'It has no addresses. "berth host pool add --help" shows how to give it some.',
    pages: async (desk, limit, _, [text = '']) =>
      desk.berth.hosts.listAddressPools((await find(desk, hostKind, text)).id, { limit }),
  }),
  {
    usage: 'pool show <HOST> <CIDR>',
    description: 'show one range of addresses, and how much of it is in use',
    operation: 'getAddressPool',
    examples: ['host pool show rack-1 203.0.113.0/28', 'host pool show rack-1 203.0.113.0/28 --json'],
    async run(desk, [text = '', cidr = '']) {
      const host = await find(desk, hostKind, text);
      const pool = isId('adp', cidr)
        ? await desk.berth.hosts.getAddressPool(host.id, cidr)
        : await findPool(desk, host, cidr);
      return sheetAnswer(pool, ({ id, cidr: range, size: all, used }) => [
        ['range', range],
        ['host', host.name],
        ['addresses', all],
        ['in use', used],
        ['id', id],
      ]);
    },
  },
  actVerb({
    usage: 'pool add <HOST> <CIDR>',
    description: 'hand out addresses of a range',
    operation: 'createAddressPool',
    examples: ['host pool add rack-1 203.0.113.0/28', 'host pool add rack-1 203.0.113.16/28 --json'],
    async act(desk, [text = '', cidr = '']) {
      const { id, name } = await find(desk, hostKind, text);
      return {
        value: await desk.berth.hosts.createAddressPool(id, { cidr }),
        done: `Host ${name} hands out ${cidr}.`,
      };
    },
  }),
  actVerb<{ yes?: boolean }>({
    usage: 'pool remove <HOST> <CIDR>',
    description: 'hand out no more addresses of a range; instances keep theirs',
    operation: 'deleteAddressPool',
    examples: ['host pool remove rack-1 203.0.113.0/28', 'host pool remove rack-1 203.0.113.0/28 --yes'],
    options: [yesOption()],
    async act(desk, [text = '', cidr = ''], { yes = false }) {
      const { id, name } = await find(desk, hostKind, text);
      const pool = await findPool(desk, { id, name }, cidr);
      await confirm(desk, yes, `Hand out no more addresses of ${pool.cidr}? Instances keep theirs.`);
      const value = await desk.berth.hosts.deleteAddressPool(id, pool.id);
      return { value, done: `Host ${name} hands out no more of ${pool.cidr}.` };
    },
  }),
];
