// What was made together, and how each of it is now.

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { Deployment } from '../../../sdk/generated/types.ts';
import { many } from '../format.ts';
import { instancePath } from '../paths.ts';
import { useBerth } from '../session.tsx';
import { Page } from '../ui/page.tsx';
import { Failure, Loading } from '../ui/state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Status, When } from '../ui/words.tsx';

const columns: Column<Deployment['instances'][number]>[] = [
  {
    title: 'Name',
    cell: ({ id, name, status }) => (status === 'deleted' ? name : <Link to={instancePath(id)}>{name}</Link>),
  },
  { title: 'Status', cell: ({ status }) => <Status of={status} /> },
];

/** The page. */
export default function DeploymentPage() {
  const { deployment: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['deployments', id],
    queryFn: () => berth.deployments.get(id),
  });
  return (
    <Page title="Deployment">
      {error && <Failure error={error} onRetry={() => refetch()} />}
      {!data && !error && <Loading what="Reading the deployment" />}
      {data && (
        <>
          <p className="fine">
            {many(data.instances.length, 'instance')}, deployed together <When time={data.createdAt} />
          </p>
          <Table label="Instances" rows={data.instances} columns={columns} keyOf={({ id: of }) => of} />
        </>
      )}
    </Page>
  );
}
