// Tells customers what has become of slots: whatever the cause - rented, free again, its host gone or full, another price -
// what is now is compared with what was told last.

import { isDeepStrictEqual } from 'node:util';
import { slotStatus } from '../model/slot.ts';
import { type Database, inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { listSlots, type SlotRow, writeTold } from '../store/slot.ts';
import type { Context } from './context.ts';

/** Slots that are told of in one transaction. */
const batchMax = 100;

/** Tells of every slot that is not as it was told. @returns how many there were */
export async function tellSlots(context: Context): Promise<number> {
  const changed = await listChanged(context.database);
  for (let at = 0; at < changed.length; at += batchMax) {
    const batch = changed.slice(at, at + batchMax);
    await inTransaction(context.database, async (tx) => {
      for (const { id } of batch) {
        // Again, under its lock: another replica may be telling the same.
        const [slot] = await listSlots(tx, { slotId: id, lock: true });
        if (!slot || !isNews(slot)) continue;
        const now = toldOf(slot);
        await insertEvents(tx, [
          {
            ...{ accountId: null, instanceId: null, hostId: slot.hostId, actor: 'berth' },
            kind: slot.told === null ? 'slot.created' : 'slot.updated',
            message: `Slot ${slot.name} of host ${slot.hostName} is ${slotStatus(slot)}.`,
            data: { slotId: id, ...now },
            createdAt: context.clock.now(),
          },
        ]);
        await writeTold(tx, id, now);
      }
    });
  }
  return changed.length;
}

async function listChanged(database: Database): Promise<SlotRow[]> {
  return (await listSlots(database)).filter(isNews);
}

const isNews = (slot: SlotRow) => !isDeepStrictEqual(slot.told, toldOf(slot));

/** What customers are told of a slot, in JSON. */
function toldOf(slot: SlotRow): Record<string, unknown> {
  return { status: slotStatus(slot), prices: slot.prices.map(({ id }) => id) };
}
