// The sizes that are sold, as the operator decides. What was deployed of one that is no longer sold runs on.

import { compareSizes, parseConfiguration, type Size } from '../model/configuration.ts';
import { BerthError, shown } from '../model/errors.ts';
import {
  deleteConfiguration,
  insertConfiguration,
  lockConfigurations,
  listConfigurations as read,
} from '../store/configuration.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

/** Everything that is sold, from the smallest. */
export async function listSoldConfigurations(context: Context): Promise<{ slug: string; size: Size }[]> {
  return (await read(context.database)).sort((a, b) => compareSizes(a.size, b.size));
}

/**
 * One of what is sold.
 * @throws BerthError `not_found`
 */
export async function findSoldConfiguration(context: Context, slug: string): Promise<{ slug: string; size: Size }> {
  const found = (await read(context.database)).find((one) => one.slug === slug);
  if (!found) throw unknownName('configuration', slug);
  return found;
}

/**
 * Puts a configuration on sale on every host that it fits on.
 * @param field what a refusal is about
 * @throws BerthError `invalid_value`; `name_taken` when it is on sale already
 */
export async function addConfiguration(
  context: Context,
  slug: string,
  actor = operatorActor,
  field = slug,
): Promise<Size> {
  const size = parseConfiguration(slug);
  if (!size) {
    const message = `${shown(slug)} is no configuration; it must be of the form "cpu-2-ram-4gb-storage-25gb".`;
    throw new BerthError('invalid_value', message, field);
  }
  await inTransaction(context.database, async (tx) => {
    if (!(await insertConfiguration(tx, slug, size, context.clock.now()))) {
      throw new BerthError('name_taken', `${slug} is on sale already.`, field);
    }
    const message = `${slug} is on sale.`;
    await insertEvents(tx, [operatorEvent(context, 'configuration.added', message, { data: { slug } }, actor)]);
  });
  return size;
}

/**
 * Takes a configuration off the market. The last one stays: a server that finds none begins with the settings' again.
 * @throws BerthError `not_found`, `wrong_state`
 */
export async function removeConfiguration(context: Context, slug: string, actor = operatorActor): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const sold = await lockConfigurations(tx);
    if (!sold.includes(slug)) throw unknownName('configuration', slug);
    if (sold.length === 1) {
      const message = `${slug} is the only configuration; add another one first, or drain the hosts to sell nothing.`;
      throw new BerthError('wrong_state', message, slug);
    }
    await deleteConfiguration(tx, slug);
    const message = `${slug} is no longer on sale.`;
    await insertEvents(tx, [operatorEvent(context, 'configuration.removed', message, { data: { slug } }, actor)]);
  });
}
