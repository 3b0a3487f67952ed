// `berth vm`: virtual machines. Making them, what changes them, and reaching them stand beside.

import type { Noun } from '../command.ts';
import { option, several } from '../command.ts';
import { find, vmKind } from '../find.ts';
import { instanceColumns, instanceSheet } from '../instance.ts';
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
    createVerb,
    ...powerVerbs,
    ...changeVerbs,
    ...deletionVerbs,
    ...reachVerbs,
  ],
};
