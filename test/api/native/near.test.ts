// Who may do something near by, walked over every operation as its document has them: in the same account on one VM or one group, or in
// an account beside it. Nothing of what he was not granted is his, and no answer lets on that it is there.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { createAccount } from '../../../src/app/account.ts';
import { callApi } from '../../support/berth.ts';
import { addUser, asOperator, grant, tokenOf } from '../bytemark/identity.ts';
import { deployBody, deployed, holdings, untilStatus } from '../support.ts';
import { operations } from './document.ts';
import { exampleIn, namesOwned, send, startWorld } from './world.ts';

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());

/** A session of somebody who has this privilege alone. */
async function holderOf(...[level, on]: [level: string, on: object]): Promise<string> {
  const user = await addUser(berth, 'default');
  const who = database.selectFrom('user').where('username', '=', user.username).select('id');
  await database.deleteFrom('privilege').where('user_id', 'in', who).execute();
  await grant(berth, user.username, level as 'vm_admin', on as { account: string });
  return tokenOf(berth, user);
}

const [id = ''] = await deployed(berth, deployBody({ name: 'nearby' }));
await untilStatus(berth, id, 'Active');
await callApi(berth.url, world.operator, 'POST', '/berth/v1/groups', { account: 'default', name: 'nearby' });
await asOperator(berth, (context) => createAccount(context, 'nearby', 'name'));
const nearby = {
  'on one VM of the account': await holderOf('vm_admin', { account: 'default', group: 'default', vm: 'nearby' }),
  'on one group of the account': await holderOf('group_admin', { account: 'default', group: 'nearby' }),
  'on an account beside it': await holderOf('account_admin', { account: 'nearby' }),
};
const accountId = toId('account', world.accountId);

for (const operation of operations) {
  const { isPublic, isForOperators, isForUsers, changes } = operation;
  if (isPublic || isForOperators || isForUsers || !namesOwned(operation)) continue;
  test(`${operation.id} is nothing for who may do things near by`, async () => {
    const example = await exampleIn(world, operation);
    const named = [...JSON.stringify(example).matchAll(/"([a-z]+_[0-9a-f]+)"/g)].map(([, one = '']) => one);
    const owned = named.filter((one) => one !== accountId && !one.startsWith('dc_') && !one.startsWith('slot_'));
    const held = await holdings(database);
    for (const [where, token] of Object.entries(nearby)) {
      const answer = await send(world, token, operation, example);
      const shown = `${where}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.ok(answer.status < 500, shown);
      if (changes || answer.status !== 200) {
        assert.ok([403, 404].includes(answer.status), shown);
        assert.deepEqual(await holdings(database), held, where);
      }
      // A refusal repeats what it was asked for; an answer has nothing of it.
      for (const one of answer.status === 200 ? owned : []) assert.ok(!shown.includes(one), shown);
    }
  });
}
