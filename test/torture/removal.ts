// Deletions, and what their customers then know.

import { type Answer, type Market, untilAnswered } from './calls.ts';

/** How each dialect says that there is no such instance, or that it is being deleted already. */
const goneAlready: ReadonlySet<number> = new Set([400, 404, 409]);

/**
 * Deletes instances for good, all or none.
 * @param ask the call of whichever dialect
 */
export async function removeInstances(
  market: Market,
  ids: readonly string[],
  mayGiveUp: boolean,
  ask: () => Promise<Answer>,
): Promise<void> {
  const { ledger } = market;
  let asked = 0;
  // Until it is answered the deletion may have been done, and another client must not take the instance for a live one.
  ledger.orderDeletion(ids, 'unknown');
  const answer = await untilAnswered(market, mayGiveUp, () => {
    asked += 1;
    return ask();
  });
  if (!answer) return;
  if (answer.status < 300) {
    ledger.openDeletions.delete(ids);
    ledger.orderDeletion(ids, 'ordered');
  } else if (!goneAlready.has(answer.status)) {
    ledger.complain(`deleting ${ids.join(', ')} was answered ${JSON.stringify(answer)}`);
  } else if (asked === 1 && ids.length === 1 && ledger.promised.get(ids[0] ?? '')?.deletion === 'none') {
    ledger.complain(`deleting ${ids[0]}, which is live, was answered ${JSON.stringify(answer)}`);
  }
}
