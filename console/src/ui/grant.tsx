// What may be granted, and on what: the fields for it, and how a privilege is told.

import type { NewGrant, Privilege } from '../../../sdk/generated/types.ts';
import { useSession } from '../session.tsx';
import { type Bound, SelectField } from './form.tsx';
import { AccountName, GroupName, InstanceName } from './names.tsx';
import { AccountPicker, GroupPicker, VmPicker } from './pickers.tsx';

type Level = Privilege['level'];

const levels: readonly { value: Level; label: string }[] = [
  { value: 'vm_console', label: 'See a VM and use its console' },
  { value: 'vm_admin', label: 'Run a VM' },
  { value: 'group_admin', label: 'Run a group and what is in it' },
  { value: 'account_admin', label: 'Run an account with its people and its money' },
];
const levelsOfOperators: typeof levels = [{ value: 'cluster_admin', label: 'Operate the whole installation' }];

/** A grant as a form has it; what the level has no use for is ignored. */
export interface GrantValues {
  level: string;
  account: string;
  group: string;
  instance: string;
}

/** A grant that gives nothing yet. */
export const noGrant: GrantValues = { level: '', account: '', group: '', instance: '' };

type Target = 'account' | 'group' | 'instance';

function targetOf(level: string): Target | undefined {
  if (level.startsWith('vm_')) return 'instance';
  if (level.startsWith('group_')) return 'group';
  return level.startsWith('account_') ? 'account' : undefined;
}

/** The grant that was chosen; undefined for none. */
export function grantOf(values: GrantValues): NewGrant | undefined {
  const level = [...levels, ...levelsOfOperators].find(({ value }) => value === values.level)?.value;
  if (!level) return undefined;
  const target = targetOf(level);
  return { level, ...(target && values[target] ? { [target]: values[target] } : {}) };
}

/** A form with these fields among its own. */
interface GrantForm {
  values: GrantValues;
  field(name: keyof GrantValues): Bound<string>;
}

interface GrantFieldsProps {
  form: GrantForm;
  /** What stands for no grant, where there need not be one. */
  none?: string;
}

/** Chooses a level and what it is held on. */
export function GrantFields({ form, none = 'Choose what' }: GrantFieldsProps) {
  const { isOperator } = useSession();
  const target = targetOf(form.values.level);
  const offered = [{ value: '', label: none }, ...levels, ...(isOperator ? levelsOfOperators : [])];
  return (
    <>
      <SelectField label="May" {...form.field('level')} choices={offered} />
      {target && <TargetField key={target} target={target} form={form} />}
    </>
  );
}

const labels: Record<Target, string> = { account: 'Account', group: 'Group', instance: 'VM' };

function TargetField({ target, form }: { target: Target; form: GrantForm }) {
  const { account } = useSession();
  const props = { label: labels[target], account: account?.id, ...form.field(target) };
  if (target === 'group') return <GroupPicker {...props} />;
  return target === 'instance' ? <VmPicker {...props} /> : <AccountPicker {...props} />;
}

/** What a level allows, in a few words. */
export const levelWords: Record<Level, string> = {
  vm_console: 'sees and uses the console of',
  vm_admin: 'runs VM',
  group_admin: 'runs group',
  account_admin: 'runs account',
  cluster_admin: 'operates the installation',
  cluster_su: 'owns the installation',
};

/** A privilege in words. */
export const GrantWords = ({ of }: { of: Pick<Privilege, 'level' | 'account' | 'group' | 'instance'> }) => (
  <>
    {levelWords[of.level]}{' '}
    {of.instance ? (
      <InstanceName id={of.instance} />
    ) : of.group ? (
      <GroupName id={of.group} />
    ) : (
      of.account && <AccountName id={of.account} />
    )}
  </>
);
