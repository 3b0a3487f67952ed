// Deployments: what was made together, under one name.

import { Link } from '@tanstack/react-router';
import type { Deployment } from '../../../sdk/generated/types.ts';
import { useFilters } from '../filters.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { createPath, deploymentPath } from '../paths.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { useDialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Copyable, When } from '../ui/words.tsx';
import { DeleteDeployment, namesOf, Statuses, whyNoDeletion } from './deployment/parts.tsx';

const filterNames = ['search', 'status'] as const;
/** What is there, or can be brought back. */
const present = 'launching,active,stopped,failed,terminated,soft-deleted,deleting';
const statuses = [
  { value: '', label: 'All that is there' },
  ...['launching', 'active', 'stopped', 'failed', 'terminated', 'soft-deleted'].map((value) => ({
    value,
    label: `Some ${value}`,
  })),
  { value: 'any', label: 'Gone ones, too' },
];

/** The page. */
export default function DeploymentsPage() {
  const { berth, account } = useSession();
  const [dialog, open] = useDialog();
  const [filters, narrow] = useFilters(filterNames);
  const search = filters.search === '' ? undefined : filters.search;
  const status = filters.status === 'any' ? undefined : filters.status || present;
  const list = useList(['deployments', 'list', account?.id, search, status], () =>
    berth.deployments.list({ account: account?.id, search, status, newestFirst: true }),
  );
  const create = (
    <Link className="button button-primary" to={createPath}>
      Create
    </Link>
  );
  if (!account) {
    return (
      <Page title="Deployments">
        <ChooseAccount what="Deployments" />
      </Page>
    );
  }
  const isNarrowed = filters.search !== '' || filters.status !== '';
  const nothing = (
    <Empty
      title="Nothing like that"
      action={<Button onClick={() => narrow({ search: '', status: '' })}>Clear the filters</Button>}
    >
      <p>Nothing that was deployed is like that.</p>
    </Empty>
  );
  const noneYet = (
    <Empty title="Nothing is deployed" action={create}>
      <p>What is created together, one to ten of a name, is a deployment: made all or none, and deleted at once.</p>
      <Copyable text="berth vm create worker --image debian-12 --count 3" label="command line" />
    </Empty>
  );
  return (
    <Page title="Deployments" actions={create}>
      <search className="filters">
        <TextField
          label="Search"
          type="search"
          placeholder="A part of a name"
          value={filters.search}
          onChange={(value) => narrow({ search: value })}
        />
        <SelectField
          label="Status"
          value={filters.status}
          choices={statuses}
          onChange={(value) => narrow({ status: value })}
        />
      </search>
      <List
        label="Deployments"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Names',
            cell: (deployment) => (
              <Link className="wide" to={deploymentPath(deployment.id)}>
                {namesOf(deployment)}
              </Link>
            ),
          },
          { title: 'Instances', cell: (deployment) => <Statuses of={deployment} /> },
          { title: 'Made', cell: ({ createdAt }) => <When time={createdAt} /> },
          {
            title: 'Actions',
            cell: (deployment: Deployment) => (
              <Button
                aria-label={`Delete all of ${namesOf(deployment)}`}
                reason={whyNoDeletion(deployment)}
                onClick={() => open((close) => <DeleteDeployment deployment={deployment} onClose={close} />)}
              >
                Delete all
              </Button>
            ),
          },
        ]}
        empty={isNarrowed ? nothing : noneYet}
      />
      {dialog}
    </Page>
  );
}
