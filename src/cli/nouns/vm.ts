// `berth vm`: virtual machines. Making them, what changes them, and reaching them stand beside.

import type { InstanceCount } from '../../../sdk/generated/types.ts';
import { type Noun, option, several, type Verb } from '../command.ts';
import { find, vmKind } from '../find.ts';
import { instanceColumns, instanceSheet, statusCell } from '../instance.ts';
import { type Column, tableOf } from '../table.ts';
import { listVerb, showVerb } from '../verbs.ts';
import { changeVerbs } from './vm-change.ts';
import { createVerb } from './vm-create.ts';
import { deletionVerbs } from './vm-delete.ts';
import { powerVerbs } from './vm-power.ts';
import { reachVerbs } from './vm-reach.ts';

interface ListOptions {
  account?: string;
  group?: string;
  status?: string[];
  datacenter?: string;
  deleted?: boolean;
}

const statusCellOf = ({ status }: InstanceCount) => statusCell({ status, funds: 'enough' });

const countVerb: Verb<{ account?: string }> = {
  usage: 'count',
  description: 'count VMs and containers by their states',
  operation: 'countInstances',
  examples: ['vm count', 'vm count --account acme --json'],
  options: [option('--account <ACCOUNT>', 'only of this account')],
  async run({ berth }, _, { account }) {
    const value = await berth.instances.count({ account });
    const columns: readonly Column<InstanceCount>[] = [
      { title: 'kind', cell: ({ kind }) => kind },
      { title: 'status', cell: statusCellOf },
      { title: 'count', cell: ({ count }) => count, right: true },
    ];
    const { items } = value;
    return { value, text: (look) => (items.length === 0 ? 'There is none.\n' : tableOf(columns, items, look)) };
  },
};

/** The `vm` commands. */
export const noun: Noun = {
  groups: { ports: 'which ports are open from outside' },
  verbs: [
    listVerb({
      description: 'list your VMs',
      operation: 'listInstances',
      examples: ['vm list', 'vm list --status active --datacenter pl-poz-1', 'vm list --quiet --group web'],
      options: [
        option('--account <ACCOUNT>', 'only of this account'),
        option('--group <GROUP>', 'only in this group'),
        option('--status <STATUS>', 'only in one of these states, such as active,stopped', several),
        option('--datacenter <DATACENTER>', 'only there'),
        option('--deleted', 'those too that are deleted and not gone yet'),
      ],
      columns: instanceColumns,
      name: ({ name }) => name,
      none: 'There is no VM. "berth vm create --help" shows how to make one.',
      pages: ({ berth }, limit, { status, ...query }: ListOptions) =>
        berth.instances.list({ ...query, kind: 'vm', limit, status: status?.join(',') }),
    }),
    showVerb({
      usage: 'show <VM>',
      description: 'show all of one VM',
      operation: 'getInstance',
      examples: ['vm show web-1', 'vm show web-1 --json'],
      find: (desk, text) => find(desk, vmKind, text),
      sheet: instanceSheet,
    }),
    countVerb,
    createVerb,
    ...powerVerbs,
    ...changeVerbs,
    ...deletionVerbs,
    ...reachVerbs,
  ],
};
