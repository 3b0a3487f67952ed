// What the tests of consoles share: users with keys, VMs with their management addresses, and OpenSSH's client as a person
// uses it.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { PrivilegeLevel } from '../../src/model/privilege.ts';
import { type Database, inTransaction } from '../../src/store/database.ts';
import { findUser, updateUser } from '../../src/store/user.ts';
import { clientOptions, type Ended, type KeyPair, keyPair, runToEnd } from '../agent/ssh/support.ts';
import { until } from '../support/berth.ts';

/** Gives a user one public key, in place of others. */
export async function authorize(database: Database, username: string, ...pairs: KeyPair[]): Promise<void> {
  const user = await findUser(database, { username });
  assert.ok(user, username);
  const authorizedKeys = pairs.map(({ line }) => line);
  await inTransaction(database, (tx) => updateUser(tx, user.id, { authorizedKeys }));
}

/** Adds a user with a key of his own, and one privilege or none. */
export async function addVisitor(
  database: Database,
  directory: string,
  grant?: { level: PrivilegeLevel; accountId?: string; groupId?: bigint; instanceId?: string },
): Promise<{ username: string; key: KeyPair }> {
  const username = `visitor${randomUUID().slice(0, 8)}`;
  const id = randomUUID();
  await database.insertInto('user').values({ id, username, password_hash: null, created_at: new Date() }).execute();
  if (grant) {
    const { level, accountId = null, groupId = null, instanceId = null } = grant;
    await database
      .insertInto('privilege')
      .values({
        ...{ user_id: id, level, account_id: accountId, group_id: groupId, instance_id: instanceId, api_key_id: null },
        ...{ password_required: true, granted_by: null, created_at: new Date() },
      })
      .execute();
  }
  const key = await keyPair(directory, username);
  await authorize(database, username, key);
  return { username, key };
}

/** The address of a VM's consoles. */
export async function managementAddress(database: Database, instanceId: string): Promise<string> {
  const row = await database
    .selectFrom('management_address')
    .where('instance_id', '=', instanceId)
    .select('ip')
    .executeTakeFirstOrThrow();
  return row.ip;
}

/** Whether SSH's port takes connections at an address. */
const hasDoor = (at: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(22, at);
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });

/** Waits until a door is open, or closed. */
export const untilDoor = (at: string, isOpen = true): Promise<void> =>
  until(`the door at ${at} is ${isOpen ? 'open' : 'closed'}`, async () => (await hasDoor(at)) === isOpen);

/** OpenSSH's options for a visitor, with his key. */
export const optionsOf = (key: KeyPair): string[] => clientOptions(key);

/** Whether somebody is let in; it ends at once. */
export async function isLetIn(username: string, key: KeyPair, address: string): Promise<boolean> {
  const { stderr } = await attempt(username, key, address);
  if (/takes no commands/.test(stderr)) return true;
  assert.match(stderr, /Permission denied/);
  return false;
}

/** Logs in with a command, which no console takes. */
export const attempt = (username: string, key: KeyPair, address: string): Promise<Ended> =>
  runToEnd('ssh', [...optionsOf(key), `${username}@${address}`, 'true']);

/** Logs in with a password, and the answers to what else is asked, as a person types them. */
export async function attemptByPassword(
  directory: string,
  username: string,
  answers: readonly string[],
  address: string,
  method: 'password' | 'keyboard-interactive',
): Promise<Ended> {
  const program = join(directory, `answer-${randomUUID()}`);
  // OpenSSH runs it for each question; the answers are used up one after the other.
  await writeFile(`${program}.answers`, answers.map((answer) => `${answer}\n`).join(''));
  const script = `#!/bin/sh\nhead -n 1 '${program}.answers'\nsed -i 1d '${program}.answers'\n`;
  await writeFile(program, script, { mode: 0o700 });
  const options = [
    ...['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'PubkeyAuthentication=no'],
    ...[`PreferredAuthentications=${method}`, 'NumberOfPasswordPrompts=1'],
  ].flatMap((option) => ['-o', option]);
  const child = spawn('ssh', ['-F', 'none', ...options, `${username}@${address}`, 'true'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    env: { PATH: process.env.PATH, SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' },
  });
  let [stdout, stderr] = [Buffer.alloc(0), ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout = Buffer.concat([stdout, chunk]);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** A person at a terminal. */
export class Person {
  readonly #child: ChildProcess;
  #seen = '';
  /** What OpenSSH itself said, and the door where it refuses. */
  complaints = '';
  readonly left: Promise<number | null>;
  #hasLeft = false;

  /** Connects with OpenSSH; `-tt` as there is a terminal. */
  constructor(username: string, key: KeyPair, address: string, more: readonly string[] = ['-tt']) {
    const args = [...optionsOf(key), ...more, `${username}@${address}`];
    this.#child = spawn('ssh', args, { stdio: 'pipe', env: { PATH: process.env.PATH, TERM: 'vt100' } });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#seen += chunk.toString('latin1');
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.complaints += chunk.toString('latin1');
    });
    this.#child.stdin?.on('error', () => {});
    this.left = new Promise((resolve) => this.#child.once('close', resolve));
    void this.left.then(() => {
      this.#hasLeft = true;
    });
  }

  /** Everything on the screen so far. */
  get seen(): string {
    return this.#seen;
  }

  /** Forgets what was on the screen. */
  wipe(): void {
    this.#seen = '';
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until the screen shows something. @throws Error when it never will, as the person has left */
  async sees(what: RegExp | string, boundMs = 60_000): Promise<void> {
    const shows = () => (typeof what === 'string' ? this.#seen.includes(what) : what.test(this.#seen));
    const looking = until(`the screen shows ${what}`, async () => shows() || this.#hasLeft, boundMs).then(() => {
      if (!shows()) throw new Error(`OpenSSH ended before the screen showed ${what}`);
    });
    await looking.catch((error: Error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.#seen.slice(-500))} and ${this.complaints}`);
    });
  }

  /** Stops reading, as a terminal does that somebody has paused. */
  pause(): void {
    this.#child.stdout?.pause();
  }

  resume(): void {
    this.#child.stdout?.resume();
  }

  /** Goes away without a word. */
  async leave(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.left;
  }
}
