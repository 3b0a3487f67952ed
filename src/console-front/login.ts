// Logging in at a console's door by SSH: with a key of one's own, with one's password, or with password and second factor as
// the door asks for them. Whoever may not use the VM's consoles is told no more than who is not known.

import type { AuthContext, Connection, KeyboardAuthContext, PasswordAuthContext, PublicKeyAuthContext } from 'ssh2';
import { keysOfUser, reachConsole, type Visitor, visitorByKey, visitorByPassword } from '../app/console-access.ts';
import type { Context } from '../app/context.ts';
import { AuthorizedKeys } from '../host/ssh/keys.ts';

/** Wrong keys and passwords on one connection; OpenSSH's own bound. */
const attemptsMax = 6;
/** What can be tried, the best first. */
const methods = ['publickey', 'keyboard-interactive', 'password'] as const;

/** Which door somebody is at, and where he comes from. */
export interface AtDoor {
  address: string;
  from: string;
}

/**
 * Lets a client log in.
 * @param admitted told once, before the client may do anything
 */
export function serveLogin(
  context: Context,
  connection: Connection,
  door: AtDoor,
  admitted: (visitor: Visitor) => void,
): void {
  let wrong = 0;
  const refuse = (attempt: AuthContext) => {
    wrong += 1;
    if (wrong < attemptsMax) attempt.reject([...methods]);
    else connection.end();
  };
  connection.on('authentication', (attempt: AuthContext) => {
    if (attempt.method === 'none') return attempt.reject([...methods]);
    identify(context, attempt, door)
      .then(async (visitor) => {
        if (visitor === 'would-do') return attempt.accept();
        if (!visitor || !(await reachConsole(context, visitor, door.address))) return refuse(attempt);
        admitted(visitor);
        attempt.accept();
      })
      .catch((error: unknown) => {
        context.logger.debug({ err: error, address: door.address }, "a login at a console's door failed");
        refuse(attempt);
      });
  });
}

/** Who shows this; `would-do` for a key that is only asked about. */
async function identify(
  context: Context,
  attempt: AuthContext,
  door: AtDoor,
): Promise<Visitor | 'would-do' | undefined> {
  switch (attempt.method) {
    case 'publickey':
      return byKey(context, attempt, door);
    case 'password':
      return byPassword(context, attempt, door);
    case 'keyboard-interactive':
      return byQuestions(context, attempt, door);
    default:
      return undefined;
  }
}

async function byKey(context: Context, attempt: PublicKeyAuthContext, { from }: AtDoor) {
  const isAmong = (keys: readonly string[]) => new AuthorizedKeys(keys).admits(attempt);
  if (!isAmong(await keysOfUser(context, attempt.username))) return undefined;
  return attempt.signature === undefined ? 'would-do' : visitorByKey(context, attempt.username, from, isAmong);
}

/** Who has a second factor is not asked for it here, and has to let himself be asked. */
async function byPassword(context: Context, { username, password }: PasswordAuthContext, { from }: AtDoor) {
  const visitor = await visitorByPassword(context, { username, password, code: undefined }, from);
  return typeof visitor === 'string' ? undefined : visitor;
}

async function byQuestions(context: Context, attempt: KeyboardAuthContext, { from }: AtDoor) {
  const { username } = attempt;
  const password = await ask(attempt, 'Password: ');
  const visitor = await visitorByPassword(context, { username, password, code: undefined }, from);
  if (typeof visitor !== 'string') return visitor;
  if (visitor === 'refused') return undefined;
  const code = await ask(attempt, '2FA code: ');
  const proven = await visitorByPassword(context, { username, password, code }, from);
  return typeof proven === 'string' ? undefined : proven;
}

/** What somebody answers; not shown while he types it. */
function ask(attempt: KeyboardAuthContext, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    attempt.once('abort', () => reject(new Error('the client does not go on with its login')));
    attempt.prompt([{ prompt, echo: false }], (answers) => {
      // ssh2 gives an error in place of answers where the client breaks off, whatever its types say.
      if (Array.isArray(answers)) resolve(answers[0] ?? '');
    });
  });
}
