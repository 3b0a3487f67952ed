// A login that is under way while the password or the second factor changes: what was shown is not enough any more.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemEntropy } from '../../../src/compose/system.ts';
import { hashPassword } from '../../../src/model/password.ts';
import { callApi, startTestBerth } from '../../support/berth.ts';
import { addUser } from '../bytemark/identity.ts';
import { openStore } from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

/** Longer than a login takes. */
const loginMs = 3_000;

for (const [what, change] of [
  ['the password', { password_hash: hashPassword('quite another passphrase', systemEntropy) }],
  ['the second factor', { totp_sealed: Buffer.alloc(48) }],
] as const) {
  test(`no session that begins while ${what} changes outlives that`, async () => {
    const user = await addUser(berth, 'default');
    const { id } = await database
      .selectFrom('user')
      .where('username', '=', user.username)
      .select('id')
      .executeTakeFirstOrThrow();
    const logIn = () => callApi<{ token?: string; code?: string }>(berth.url, null, 'POST', '/berth/v1/sessions', user);
    // As whoever changes it does, up to its end.
    const login = await database.transaction().execute(async (tx) => {
      await tx.updateTable('user').set(change).where('id', '=', id).execute();
      await tx.deleteFrom('session').where('user_id', '=', id).execute();
      const begun = logIn();
      await Promise.race([begun, sleep(loginMs)]);
      return { begun };
    });
    const { status, body } = await login.begun;
    assert.deepEqual([status, body.code], [401, 'bad_credentials']);
    assert.deepEqual(await database.selectFrom('session').where('user_id', '=', id).select('id').execute(), []);
  });
}
