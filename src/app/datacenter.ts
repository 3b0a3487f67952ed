// Where hosts can stand, as the operator keeps it.

import { checkDatacenter, type Datacenter, type DatacenterTerms } from '../model/datacenter.ts';
import { BerthError } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import * as store from '../store/datacenter.ts';
import { insertEvents } from '../store/event.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

/** How whoever states them calls a datacenter's parts. */
export type DatacenterFields = Record<keyof DatacenterTerms, string>;

/** As many hosts' names as a sentence holds. */
const namesShownMax = 5;

/**
 * Adds a datacenter.
 * @throws BerthError `invalid_value`; `name_taken` when its name, or its number in its city, is another's
 */
export async function addDatacenter(
  context: Context,
  given: DatacenterTerms,
  fields: DatacenterFields,
  actor = operatorActor,
): Promise<Datacenter> {
  const datacenter = { id: newUuid(context.entropy), ...checkDatacenter(given, fields) };
  await inTransaction(context.database, async (tx) => {
    await refuseTakenPlace(tx, datacenter, fields);
    if (!(await store.insertDatacenter(tx, { ...datacenter, now: context.clock.now() }))) {
      throw new BerthError('name_taken', `There is a datacenter ${datacenter.slug} already.`, fields.slug);
    }
    const message = `Datacenter ${datacenter.slug} was added.`;
    await insertEvents(tx, [operatorEvent(context, 'datacenter.added', message, { data: { ...datacenter } }, actor)]);
  });
  return datacenter;
}

/**
 * Changes what is said of a datacenter; customers of instances there see the new word.
 * @param changes what is undefined stays
 * @throws BerthError `not_found`, `invalid_value`, `name_taken`
 */
export async function changeDatacenter(
  context: Context,
  slugOrId: string,
  changes: Partial<Omit<DatacenterTerms, 'slug'>>,
  fields: DatacenterFields,
  actor = operatorActor,
): Promise<Datacenter> {
  return inTransaction(context.database, async (tx) => {
    const before = await store.findDatacenter(tx, slugOrId, { lock: true });
    if (!before) throw unknownName('datacenter', slugOrId);
    const stated = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const terms = checkDatacenter({ ...before, ...stated }, fields);
    const datacenter = { ...terms, id: before.id };
    await refuseTakenPlace(tx, datacenter, fields);
    await store.updateDatacenter(tx, before.id, terms);
    const message = `Datacenter ${before.slug} was changed.`;
    await insertEvents(tx, [operatorEvent(context, 'datacenter.changed', message, { data: { ...datacenter } }, actor)]);
    return datacenter;
  });
}

/**
 * Removes a datacenter.
 * @throws BerthError `not_found`; `wrong_state` while hosts stand there
 */
export async function removeDatacenter(context: Context, slugOrId: string, actor = operatorActor): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const datacenter = await store.findDatacenter(tx, slugOrId, { lock: true });
    if (!datacenter) throw unknownName('datacenter', slugOrId);
    const hosts = await store.listHostsAt(tx, datacenter.id);
    if (hosts.length > 0) {
      const more = hosts.length > namesShownMax ? ` and ${hosts.length - namesShownMax} more` : '';
      const names = `${hosts.slice(0, namesShownMax).join(', ')}${more}`;
      const message = `Hosts stand in ${datacenter.slug}: ${names}. Put them elsewhere first.`;
      throw new BerthError('wrong_state', message, slugOrId);
    }
    await store.deleteDatacenter(tx, datacenter.id);
    const message = `Datacenter ${datacenter.slug} was removed.`;
    await insertEvents(tx, [operatorEvent(context, 'datacenter.removed', message, { data: { ...datacenter } }, actor)]);
  });
}

async function refuseTakenPlace(tx: Tx, datacenter: Datacenter, fields: DatacenterFields): Promise<void> {
  const other = await store.findDatacenterAt(tx, datacenter);
  if (!other || other.id === datacenter.id || other.slug === datacenter.slug) return;
  const { countryCode, cityCode, cityIndex } = datacenter;
  const message = `${other.slug} is number ${cityIndex} in ${countryCode} ${cityCode} already; give another ${fields.cityIndex}.`;
  throw new BerthError('name_taken', message, fields.cityIndex);
}
