// Sessions: opened by logging in, or by the cluster's operators as somebody else; each use puts their end off, up to a month after the
// login. The token is shown once, when it is made.

import { BerthError, shown } from '../model/errors.ts';
import { newSecret, newUuid } from '../model/id.ts';
import { clusterLevelOf, mayChange } from '../model/privilege.ts';
import { expiryOf, extendedExpiry, validityOf } from '../model/session.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import {
  deleteSession,
  endOldest,
  extendSession,
  findSession,
  insertSession,
  listSessions as list,
  type SessionRow,
} from '../store/session.ts';
import { findUser, holdCredentials } from '../store/user.ts';
import { sha256 } from './authenticate.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';
import { allGrantsOf, grantsOfUser } from './grants.ts';
import { type Credentials, logIn } from './login.ts';

/** The texts that clients look for. (Bytemark API: POST /session) */
const badCredentials = 'Bad login credentials';
const missingSecondFactor = 'Missing 2FA';

export type { SessionRow } from '../store/session.ts';

/** Where a session is opened from. */
export interface Origin {
  /** The address that the request comes from. */
  from: string;
  /** The program that sends it, as it calls itself. */
  userAgent?: string | undefined;
}

/** A session with its token, which is kept nowhere. */
export type OpenedSession = SessionRow & { token: string };

/**
 * Logs in.
 * @param validitySeconds how long the session lasts that is not used, as far as it may be
 * @throws BerthError `bad_credentials` and `second_factor_needed` with the texts that clients look for, `too_many_requests`
 */
export async function openSession(
  context: Context,
  credentials: Credentials,
  validitySeconds: number | undefined,
  origin: Origin,
): Promise<OpenedSession> {
  const login = await logIn(context, credentials, origin.from);
  if (login.outcome === 'refused') throw new BerthError('bad_credentials', badCredentials);
  if (login.outcome === 'second-factor-missing') throw new BerthError('second_factor_needed', missingSecondFactor);
  const { userId, factors } = login;
  const authenticatedAt = context.clock.now();
  const user = { id: userId, username: credentials.username };
  const shownHere = { factors, authenticatedAt, validitySeconds: validityOf(validitySeconds) };
  return inTransaction(context.database, async (tx) => {
    // Another password ends all sessions, and so one that was about to begin with the old one.
    if (!(await holdCredentials(tx, login.credentials))) throw new BerthError('bad_credentials', badCredentials);
    return begin({ ...context, database: tx }, user, shownHere, origin, null);
  });
}

/**
 * The session of a token, or of an id where its token was shown before; its end is put off.
 * @returns undefined when there is none, or it has ended
 */
export async function useSession(context: Context, by: string | { id: string }): Promise<SessionRow | undefined> {
  const now = context.clock.now();
  const named = typeof by === 'string' ? { tokenSha256: sha256(by) } : by;
  const session = await findSession(context.database, named, now);
  const end = session && extendedExpiry(session, now);
  if (end) await extendSession(context.database, session.id, end);
  return session;
}

/**
 * Opens a session in which the user of another acts as somebody else: as one who holds less of the cluster than himself.
 * @throws BerthError `not_found`, `forbidden`
 */
export async function impersonate(
  context: Context,
  session: SessionRow,
  by: { id: string } | { username: string },
  origin: Origin,
): Promise<OpenedSession> {
  if (session.factors.includes('impersonated')) {
    throw new BerthError('forbidden', `You act as ${session.username} already; do this in a session of your own.`);
  }
  const own = clusterLevelOf(await grantsOfUser(context, session.userId, { ...session, from: origin.from }));
  if (own === null) throw new BerthError('forbidden', 'To act as somebody else needs the privilege cluster_admin.');
  const user = await findUser(context.database, by);
  if (!user) throw new BerthError('not_found', `There is no user ${shown(Object.values(by)[0])}.`, 'username');
  const theirs = clusterLevelOf(await allGrantsOf(context, user.id));
  if (theirs !== null && !mayChange([{ level: own }], { level: theirs })) {
    throw new BerthError('forbidden', `${user.username} is ${theirs}, which is not below your own ${own}.`);
  }
  const { authenticatedAt, validitySeconds } = session;
  const factors: SessionRow['factors'] = [...session.factors, 'impersonated'];
  const shownThere = { factors, authenticatedAt, validitySeconds };
  const opened = await begin(context, user, shownThere, origin, session.userId);
  await inTransaction(context.database, (tx) =>
    insertEvents(tx, [
      {
        ...{ accountId: null, instanceId: null, hostId: null, kind: 'user.impersonated' },
        ...{ message: `${session.username} acts as user ${user.username}.`, actor: `user:${session.username}` },
        ...{ data: { username: user.username }, createdAt: context.clock.now() },
      },
    ]),
  );
  return opened;
}

/**
 * The session that a request comes in.
 * @throws BerthError `forbidden` where it comes with a key
 */
export async function currentSession({ database, clock }: Context, caller: Caller): Promise<SessionRow> {
  const { sessionId: id } = caller;
  const session = id === undefined ? undefined : await findSession(database, { id }, clock.now());
  if (!session) throw new BerthError('forbidden', 'This is for users who have logged in; a key has no session.');
  return session;
}

/** A caller's own sessions, the newest first. A user's key sees none, nor does an account's own. */
export async function listOwnSessions({ database, clock }: Context, caller: Caller): Promise<SessionRow[]> {
  return caller.user && caller.sessionId !== undefined ? list(database, caller.user.id, clock.now()) : [];
}

/**
 * One of the caller's own sessions.
 * @throws BerthError `forbidden` for a key, `not_found` where he has no such session
 */
export async function ownSession(context: Context, caller: Caller, id: string): Promise<SessionRow> {
  const { userId } = await currentSession(context, caller);
  const session = await findSession(context.database, { id }, context.clock.now());
  if (session?.userId !== userId) throw new BerthError('not_found', 'You have no such session; it may have ended.', id);
  return session;
}

/**
 * Ends one of the caller's own sessions.
 * @throws BerthError as {@link ownSession} does
 */
export async function endSession(context: Context, caller: Caller, id: string): Promise<void> {
  await deleteSession(context.database, (await ownSession(context, caller, id)).id);
}

/** @throws BerthError `not_found` */
export async function requireSession(context: Context, token: string): Promise<SessionRow> {
  const session = await useSession(context, token);
  // The token is as good as a password, so it is not repeated.
  if (!session) throw new BerthError('not_found', 'There is no such session; it may have ended.');
  return session;
}

/** A program that logs in at each of its calls has that many at once; who logs in more often ends the oldest of his. */
const sessionsMax = 1_000;

/** What programs call themselves is cut off here. */
const userAgentLengthMax = 300;

async function begin(
  context: Context,
  user: { id: string; username: string },
  opened: Pick<SessionRow, 'factors' | 'authenticatedAt' | 'validitySeconds'>,
  { from, userAgent }: Origin,
  impersonatorId: string | null,
): Promise<OpenedSession> {
  const token = newSecret('session', context.entropy);
  const session = {
    ...{ ...opened, id: newUuid(context.entropy), userId: user.id },
    expiresAt: expiryOf(opened, context.clock.now()),
    ...{ fromAddress: from, userAgent: userAgent?.slice(0, userAgentLengthMax) ?? null },
  };
  await insertSession(context.database, { ...session, impersonatorId, tokenSha256: sha256(token) });
  await endOldest(context.database, user.id, sessionsMax);
  return { ...session, username: user.username, token };
}
