// The group that something is made in.

import type { Bound } from '../../ui/form.tsx';
import { GroupPicker } from '../../ui/pickers.tsx';

/** The groups of an account, `default` to begin with. */
export const GroupField = (props: Bound<string> & { account: string }) => (
  <GroupPicker label="Group" none="default" {...props} />
);
