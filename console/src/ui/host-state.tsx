// What a host is now: whether it takes instances, and whether it is heard of.

import type { Host } from '../../../sdk/generated/types.ts';
import { Badge } from './words.tsx';

const toneOf = { open: 'good', drained: 'busy', retired: 'quiet' } as const;

/** Both, as words with colours. */
export const HostState = ({ of }: { of: Pick<Host, 'state' | 'reachable' | 'lastSeenAt'> }) => (
  <span className="badges">
    <Badge tone={toneOf[of.state]}>{of.state}</Badge>
    {of.state !== 'retired' &&
      (of.reachable ? (
        <Badge tone="good">reachable</Badge>
      ) : (
        <Badge tone="bad">{of.lastSeenAt ? 'out of reach' : 'never heard of'}</Badge>
      ))}
  </span>
);
