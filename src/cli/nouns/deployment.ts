// `berth deployment`: instances that were made together, under one name.

import type { Deployment } from '../../../sdk/generated/types.ts';
import { confirm } from '../ask.ts';
import { type Noun, option } from '../command.ts';
import { accountOf } from '../find.ts';
import { type Cell, type Column, type Look, moment, relative } from '../table.ts';
import { actVerb, listVerb, showVerb, yesOption } from '../verbs.ts';

/** `2 active, 1 failed`. */
const statusesOf = ({ instances }: Deployment): string =>
  [...Map.groupBy(instances, ({ status }) => status)].map(([status, some]) => `${some.length} ${status}`).join(', ');

const namesOf = ({ instances }: Deployment): string => [...new Set(instances.map(({ name }) => name))].join(', ');

const columns: readonly Column<Deployment>[] = [
  { title: 'names', cell: namesOf },
  { title: 'instances', cell: statusesOf, rank: 1 },
  { title: 'made', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 2 },
  { title: 'id', cell: ({ id }) => id },
];

const sheet = (deployment: Deployment, look: Look): [string, Cell][] => [
  ['deployment', deployment.id],
  ['made', moment(deployment.createdAt, look)],
  ...deployment.instances.map(({ id, name, status }): [string, Cell] => [name, `${status}, ${id}`]),
];

interface ListOptions {
  account?: string;
  status?: string;
  search?: string;
}

/** The `deployment` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list what an account has made together, the newest first',
      operation: 'listDeployments',
      examples: ['deployment list', 'deployment list --search worker --status active,failed'],
      options: [
        option('--search <TEXT>', 'only with this in the name of an instance'),
        option('--status <STATUS>', 'only with an instance in one of these states, such as active,failed'),
        option('--account <ACCOUNT>', 'whose, where you see several'),
      ],
      columns,
      none: 'Nothing has been deployed.',
      pages: async (desk, limit, { account, status, search }: ListOptions) => {
        const { id } = await accountOf(desk, account);
        return desk.berth.deployments.list({ account: id, status, search, newestFirst: true, limit });
      },
    }),
    showVerb({
      usage: 'show <DEPLOYMENT>',
      description: 'show what was made together, and how each of it is',
      operation: 'getDeployment',
      examples: [
        'deployment show dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'deployment show dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      find: ({ berth }, id) => berth.deployments.get(id),
      sheet,
    }),
    actVerb<{ yes?: boolean; purge?: boolean }>({
      usage: 'delete <DEPLOYMENT>',
      description: 'delete all that was made together, or nothing',
      detail: 'VMs can be brought back for some weeks, by "berth vm undelete", unless they are purged.',
      operation: 'deleteDeployment',
      examples: [
        'deployment delete dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
        'deployment delete dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --purge',
      ],
      options: [option('--purge', 'for good'), yesOption()],
      async act(desk, [id = ''], { yes = false, purge = false }) {
        const deployment = await desk.berth.deployments.get(id);
        const lost = purge ? 'All that is on them is lost for good.' : 'VMs can be brought back, containers can not.';
        await confirm(desk, yes, `Delete ${namesOf(deployment)} (${statusesOf(deployment)})? ${lost}`);
        const value = await desk.berth.deployments.delete(id, purge ? { purge } : {});
        const gone = `${value.operations.length} of ${deployment.instances.length} are on their way out`;
        const kept = '; VMs keep their room, and are paid for, until they are purged or their time is up';
        return { value, done: `${gone}${purge ? '' : kept}.` };
      },
    }),
  ],
};
