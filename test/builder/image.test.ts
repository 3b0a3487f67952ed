// What the builder does when a build does not come to its end, and what its command says to a person.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runCommand } from '../../src/builder/command.ts';
import { masterBootRecord } from '../../src/builder/disk.ts';
import { type BuildStep, buildImage, ImageBuildError } from '../../src/builder/image.ts';

const execFileAsync = promisify(execFile);

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-build-'));
});
after(() => rm(directory, { recursive: true, force: true }));

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('a build that is stopped leaves the earlier image as it was, and nothing else', async () => {
  const outDirectory = await mkdtemp(join(directory, 'out-'));
  const scratchDir = await mkdtemp(join(directory, 'scratch-'));
  const outFile = join(outDirectory, 'debian.qcow2');
  await writeFile(outFile, 'the earlier image');
  const stop = new AbortController();
  const onStep = (step: BuildStep): void => {
    // By then mmdebstrap has mounted file systems and runs programs in the new system.
    if (step.step === 'Installing the base system') stop.abort();
  };
  await assert.rejects(
    buildImage('debian-12', outFile, { scratchDir, onStep, signal: stop.signal }),
    (error: Error) => {
      assert.ok(error instanceof ImageBuildError);
      assert.match(error.message, /^Building debian-12 failed: .*stopped/);
      return true;
    },
  );
  assert.equal(await readFile(outFile, 'utf8'), 'the earlier image');
  assert.deepEqual(await readdir(outDirectory), ['debian.qcow2']);
  assert.deepEqual(await readdir(scratchDir), []);
  assert.doesNotMatch(await readFile('/proc/self/mounts', 'utf8'), new RegExp(scratchDir));
});

test('a tool that is missing, fails or hangs ends in a sentence that says so', async () => {
  const fails = (program: string, args: string[], timeoutMs: number, expected: RegExp): Promise<void> =>
    assert.rejects(runCommand({ program, args, timeoutMs }), (error: Error) => {
      assert.ok(error instanceof ImageBuildError);
      assert.match(error.message, expected);
      return true;
    });
  await fails('berth-no-such-tool', [], 1000, /^berth-no-such-tool is not installed/);
  await fails('sh', ['-c', 'seq 100 >&2; exit 3'], 60_000, /^sh failed \(status 3\)\.\n(89|9\d)\n[\s\S]*\n100$/);
  await fails(
    'sh',
    ['-c', 'echo waiting >&2; sleep 600'],
    200,
    /^sh took longer than 0\.2 s and was stopped\.\nwaiting$/,
  );
});

test('a tool that is given up ends together with what it started', async () => {
  const pidFile = join(directory, 'pid');
  const script = `sleep 600 & echo $! >${pidFile}; trap "" TERM; echo ready >&2; wait; sleep 600`;
  const stop = new AbortController();
  const running = runCommand({
    ...{ program: 'bash', args: ['-c', script], timeoutMs: 60_000, signal: stop.signal },
    onErrorLine: () => stop.abort(),
  });
  await assert.rejects(running, /stopped/);
  assert.equal(isRunning(Number(await readFile(pidFile, 'utf8'))), false);
});

test('a partition table says where partitions are, and refuses what does not fit', () => {
  const sector = masterBootRecord(Buffer.alloc(440, 0xeb), [
    { type: 0x83, startSector: 2048, sectorCount: 4096, bootable: true },
  ]);
  assert.equal(sector.length, 512);
  assert.equal(sector.subarray(510).toString('hex'), '55aa');
  assert.equal(sector.subarray(446, 462).toString('hex'), '80feffff83feffff0008000000100000');
  assert.throws(() => masterBootRecord(Buffer.alloc(441), []), RangeError);
});

/** Runs the command as the program would; its exit status and what it wrote. */
async function imageCommand(args: readonly string[], env: Record<string, string> = {}) {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const options = { timeout: 120_000, env: { ...process.env, ...env } };
  return execFileAsync(process.execPath, [main, 'image', ...args], options).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ ...error, status: error.code }),
  );
}

test('the command names the images there are when asked for another', async () => {
  const { status, stderr } = await imageCommand(['build', 'windows', '--out', join(directory, 'w.qcow2')]);
  assert.equal(status, 1);
  assert.equal(stderr, 'There is no image "windows" to build; there are micro, debian-12, and rescue.\n');
});

test('the command tells each step, and what failed', async () => {
  const out = join(directory, 'no-tools.qcow2');
  const { status, stdout, stderr } = await imageCommand(['build', 'micro', '--out', out], { PATH: '/nowhere' });
  assert.equal(status, 1);
  assert.equal(stdout, '[1/6] Reading the package lists\n');
  assert.equal(stderr, 'Building micro failed: apt-get is not installed on this machine.\n');
});
