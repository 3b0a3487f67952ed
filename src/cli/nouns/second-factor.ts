// `berth second-factor`: the codes that a user's logins need beside the password. Passwords come from a prompt or standard input, as
// with `berth login`.

import { askSecret, askText, confirm, hasPerson } from '../ask.ts';
import { type Noun, option } from '../command.ts';
import { find, userKind } from '../find.ts';
import { actVerb, yesOption } from '../verbs.ts';

/** A secret in fours, as people type it. */
const inFours = (secret: string) => secret.replace(/.{4}(?=.)/g, '$& ');

/** The `second-factor` commands. */
export const noun: Noun = {
  verbs: [
    actVerb({
      usage: 'add',
      description: 'begin to set up your second factor: codes of an app',
      detail:
        'Asks for your password (on standard input, where nobody is there), and shows what the app needs, once. On a terminal the first code is asked for at once; elsewhere "berth second-factor confirm" takes it. You have to be in a session: "berth login --username NAME".',
      operation: 'createSecondFactor',
      examples: ['second-factor add', 'second-factor add --json < password.txt'],
      async act(desk) {
        const currentPassword = await askSecret(desk, 'Your password');
        const value = await desk.berth.users.createSecondFactor('me', { currentPassword });
        const told = `Give your app this secret, shown once: ${inFours(value.secret)}\nor this URI: ${value.uri}`;
        if (desk.json || desk.quiet || !hasPerson(desk)) {
          return { value, done: `${told}\n"berth second-factor confirm CODE" switches it on, with a code of the app.` };
        }
        desk.err.write(`${told}\n`);
        const code = await askText(desk, 'A code of the app', '', 'a code to "berth second-factor confirm"');
        await desk.berth.users.confirmSecondFactor('me', { code });
        return { value, done: 'Codes are asked for from now on. Your other sessions have ended.' };
      },
    }),
    actVerb({
      usage: 'confirm <CODE>',
      description: 'switch your second factor on, with a code that shows that your app has it',
      detail: 'From then on each login by password needs a code. Your other sessions end.',
      operation: 'confirmSecondFactor',
      examples: ['second-factor confirm 492039', 'second-factor confirm 492039 --profile work'],
      async act({ berth }, [code = '']) {
        const value = await berth.users.confirmSecondFactor('me', { code });
        return {
          value,
          done: `User ${value.username} logs in with a code from now on. Your other sessions have ended.`,
        };
      },
    }),
    actVerb<{ code?: string; user?: string; yes?: boolean }>({
      usage: 'remove',
      description: 'take a second factor away: yours with a code of it, as an operator anybody’s',
      operation: 'removeSecondFactor',
      examples: ['second-factor remove --code 492039', 'second-factor remove --user ann --yes'],
      options: [
        option('--code <CODE>', 'of your own; asked for unless given'),
        option('--user <USER>', 'who has lost theirs (for operators)'),
        yesOption(),
      ],
      async act(desk, _, { code: given, user, yes = false }) {
        if (user !== undefined) {
          const { id, username } = await find(desk, userKind, user);
          await confirm(desk, yes, `Let ${username} log in with the password alone?`);
          const value = await desk.berth.users.removeSecondFactor(id, {});
          return { value, done: `User ${username} logs in with the password alone.` };
        }
        const code = given ?? (await askText(desk, 'A code of your app', '', '--code'));
        const value = await desk.berth.users.removeSecondFactor('me', { code });
        return { value, done: 'You log in with the password alone.' };
      },
    }),
  ],
};
