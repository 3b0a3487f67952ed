// What the page of revenue is asked for, out of its address.

import type { Revenue, RevenueItem } from '../../../../sdk/generated/types.ts';
import { type Filters, given } from '../../filters.ts';

/** What revenue is summed up by, with its word. */
export const bys = [
  { value: 'host', label: 'Host' },
  { value: 'datacenter', label: 'Datacenter' },
  { value: 'account', label: 'Account' },
  { value: 'kind', label: 'Kind' },
] as const;
type Per = NonNullable<Revenue['per']>;
/** What time is divided into, and how far is looked back where nothing else is said. */
export const pers: readonly { value: Per; label: string }[] = [
  { value: 'day', label: 'Days, 30 of them' },
  { value: 'week', label: 'Weeks, 26 of them' },
  { value: 'month', label: 'Months, 12 of them' },
];
/** What heads a column of periods. */
export const periodWord: Record<Per, string> = { day: 'Day', week: 'Week from', month: 'Month from' };

/** The names of what the page keeps in its address. */
export const revenueFilters = ['by', 'per', 'from', 'to'] as const;

/** What is asked. */
export interface Asked {
  by: Revenue['by'];
  per: Per;
  span: { from?: string; to?: string };
}

/** What the page's address asks for. */
export const askedOf = ({ by, per, from, to }: Filters<(typeof revenueFilters)[number]>): Asked => ({
  by: bys.find(({ value }) => value === by)?.value ?? 'host',
  per: pers.find(({ value }) => value === per)?.value ?? 'day',
  span: given({ from, to }),
});

const kindNames: Record<string, string> = { vm: 'VMs', container: 'Containers on slots' };

/** What something that earned is called. */
export const itemName = ({ id, name }: RevenueItem): string =>
  (id === null && name !== null ? kindNames[name] : name) ?? 'None';
