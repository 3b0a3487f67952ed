// A shell in a container.

import { lazy, Suspense } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { Loading } from '../../ui/state.tsx';

const TerminalView = lazy(() => import('./terminal.tsx'));

/** The part of a container's page with a shell in it. */
export default function Shell({ instance: { id, name, status } }: { instance: Instance }) {
  const berth = useBerth();
  return (
    <Section title="Shell">
      {status === 'active' ? (
        <Suspense fallback={<Loading what="Loading" />}>
          <TerminalView
            label={`Shell in ${name}`}
            open={(size, signal) => berth.instances.open(id, 'exec', { ...size, signal })}
          />
        </Suspense>
      ) : (
        <p className="note">There is a shell while it runs.</p>
      )}
    </Section>
  );
}
