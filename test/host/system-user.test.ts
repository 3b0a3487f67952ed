/** System users for Berth's daemons, and which directories they may pass. Makes a user of its own and removes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandAs, ensureSystemUser, firstClosedDirectory } from '../../src/host/system-user.ts';

test('names that useradd would not take, or that are root, are refused', async () => {
  for (const name of ['', 'Berth', 'berth db', '-x', 'x'.repeat(32), 'a:b', 'a\nb']) {
    await assert.rejects(ensureSystemUser(name), /is no name for a system user/);
  }
  await assert.rejects(ensureSystemUser('root'), /must not be root/);
});

test('a user is made once, also when many ask at once, and runs programs with no group but its own', async (t) => {
  if (process.getuid?.() !== 0) {
    // Nobody but root can make one; then the message has to say how.
    await assert.rejects(ensureSystemUser('berth-test-none'), /As root: useradd --system .* berth-test-none/);
    return;
  }
  const name = `berth-test-${randomBytes(4).toString('hex')}`;
  t.after(() => execFileSync('userdel', [name], { stdio: 'ignore' }));
  const users = await Promise.all(Array.from({ length: 4 }, () => ensureSystemUser(name)));
  const [user] = users;
  assert.ok(user);
  for (const other of users) assert.deepEqual(other, user);
  const entry = execFileSync('getent', ['passwd', name], { encoding: 'utf8' });
  assert.match(entry, /:\/nonexistent:\/usr\/sbin\/nologin\n$/);

  const { file, args } = commandAs(user, 'sh', ['-c', 'id -u; id -g; id -G; grep NoNewPrivs /proc/self/status']);
  const said = execFileSync(file, args, { encoding: 'utf8' }).split(/\s+/);
  assert.deepEqual(said.slice(0, 5), [String(user.uid), String(user.gid), String(user.gid), 'NoNewPrivs:', '1']);

  const directory = await mkdtemp(join(tmpdir(), 'berth-user-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const inner = join(directory, 'a', 'b');
  await mkdir(inner, { recursive: true });
  assert.equal(await firstClosedDirectory(inner, user), directory); // mkdtemp makes it 0700
  await chmod(directory, 0o711);
  assert.equal(await firstClosedDirectory(inner, user), undefined);
  await chmod(join(directory, 'a'), 0o700);
  assert.equal(await firstClosedDirectory(inner, user), join(directory, 'a'));
});
