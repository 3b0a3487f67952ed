// `berth session`: where a user is logged in, ending that from afar, and acting as somebody else. Logging in and out here is login.ts's.

import type { Session } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { UsageError } from '../exit.ts';
import { readProfiles, writeProfiles } from '../profile.ts';
import { type Cell, type Look, moment, relative } from '../table.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const sheet = (one: Session, look: Look): [string, Cell][] => [
  ['session', one.id],
  ['user', one.user.username],
  ['opened by', one.factors.join(' and ')],
  ['opened', moment(one.authenticatedAt, look)],
  ['ends unused', moment(one.expiresAt, look)],
  ['from', one.fromAddress],
  ['program', one.userAgent],
];

const sample = 'ses_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f';

/** The `session` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list where you are logged in, the newest first; keys have no sessions',
      operation: 'listSessions',
      examples: ['session list', 'session list --json'],
      columns: [
        { title: 'session', cell: ({ id }: Session) => id },
        { title: 'this', cell: ({ current }) => (current ? 'yes' : '') },
        { title: 'opened', cell: ({ authenticatedAt }, look) => relative(authenticatedAt, look) },
        { title: 'ends', cell: ({ expiresAt }, look) => relative(expiresAt, look), rank: 2 },
        { title: 'from', cell: ({ fromAddress }) => fromAddress, rank: 1 },
        { title: 'program', cell: ({ userAgent }) => userAgent, rank: 3 },
      ],
      none: 'You have no session. "berth login --username NAME" opens one.',
      pages: ({ berth }, limit) => berth.sessions.list({ limit }),
    }),
    showVerb({
      usage: 'show [SESSION]',
      description: 'show one of your sessions; the one that you are in unless another is named',
      operation: 'getSession',
      examples: ['session show', `session show ${sample}`, 'session show --profile work'],
      find: ({ berth }, id) => (id === '' ? berth.sessions.getCurrent() : berth.sessions.get(id)),
      sheet,
    }),
    deleteVerb({
      usage: 'end <SESSION>',
      description: 'log out somewhere else',
      detail: '"berth logout" ends the session that you are in, and forgets it here.',
      operation: 'deleteSession',
      examples: [`session end ${sample}`, `session end ${sample} --yes`],
      async find({ berth }, id) {
        const all = await berth.sessions.list().all();
        return { id, from: all.find((one) => one.id === id)?.fromAddress ?? null };
      },
      question: ({ id, from }) => `End session ${id}${from === null ? '' : `, opened from ${from}`}?`,
      end: ({ berth }, { id }) => berth.sessions.delete(id),
      done: ({ id }) => `Session ${id} has ended.`,
    }),
    actVerb<{ save?: string }>({
      usage: 'impersonate <USER>',
      description: 'act as another user, in a session of theirs (for operators)',
      detail:
        'You have to be in a session of your own. The new one is kept as a profile, and what is done in it bears both names in the events. "berth logout --profile NAME" ends it.',
      operation: 'createImpersonation',
      examples: ['session impersonate ann', 'session impersonate ann --save as-ann'],
      options: [option('--save <NAME>', 'what the profile is called; as-USER unless given')],
      async act(desk, [user = ''], { save = `as-${user}` }) {
        const { url } = desk.berth;
        if (save === '') throw new UsageError('--save needs a name.');
        const value = await desk.berth.sessions.createImpersonation({ user });
        const all = await readProfiles(desk.env);
        const profiles = { ...all.profiles, [save]: { url, apiKey: value.token, session: true } };
        await writeProfiles(desk.env, { ...all, profiles });
        return { value, done: `You can act as ${value.user.username} with --profile ${save}.` };
      },
    }),
  ],
};
