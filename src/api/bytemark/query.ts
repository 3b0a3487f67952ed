// What a query asks for: how much of each thing, and which things. What it says beside that is passed over.

import Type, { type Static } from 'typebox';
import { parseReference, type Reference } from '../../model/reference.ts';

/** How much is shown. */
export const ViewSchema = Type.Object({
  view: Type.Optional(Type.String({ description: '"overview" also shows what is in each thing' })),
  include_deleted: Type.Optional(Type.String({ description: '"true" also shows deleted VMs that can be restored' })),
});

/** How much is shown, as a query says it. */
export type View = Static<typeof ViewSchema>;

/** How much of a list is shown, and what it is narrowed to by numbers or names. */
export const ListQuerySchema = Type.Object({
  ...ViewSchema.properties,
  account_id: Type.Optional(Type.String()),
  account_name: Type.Optional(Type.String()),
  group_id: Type.Optional(Type.String()),
  group_name: Type.Optional(Type.String()),
  vm_id: Type.Optional(Type.String()),
  vm_name: Type.Optional(Type.String()),
});

/** Whether what is in a thing is shown with it. */
export const isOverview = ({ view }: View): boolean => view === 'overview';

/** Whether deleted VMs are shown. */
export const includesDeleted = ({ include_deleted: value }: View): boolean => value === 'true' || value === '1';

/** What a query narrows a list to. */
export function filterOf(query: Static<typeof ListQuerySchema>): {
  account: Reference | undefined;
  group: Reference | undefined;
  vm: Reference | undefined;
} {
  const reference = (text: string | undefined) => (text === undefined ? undefined : parseReference(text));
  return {
    account: reference(query.account_id ?? query.account_name),
    group: reference(query.group_id ?? query.group_name),
    vm: reference(query.vm_id ?? query.vm_name),
  };
}
