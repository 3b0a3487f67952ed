// Choosing among what an account has, however much that is.

import { useQuery } from '@tanstack/react-query';
import { useBerth, useSession } from '../session.tsx';
import { Combobox, type Offered, offeredMax } from './combobox.tsx';
import type { Bound } from './form.tsx';

interface PickerProps extends Bound<string> {
  label: string;
  hint?: string;
  /** Only what is of this account; of all that the caller sees where it is left out or ''. */
  account?: string | undefined;
  /** What choosing nothing is called; left out where something has to be chosen. */
  none?: string;
}

/** One more than is shown tells that there are more. */
const limit = offeredMax + 1;
const ofAccount = (account: string | undefined) => (account ? { account } : {});
const searched = (text: string) => (text === '' ? {} : { search: text });
const offered = ({ id, name }: { id: string; name: string }): Offered => ({ value: id, label: name });
/** Things that can't be read by their id are not there. */
const orNone = async <Thing,>(reading: Promise<Thing>): Promise<Thing | undefined> => reading.catch(() => undefined);

/** One of the accounts. */
export function AccountPicker({ account: _, ...props }: PickerProps) {
  const berth = useBerth();
  return (
    <Combobox
      {...props}
      about={['accounts']}
      search={async (text) => (await berth.accounts.list({ ...searched(text), limit }).page()).items.map(offered)}
      find={async (id) => orNone(berth.accounts.get(id).then(offered))}
    />
  );
}

/** One of the groups. */
export function GroupPicker({ account, ...props }: PickerProps) {
  const berth = useBerth();
  const { accounts } = useSession();
  const filter = ofAccount(account);
  const search = async (text: string) => {
    // The one that choosing nothing stands for is not shown a second time.
    const most = props.none === undefined ? limit : limit + 1;
    const { items } = await berth.groups.list({ ...filter, ...searched(text), limit: most }).page();
    // Every account has a group of the name `default`.
    const accountOf = new Map(accounts.map(({ id, name }) => [id, name]));
    const isOfSeveral = new Set(items.map((one) => one.account)).size > 1;
    return items
      .filter(({ name }) => name !== props.none)
      .map((one) => ({ ...offered(one), hint: isOfSeveral ? accountOf.get(one.account) : undefined }));
  };
  return (
    <Combobox
      {...props}
      about={['groups', account ?? '']}
      search={search}
      find={async (id) => orNone(berth.groups.get(id).then(offered))}
    />
  );
}

/** One of the VMs. */
export function VmPicker({ account, ...props }: PickerProps) {
  const berth = useBerth();
  const filter = { ...ofAccount(account), kind: 'vm' as const };
  const search = async (text: string) => {
    const { items } = await berth.instances.list({ ...filter, ...searched(text), limit }).page();
    return items.map((one) => ({ ...offered(one), hint: one.address ?? one.status }));
  };
  return (
    <Combobox
      {...props}
      about={['instances', 'offered', account ?? '']}
      search={search}
      find={async (id) => orNone(berth.instances.get(id).then(offered))}
    />
  );
}

interface SshKeyPickerProps extends PickerProps {
  account: string;
  /** Fingerprints of those that are not offered: chosen already, say. */
  besides?: readonly string[];
}

/** One of an account's SSH keys, by its fingerprint. */
export function SshKeyPicker({ account, besides = [], ...props }: SshKeyPickerProps) {
  const berth = useBerth();
  // A key is no longer found by its fingerprint alone, so what was offered is remembered.
  const { data: known = [] } = useQuery({
    queryKey: ['ssh-keys', 'offered', account],
    queryFn: async () => (await berth.sshKeys.list({ account, limit }).page()).items,
  });
  const toOffered = ({ fingerprint, name, algorithm }: (typeof known)[number]): Offered => ({
    ...{ value: fingerprint, label: name, hint: algorithm },
  });
  return (
    <Combobox
      {...props}
      about={['ssh-keys', 'offered', account, ...besides]}
      search={async (text) => {
        const { items } = await berth.sshKeys
          .list({ account, ...searched(text), limit: limit + besides.length })
          .page();
        return items.filter(({ fingerprint }) => !besides.includes(fingerprint)).map(toOffered);
      }}
      find={async (wanted) => known.filter(({ fingerprint }) => fingerprint === wanted).map(toOffered)[0]}
    />
  );
}
