// Sessions: opened by logging in, or by the cluster's operators as somebody else; each use puts their end off. The token is
// shown once, when it is made.

import { BerthError, shown } from '../model/errors.ts';
import { newSecret } from '../model/id.ts';
import { clusterLevelOf, mayChange } from '../model/privilege.ts';
import { extendedExpiry, validityOf } from '../model/session.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { extendSession, findSession, insertSession, type SessionRow } from '../store/session.ts';
import { findUser } from '../store/user.ts';
import { sha256 } from './authenticate.ts';
import type { Context } from './context.ts';
import { allGrantsOf, grantsOfUser } from './grants.ts';
import { type Credentials, logIn } from './login.ts';

/** The texts that clients look for. (Bytemark API: POST /session) */
const badCredentials = 'Bad login credentials';
const missingSecondFactor = 'Missing 2FA';

/**
 * Logs in.
 * @param validitySeconds how long the session lasts that is not used, as far as it may be
 * @param from the address that the request comes from
 * @returns the session's token, which is kept nowhere
 * @throws BerthError `forbidden` with the texts that clients look for, `too_many_requests`
 */
export async function openSession(
  context: Context,
  credentials: Credentials,
  validitySeconds: number | undefined,
  from: string,
): Promise<string> {
  const login = await logIn(context, credentials, from);
  if (login.outcome === 'refused') throw new BerthError('forbidden', badCredentials);
  if (login.outcome === 'second-factor-missing') throw new BerthError('forbidden', missingSecondFactor);
  const { userId, factors } = login;
  const authenticatedAt = context.clock.now();
  return begin(context, { userId, factors, authenticatedAt, validitySeconds: validityOf(validitySeconds) }, null);
}

/**
 * The session of a token, whose end is put off.
 * @returns undefined when there is none, or it has ended
 */
export async function useSession(context: Context, token: string): Promise<SessionRow | undefined> {
  const now = context.clock.now();
  const tokenSha256 = sha256(token);
  const session = await findSession(context.database, tokenSha256, now);
  const end = session && extendedExpiry(session.expiresAt, session.validitySeconds, now);
  if (end) await extendSession(context.database, tokenSha256, end);
  return session;
}

/**
 * Opens a session in which the bearer of another acts as a user: as one who holds less of the cluster than himself.
 * @param from the address that the request comes from
 * @returns its token
 * @throws BerthError `not_found` when there is no such session, `forbidden`
 */
export async function impersonate(context: Context, token: string, username: string, from: string): Promise<string> {
  const session = await requireSession(context, token);
  if (session.factors.includes('impersonated')) {
    throw new BerthError('forbidden', `You act as ${session.username} already; do this in a session of your own.`);
  }
  const own = clusterLevelOf(await grantsOfUser(context, session.userId, { ...session, from }));
  if (own === null) throw new BerthError('forbidden', 'To act as somebody else needs the privilege cluster_admin.');
  const user = await findUser(context.database, { username });
  if (!user) throw new BerthError('not_found', `There is no user ${shown(username)}.`, 'username');
  const theirs = clusterLevelOf(await allGrantsOf(context, user.id));
  if (theirs !== null && !mayChange([{ level: own }], { level: theirs })) {
    throw new BerthError('forbidden', `${user.username} is ${theirs}, which is not below your own ${own}.`);
  }
  const { authenticatedAt, validitySeconds } = session;
  const factors: SessionRow['factors'] = [...session.factors, 'impersonated'];
  const opened = await begin(context, { userId: user.id, factors, authenticatedAt, validitySeconds }, session.userId);
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

/** @throws BerthError `not_found` */
export async function requireSession(context: Context, token: string): Promise<SessionRow> {
  const session = await useSession(context, token);
  // The token is as good as a password, so it is not repeated.
  if (!session) throw new BerthError('not_found', 'There is no such session; it may have ended.');
  return session;
}

async function begin(
  context: Context,
  session: Omit<SessionRow, 'username' | 'expiresAt'>,
  impersonatorId: string | null,
): Promise<string> {
  const token = newSecret('session', context.entropy);
  const expiresAt = new Date(context.clock.now().getTime() + session.validitySeconds * 1000);
  await insertSession(context.database, { ...session, expiresAt, impersonatorId, tokenSha256: sha256(token) });
  return token;
}
