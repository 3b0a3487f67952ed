// What has just happened, as it happens.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { eventsPath } from '../../paths.ts';
import { useSession } from '../../session.tsx';
import { InstanceName } from '../../ui/names.tsx';
import { Section } from '../../ui/page.tsx';
import { Loading } from '../../ui/state.tsx';
import { When } from '../../ui/words.tsx';

const shown = 8;

/** The latest events. Who may not read them is shown none. */
export function LatestEvents({ seesAll }: { seesAll: boolean }) {
  const { berth, account } = useSession();
  const { data, error } = useQuery({
    queryKey: ['events', 'latest', seesAll || account?.id],
    queryFn: async () => {
      const filter = account && !seesAll ? { account: account.id } : { all: true };
      return (await berth.events.list({ ...filter, newestFirst: true, limit: shown }).page()).items;
    },
  });
  if (error) return null;
  return (
    <Section title="Latest events" actions={<Link to={eventsPath}>All events</Link>}>
      {data?.length === 0 && <p className="fine">Nothing has happened yet.</p>}
      {data ? (
        <ol className="events">
          {data.map(({ cursor, kind, message, instance, createdAt }) => (
            <li key={cursor}>
              <When time={createdAt} />
              <code>{kind}</code>
              <span className="event-message">
                {instance && <InstanceName id={instance} />} {message}
              </span>
            </li>
          ))}
        </ol>
      ) : (
        <Loading what="Reading events" />
      )}
    </Section>
  );
}
