// What is chosen, to be done again by other ways: the command line, and a call of the API.

import { useQuery } from '@tanstack/react-query';
import type { NewEstimate } from '../../../../sdk/generated/types.ts';
import { useSession } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { CopyableBlock } from '../../ui/words.tsx';
import { apiCall, containerCommand, type Names, vmCommand } from './command.ts';
import { useKeysOf } from './ssh-keys-field.tsx';

interface SameElsewhereProps {
  body: NewEstimate & { quote?: string | undefined };
  showsSecrets: boolean;
  /** Something is to be put right first. */
  isWrong: boolean;
  /** Enough is chosen to be sent. */
  isWhole: boolean;
}

/** The part of the page with the lines. */
export function SameElsewhere({ body, showsSecrets, isWrong, isWhole }: SameElsewhereProps) {
  const { berth, accounts } = useSession();
  const { account = '', group = '' } = body;
  const keys = useKeysOf(account).data ?? [];
  const { data: named } = useQuery({
    queryKey: ['groups', group],
    queryFn: () => berth.groups.get(group),
    enabled: group !== '',
  });
  const names: Names = {
    keys: new Map(keys.map((key) => [key.fingerprint, key])),
    ...{ origin: location.origin, showsSecrets },
  };
  // Who sees one account need not say which.
  const said = {
    ...body,
    account: accounts.length > 1 ? (accounts.find(({ id }) => id === account)?.name ?? account) : undefined,
    group: group === '' ? undefined : (named?.name ?? group),
  };
  const hasSecret = body.rootPassword !== undefined || body.registryAuth !== undefined;
  return (
    <Section title="The same elsewhere">
      {isWrong || !isWhole ? (
        <p className="fine">
          {isWrong ? 'Told as soon as what is marked is right.' : 'Told as soon as it is chosen what to make.'}
        </p>
      ) : (
        <>
          {hasSecret && !showsSecrets && (
            <p className="fine">The password is written as ******** until you have it shown above.</p>
          )}
          <details>
            <summary>On the command line</summary>
            <CopyableBlock
              label="command line"
              text={body.kind === 'container' ? containerCommand(said, names) : vmCommand(said, names)}
            />
          </details>
          <details>
            <summary>By the API</summary>
            <CopyableBlock label="call of the API" text={apiCall(said, names)} />
          </details>
        </>
      )}
    </Section>
  );
}
