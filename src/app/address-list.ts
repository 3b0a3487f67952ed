// The addresses that a caller sees. How they change stands in additional-address.ts.

import { sightOf } from '../model/privilege.ts';
import { type AddressFilter, type AddressWindow, listSeenAddresses, type SeenAddress } from '../store/address-list.ts';
import type { Caller } from './access.ts';
import type { Context } from './context.ts';

export type { SeenAddress } from '../store/address-list.ts';

/** The addresses of the VMs that a caller sees, IPv4 before IPv6; one more than the window takes, if there is one. */
export function listAddressesInSight(
  { database }: Context,
  { grants }: Caller,
  filter: AddressFilter,
  window: AddressWindow,
): Promise<SeenAddress[]> {
  return listSeenAddresses(database, sightOf(grants), filter, window);
}
