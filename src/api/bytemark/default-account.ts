// Which account a path means that leaves it empty. Bytemark's command-line client sends `/accounts//groups/…` when a disc is added by
// somebody who has chosen no account, though it looks up his default one for everything else.

import { listAccounts } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';

/** Takes an empty account in a path for the caller's default one, which is the first that billing shows him. */
export function readDefaultAccount({ app, context }: Api): void {
  app.addHook('preHandler', async (request) => {
    const params = request.params as { account?: string };
    if (params.account !== '') return;
    const [account] = await listAccounts(context, await callerOf(context, request));
    if (account) params.account = account.number.toString();
  });
}
