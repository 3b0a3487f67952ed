// What was made together, and how each of it is now.

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { Deployment } from '../../../sdk/generated/types.ts';
import { many } from '../format.ts';
import { deploymentsPath, instancePath } from '../paths.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { useDialog } from '../ui/dialog.tsx';
import { GroupName } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Failure, Loading } from '../ui/state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Copyable, Status, When } from '../ui/words.tsx';
import { DeleteDeployment, namesOf, Statuses, whyNoDeletion } from './deployment/parts.tsx';

const columns: Column<Deployment['instances'][number]>[] = [
  {
    title: 'Name',
    cell: ({ id, name, status }) => (status === 'deleted' ? name : <Link to={instancePath(id)}>{name}</Link>),
  },
  { title: 'Kind', cell: ({ kind }) => (kind === 'vm' ? 'VM' : 'container') },
  { title: 'Status', cell: ({ status }) => <Status of={status} /> },
  { title: 'Group', cell: ({ group }) => <GroupName id={group} /> },
  { title: 'Id', cell: ({ id }) => <code className="wide">{id}</code> },
];

/** The page. */
export default function DeploymentPage() {
  const { deployment: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const { data, error, refetch } = useQuery({
    queryKey: ['deployments', id],
    queryFn: () => berth.deployments.get(id),
  });
  const remove = data && (
    <Button
      variant="danger"
      reason={whyNoDeletion(data)}
      onClick={() => open((close) => <DeleteDeployment deployment={data} onClose={close} />)}
    >
      Delete all of it
    </Button>
  );
  return (
    <Page title={data ? `Deployment ${namesOf(data)}` : 'Deployment'} actions={remove}>
      {error && <Failure error={error} onRetry={() => refetch()} />}
      {!data && !error && <Loading what="Reading the deployment" />}
      {data && (
        <>
          <p className="fine">
            {many(data.instances.length, 'instance')}, deployed together <When time={data.createdAt} />.{' '}
            <Link to={deploymentsPath}>All deployments</Link>
          </p>
          <p>
            <Statuses of={data} />
          </p>
          <Table label="Instances" rows={data.instances} columns={columns} keyOf={({ id: of }) => of} />
          <p className="fine after-table">
            On the command line: <Copyable text={`berth deployment show ${id}`} label="command line" />
          </p>
        </>
      )}
      {dialog}
    </Page>
  );
}
