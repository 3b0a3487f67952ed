// What the list of deployments and the page of one have in common: how their instances are, and their end.

import type { Deployment } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { many } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Status } from '../../ui/words.tsx';

type Deployed = Deployment['instances'][number];

/** What is deleted with its deployment; the rest is gone, or on its way. */
const isThere = ({ status }: Deployed) => !['soft-deleted', 'deleting', 'deleted'].includes(status);

/** The names of what was made together; they are one as long as nobody renames any. */
export const namesOf = ({ instances }: Deployment): string =>
  [...new Set(instances.map(({ name }) => name))].join(', ') || 'Deployment';

/** Why it can't be deleted; null where it can. */
export const whyNoDeletion = ({ instances }: Deployment): string | null =>
  instances.some(isThere) ? null : 'Nothing of it is left to be deleted.';

/** How many of them are in which state. */
export const Statuses = ({ of: { instances } }: { of: Deployment }) => (
  <span className="statuses">
    {[...Map.groupBy(instances, ({ status }) => status)].map(([status, some]) => (
      <span key={status} className="nowrap">
        {some.length} <Status of={status} />
      </span>
    ))}
  </span>
);

interface DeleteProps {
  deployment: Deployment;
  onClose(): void;
}

/** Asks before all of it is deleted. */
export function DeleteDeployment({ deployment, onClose }: DeleteProps) {
  const berth = useBerth();
  const done = useDone();
  const there = deployment.instances.filter(isThere);
  const containers = there.filter(({ kind }) => kind === 'container').length;
  const vms = there.length - containers;
  const names = namesOf(deployment);
  return (
    <Confirm
      title={`Delete all of ${names}?`}
      act={`Delete ${many(there.length, 'instance')}`}
      onClose={onClose}
      onConfirm={async () => {
        const { operations } = await berth.deployments.delete(deployment.id);
        const said = `${many(operations.length, 'instance is', 'instances are')} on the way out`;
        await done(said, 'deployments', 'instances', 'instance-counts', 'balance');
      }}
    >
      {vms > 0 && (
        <p>
          {many(vms, 'VM goes', 'VMs go')} off and out of sight, and keep their names, addresses and disks: each can be
          brought back on its page until it is purged.
        </p>
      )}
      {containers > 0 && (
        <p>{many(containers, 'container ends', 'containers end')}, and what was written in them is lost for good.</p>
      )}
    </Confirm>
  );
}
