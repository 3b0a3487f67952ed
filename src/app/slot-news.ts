// Tells customers what has become of slots: whatever the cause - rented, free again, its host gone or full, another price -
// what is now is compared with what was told last.

import { formatUsd } from '../model/money.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import { listSlotNews, lockSlotNews, readSnapshot, type SlotNews, writeTold } from '../store/slot-news.ts';
import type { Context } from './context.ts';

/** Slots that are told of in one transaction. */
const batchMax = 500;

/**
 * Tells of every slot that is not as it was told.
 * @param since what the call before returned; null looks at all slots
 * @returns what to go on from: `since` itself when somebody else is telling
 */
export async function tellSlots(context: Context, since: string | null): Promise<string | null> {
  const { database } = context;
  const snapshot = await readSnapshot(database);
  let after: string | null = null;
  do {
    const page = { since, after, limit: batchMax };
    const told = await inTransaction(database, async (tx) => {
      // One at a time: a second one might look before the first has told, and tell after it what is no longer so.
      if (!(await lockSlotNews(tx))) return null;
      const news = await listSlotNews(tx, page);
      const now = context.clock.now();
      await insertEvents(
        tx,
        news.map((slot) => eventOf(slot, now)),
      );
      await writeTold(tx, news);
      return news;
    });
    if (told === null) return since;
    after = told.length < batchMax ? null : (told.at(-1)?.id ?? null);
  } while (after !== null);
  return snapshot;
}

function eventOf({ id, name, hostId, hostName, isKnown, now }: SlotNews, createdAt: Date): NewEvent {
  const status = now?.status ?? 'inactive';
  const prices = (now?.prices ?? []).map((price) => {
    return { id: price.id, amount: formatUsd(BigInt(price.amountMicroUsd)), unit: price.unit };
  });
  const what = now === null ? 'removed' : isKnown ? 'updated' : 'created';
  return {
    ...{ accountId: null, instanceId: null, hostId, actor: 'berth', createdAt },
    kind: `slot.${what}`,
    message: `Slot ${name} of host ${hostName} is ${now === null ? what : status}.`,
    data: { slotId: id, status, prices },
  };
}
