/** The data directory's lock: one holder, for as long as its process lives, however it ends. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootId, processStartTicks } from '../../src/host/process.ts';
import { acquireDataDirLock, DataDirInUseError } from '../../src/store/embedded/lock.ts';
import { killChild, scratch, startChild, whatItSays } from './embedded-scratch.ts';

test('a second process is refused with the pid of the first, and gets the lock once that was killed', async (t) => {
  const { directory } = await scratch(t);
  const first = startChild(t, 'lock', directory);
  const { pid } = await whatItSays(first);
  assert.equal(pid, first.pid);
  await assert.rejects(acquireDataDirLock(directory), (error) => {
    assert.ok(error instanceof DataDirInUseError);
    assert.equal(error.pid, pid);
    assert.ok(error.message.includes(`process ${pid}`) && error.message.includes(directory));
    return true;
  });
  await killChild(first);
  await (await acquireDataDirLock(directory)).release();
});

test('the same process is refused too, until it releases; a second release does no harm', async (t) => {
  const { directory } = await scratch(t);
  const lock = await acquireDataDirLock(join(directory, 'made', 'by', 'it'));
  await assert.rejects(acquireDataDirLock(join(directory, 'made', 'by', 'it')), /this very process/);
  await lock.release();
  const next = await acquireDataDirLock(join(directory, 'made', 'by', 'it'));
  await lock.release();
  await assert.rejects(acquireDataDirLock(join(directory, 'made', 'by', 'it')), DataDirInUseError);
  await next.release();
});

test('holders of another boot, pids given to another process, and damaged files count as gone', async (t) => {
  const self = { pid: process.pid, startTicks: processStartTicks(process.pid), bootId: bootId() };
  const stale = [
    JSON.stringify({ ...self, bootId: 'another boot' }),
    JSON.stringify({ ...self, startTicks: '1' }),
    '',
    '{"pid":',
  ];
  for (const content of stale) {
    const { directory } = await scratch(t);
    await mkdir(join(directory, 'lock'));
    await writeFile(join(directory, 'lock', '9'), content);
    const lock = await acquireDataDirLock(directory);
    assert.deepEqual(await readdir(join(directory, 'lock')), ['10']);
    await lock.release();
  }
});

test('of many that race for a stale lock exactly one wins, round after round', async (t) => {
  const { directory } = await scratch(t);
  for (let round = 0; round < 30; round++) {
    const attempts = Array.from({ length: 12 }, () => acquireDataDirLock(directory));
    const results = await Promise.allSettled(attempts);
    const won = results.filter((result) => result.status === 'fulfilled');
    assert.equal(won.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof DataDirInUseError, String(result.reason));
    }
    await won[0]?.value.release();
    assert.equal((await readdir(join(directory, 'lock'))).length, 1);
  }
});

test('of processes that race for a lock whose holder was killed exactly one wins', async (t) => {
  const { directory } = await scratch(t);
  const holder = startChild(t, 'lock', directory);
  await whatItSays(holder);
  await killChild(holder);
  const racers = Array.from({ length: 5 }, () => startChild(t, 'lock', directory));
  const said = await Promise.all(racers.map(whatItSays));
  assert.equal(said.filter((one) => one.pid !== undefined).length, 1);
  const winner = said.find((one) => one.pid !== undefined)?.pid;
  for (const { error } of said) if (error !== undefined) assert.ok(error.includes(`process ${winner}`), error);
  for (const racer of racers) await killChild(racer);
});
