// A slot: a fixed slice of a host that is rented whole to one container. What its state and its host's say of it to
// customers, and what it can be searched by. (Hiveon API: machines.)

/** `closed` is not let any more and keeps the container it has; `removed` is kept for the record. */
export type SlotState = 'open' | 'closed' | 'removed';

/** What a slot's price is for: an hour, or an epoch of a day. */
export type SlotPriceUnit = 'hour' | 'epoch';

/** How long the unit of a price is, in hours. */
export const unitHours: Record<SlotPriceUnit, number> = { hour: 1, epoch: 24 };

/** What customers are told of a slot. */
export type SlotStatus = 'available' | 'rented' | 'inactive';

/** What a slot's status follows from. */
export interface SlotFacts {
  state: SlotState;
  isRented: boolean;
  /** Its host is open to new instances and in reach. */
  isHostOpen: boolean;
  /** Its host has told of something that runs containers. */
  hasEngine: boolean;
  /** Its host has the room now: VMs and slots take from the same. */
  hasRoom: boolean;
}

/** What customers are told of a slot. */
export function slotStatus({ state, isRented, isHostOpen, hasEngine, hasRoom }: SlotFacts): SlotStatus {
  if (isRented) return 'rented';
  return state === 'open' && isHostOpen && hasEngine && hasRoom ? 'available' : 'inactive';
}
