// For pages and forms that are about one account, while none is chosen.

import { useSession } from '../session.tsx';
import { AccountPicker } from '../ui/pickers.tsx';
import { Empty } from '../ui/state.tsx';

/** In the place of what only one account has. */
export function ChooseAccount({ what }: { what: string }) {
  const { accounts, chooseAccount } = useSession();
  if (accounts.length === 0) {
    return (
      <Empty title="You have no account">
        <p>{what} belong to an account. Somebody who runs one can grant you a privilege in it.</p>
      </Empty>
    );
  }
  return (
    <Empty title="Whose?">
      <p>{what} belong to one account.</p>
      <AccountPicker
        label={`Account whose ${what} are shown`}
        value=""
        error={undefined}
        onChange={(id) => chooseAccount(id || undefined)}
      />
    </Empty>
  );
}

interface AccountFieldProps {
  value: string;
  error: string | undefined;
  onChange(id: string): void;
}

/** The account that something is made in; nothing where one is chosen for the whole page. */
export function AccountField(props: AccountFieldProps) {
  const { account } = useSession();
  return account ? null : <AccountPicker label="Account" {...props} />;
}
