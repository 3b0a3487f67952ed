// What has happened to an instance, the newest first; live, as everything that an event makes stale.

import { useQuery } from '@tanstack/react-query';
import type { Event, Instance } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import { When } from '../../ui/words.tsx';

/** So many are shown; what is older is in the list of all events. */
const shownMax = 50;
/** So many are read: how far something is, is told again and again. */
const readMax = 300;
const progressKinds = ['image.build', 'image.download'];

/** The part of the page with an instance's events. */
export function Timeline({ instance: { id, account } }: { instance: Instance }) {
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['events', 'list', { instance: id, account }],
    queryFn: () => berth.events.list({ instance: id, account, newestFirst: true, limit: readMax }).page(),
  });
  const events = data && withoutProgress(data.items).slice(0, shownMax);
  return (
    <Section title="What happened">
      {error && !events && <Failure error={error} onRetry={() => refetch()} />}
      {!events && !error && <Loading what="Reading its events" />}
      {events && (
        <ol className="timeline" aria-label="Events, the newest first">
          {events.map((event) => (
            <Happened key={event.cursor} event={event} />
          ))}
        </ol>
      )}
    </Section>
  );
}

/** Of each row of events that only tell how far something is, the newest. */
const withoutProgress = (events: readonly Event[]): Event[] =>
  events.filter(({ kind }, index) => !progressKinds.includes(kind) || events[index - 1]?.kind !== kind);

const Happened = ({ event: { kind, message, actor, createdAt } }: { event: Event }) => (
  <li className={kind.endsWith('failed') ? 'timeline-bad' : undefined}>
    <p>{message}</p>
    <p className="fine">
      <When time={createdAt} /> · {kind} · {actor}
    </p>
  </li>
);
