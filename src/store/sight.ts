// What somebody sees of instances and of what belongs to them, as a condition of a query.

import { type RawBuilder, sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';

/** Whether the query's `instance` is in sight. */
export function inSight(sight: Sight): RawBuilder<boolean> {
  if (sight === 'everything') return sql<boolean>`true`;
  const { accountIds, groupIds, instanceIds } = sight;
  return sql<boolean>`(instance.account_id = any(${accountIds}::uuid[]) or instance.group_id = any(${groupIds}::bigint[])
    or instance.id = any(${instanceIds}::text[]))`;
}
