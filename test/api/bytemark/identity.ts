// What the tests of users, sessions and privileges share: users of an account, and what an operator does for them.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { findAccount } from '../../../src/app/account.ts';
import { sha256 } from '../../../src/app/authenticate.ts';
import type { Context } from '../../../src/app/context.ts';
import { grantByOperator, type ObjectNames } from '../../../src/app/operator-privilege.ts';
import * as users from '../../../src/app/user.ts';
import { openForOperator } from '../../../src/compose/operator.ts';
import type { TestBerth } from '../../support/berth.ts';

/** What somebody logs in with. */
export interface TestUser {
  username: string;
  password: string;
}

/** Does something as the operator's commands do it. */
export async function asOperator<Result>(
  berth: TestBerth,
  work: (context: Context) => Promise<Result>,
): Promise<Result> {
  const { context, close } = await openForOperator({ data: berth.directory });
  try {
    return await work(context);
  } finally {
    await close();
  }
}

/** Adds a user who runs an account. */
export async function addUser(berth: TestBerth, account: string): Promise<TestUser> {
  const username = `user-${randomUUID().slice(0, 8)}`;
  const fields = { username: 'username', password: 'password' };
  const password = await asOperator(berth, async (context) => {
    const { id } = await findAccount(context, account);
    return users.addUser(context, id, { username, password: null }, fields);
  });
  return { username, password };
}

/** Grants a user a privilege as the operator. @returns its number */
export async function grant(
  berth: TestBerth,
  username: string,
  level: string,
  names: ObjectNames = {},
  terms: { secondFactor?: boolean; from?: string } = {},
): Promise<number> {
  const { secondFactor = false, from = null } = terms;
  const made = await asOperator(berth, (context) =>
    grantByOperator(context, username, level, names, { secondFactor, from }),
  );
  return Number(made.id);
}

/** A bare answer. */
export interface TextAnswer {
  status: number;
  text: string;
  type: string;
}

/** `POST /session`, or below it. */
export async function postSession(berth: TestBerth, body: string, type: string, path = ''): Promise<TextAnswer> {
  const headers = { 'content-type': type, accept: 'text/plain' };
  const response = await fetch(`${berth.url}/session${path}`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') ?? '' };
}

/** A login in JSON. */
export const logIn = (berth: TestBerth, credentials: object): Promise<TextAnswer> =>
  postSession(berth, JSON.stringify(credentials), 'application/json');

/** A session's token; fails the test when the login is refused. */
export async function tokenOf(berth: TestBerth, credentials: object): Promise<string> {
  const { status, text } = await logIn(berth, credentials);
  assert.equal(status, 200, text);
  return text;
}

/** A secret as the database has it. */
export const secretOf = (secret: string): Buffer => Buffer.from(sha256(secret));
