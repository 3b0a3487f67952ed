// Consoles whose server was killed are forgotten, and tickets that nobody has used, and VMs that have no management address get one as soon as there is one.

import type { Context } from '../app/context.ts';
import { giveManagementAddresses } from '../app/management-address.ts';
import { forgetConsoles } from '../store/console.ts';
import { forgetTickets } from '../store/door-ticket.ts';

/** One pass. */
export async function reconcileConsoles(context: Context): Promise<void> {
  await forgetConsoles(context.database, context.clock.now());
  await forgetTickets(context.database, context.clock.now());
  await giveManagementAddresses(context);
}
