// Where VMs and containers are made.

import { Link } from '@tanstack/react-router';
import { useFilters } from '../filters.ts';
import { createPath } from '../paths.ts';
import { Page } from '../ui/page.tsx';
import { ContainerForm } from './create/container-form.tsx';
import { VmForm } from './create/vm-form.tsx';
import './create/create.css';

const names = ['kind'] as const;
const kinds = [
  { kind: 'vm', label: 'VM' },
  { kind: 'container', label: 'Container' },
];

/** The page. */
export default function CreatePage() {
  const [{ kind }] = useFilters(names);
  const isContainer = kind === 'container';
  return (
    <Page title={isContainer ? 'Start a container' : 'Create a VM'}>
      <nav className="tabs" aria-label="What to make">
        {kinds.map((one) => {
          const isShown = (one.kind === 'container') === isContainer;
          return (
            <Link
              key={one.kind}
              to={createPath}
              search={{ kind: one.kind } as never}
              {...(isShown ? { 'aria-current': 'page' as const } : { 'aria-current': undefined })}
            >
              {one.label}
            </Link>
          );
        })}
      </nav>
      {isContainer ? <ContainerForm /> : <VmForm />}
    </Page>
  );
}
