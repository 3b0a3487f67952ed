// How one begins: shown as long as there is nothing else to show.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { createPath, offersPath, sshKeysPath } from '../../paths.ts';
import { useSession } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { CopyableBlock } from '../../ui/words.tsx';

/** The way to the first instance. */
export function FirstSteps() {
  const { berth, account } = useSession();
  const keys = useQuery({
    queryKey: ['ssh-keys', 'any', account?.id],
    queryFn: async () =>
      (await berth.sshKeys.list({ ...(account ? { account: account.id } : {}), limit: 1 }).page()).items,
  });
  const hasKey = (keys.data?.length ?? 0) > 0;
  return (
    <Section title="Three steps to your first VM">
      <ol className="first-steps">
        <li>
          <h3>
            <Link to={sshKeysPath}>Add your SSH key</Link> {hasKey && <span className="badge badge-good">done</span>}
          </h3>
          <p className="fine">
            The public one. It is how you get into what you deploy; you can paste it while you create, too.
          </p>
        </li>
        <li>
          <h3>
            <Link to={offersPath}>Find an offer</Link>
          </h3>
          <p className="fine">What is free now: where, on which hardware, and what it costs for a day and a month.</p>
        </li>
        <li>
          <h3>
            <Link to={createPath}>Deploy</Link>
          </h3>
          <p className="fine">You see what it costs before anything is charged, and watch it come up.</p>
        </li>
      </ol>
      <h3 className="steps-elsewhere">Or on the command line</h3>
      <CopyableBlock
        label="command lines"
        text={[
          `berth login ${location.origin}`,
          'berth ssh-key add ~/.ssh/id_ed25519.pub --name laptop',
          'berth vm create web-1 --image debian-12 --ssh-key laptop --open 80/tcp --wait',
          'berth vm ssh web-1',
        ].join('\n')}
      />
    </Section>
  );
}
