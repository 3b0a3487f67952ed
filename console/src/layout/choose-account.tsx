// For pages and forms that are about one account, while none is chosen.

import { useSession } from '../session.tsx';
import { SelectField } from '../ui/form.tsx';
import { Empty } from '../ui/state.tsx';

const choicesOf = (accounts: readonly { id: string; name: string }[]) => [
  { value: '', label: 'Choose an account' },
  ...accounts.map(({ id, name }) => ({ value: id, label: name })),
];

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
      <SelectField
        label={`Account whose ${what} are shown`}
        value=""
        choices={choicesOf(accounts)}
        onChange={(id) => chooseAccount(id || undefined)}
      />
    </Empty>
  );
}

interface AccountFieldProps {
  value: string;
  error?: string | undefined;
  onChange(id: string): void;
}

/** The account that something is made in; nothing where one is chosen for the whole page. */
export function AccountField(props: AccountFieldProps) {
  const { accounts, account } = useSession();
  return account ? null : <SelectField label="Account" {...props} choices={choicesOf(accounts)} />;
}
