// `berth address`: the IPs that VMs hold.

import type { Address, Addresses } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { find, instanceIdOf, nameAndId, nameColumn, vmKind } from '../find.ts';
import { type Column, tableOf } from '../table.ts';
import { wholeNumber } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const columns: readonly Column<Address>[] = [
  { title: 'address', cell: ({ address }) => address },
  { title: 'kind', cell: ({ additional }) => (additional ? 'additional' : 'main') },
  { title: 'reverse name', cell: ({ reverseName }) => reverseName, rank: 1 },
  nameColumn('VM', ({ instance }) => instance, 1),
  { title: 'reason', cell: ({ reason }) => reason, rank: 2 },
];

const addressesAnswer = (value: Addresses) => ({
  value,
  text: (look: Parameters<typeof tableOf>[2]) => tableOf(columns, value.items, look),
});

/** The `address` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the addresses of your VMs',
      operation: 'listAddresses',
      examples: ['address list', 'address list --vm web-1'],
      options: [option('--vm <VM>', 'only of this one'), option('--account <ACCOUNT>', 'only of this account')],
      columns,
      about: ({ instance }) => instance,
      none: 'There is no address.',
      pages: async (desk, limit, { account, vm }: { account?: string; vm?: string }) =>
        desk.berth.addresses.list({ account, limit, instance: await instanceIdOf(desk, vm) }),
    }),
    showVerb({
      usage: 'show <ADDRESS>',
      description: 'show one address',
      operation: 'getAddress',
      examples: ['address show 192.0.2.10', 'address show 192.0.2.10 --json'],
      find: ({ berth }, address) => berth.addresses.get(address),
      about: ({ instance }: Address) => instance,
      sheet: (one: Address, look) => [
        ['address', one.address],
        ['VM', nameAndId(one.instance, look)],
        ['kind', one.additional ? 'additional' : 'main'],
        ['reverse name', one.reverseName],
        ['reason', one.reason],
      ],
    }),
    {
      usage: 'add <VM>',
      description: 'give a VM additional addresses',
      operation: 'createAddresses',
      examples: ['address add web-1', 'address add web-1 --count 2 --reason "a certificate each"'],
      options: [option('--count <N>', 'one unless given', wholeNumber), option('--reason <TEXT>', 'what they are for')],
      async run(desk, [text = ''], { count, reason }: { count?: number; reason?: string }) {
        const { id } = await find(desk, vmKind, text);
        return addressesAnswer(await desk.berth.addresses.create(id, { count, reason }));
      },
    },
    actVerb({
      usage: 'name <ADDRESS> <NAME>',
      description: 'say what an address is called in the other direction; "none" is nothing',
      operation: 'updateAddress',
      examples: ['address name 192.0.2.10 www.example.com', 'address name 192.0.2.10 mail.example.com --json'],
      async act({ berth }, [address = '', name = '']) {
        const value = await berth.addresses.update(address, { reverseName: name === 'none' ? null : name });
        return { value, done: `${address} is called ${value.reverseName ?? 'nothing'}.` };
      },
    }),
    {
      usage: 'swap <VM> <OTHER>',
      description: 'let two VMs of the same host that are off exchange their addresses',
      operation: 'swapAddresses',
      examples: ['address swap web-1 web-2', 'address swap web-1 web-2 --additional'],
      options: [option('--additional', 'the additional ones go, too')],
      async run(desk, [text = '', other = ''], { additional }: { additional?: boolean }) {
        const [{ id }, { id: instance }] = [await find(desk, vmKind, text), await find(desk, vmKind, other)];
        return addressesAnswer(await desk.berth.addresses.swap(id, { instance, additional }));
      },
    },
    deleteVerb({
      usage: 'release <ADDRESS>',
      description: 'give an additional address back',
      operation: 'deleteAddress',
      examples: ['address release 192.0.2.10', 'address release 192.0.2.10 --yes'],
      find: ({ berth }, address) => berth.addresses.get(address),
      question: ({ address }) => `Give ${address} back? Somebody else may get it.`,
      end: ({ berth }, { address }) => berth.addresses.delete(address),
      done: ({ address }) => `${address} is given back.`,
    }),
  ],
};
