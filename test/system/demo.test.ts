// `./berth demo` as a person runs it: a child process, real QEMU, the micro image. What counts is what it prints, how it
// ends, and that nothing of it is left.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { processIds, processProgram, processWorkingDirectory } from '../../src/host/process.ts';

const program = join(import.meta.dirname, '../../berth');
/** The image is built first, and the guest runs under emulation on a machine that may be busy. */
const boundMs = 10 * 60_000;

/** A part of its own, so that a second run of the suite on this machine is not in the way. */
const addressPool = `127.47.${process.pid % 256}.0/24`;

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'berth-demo-test-'));
  await chmod(scratch, 0o755); // the database's user passes through
});
after(() => rm(scratch, { recursive: true, force: true }));

interface Demo {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output matches. */
  says(pattern: RegExp): Promise<void>;
  /** Resolves to the exit status, and the signal that ended it where one did. */
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

function startDemo(...options: string[]): Demo {
  const child = spawn(program, ['demo', '--address-pool', addressPool, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: scratch },
    timeout: boundMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close') as Demo['ended'];
  return {
    child,
    ended,
    output: () => output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(output)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${output}`)));
      }),
  };
}

/** Hypervisors and databases that work in the scratch directory, and what lies in it. */
async function leftovers(): Promise<string[]> {
  const processes = processIds().flatMap((pid) => {
    const directory = processWorkingDirectory(pid);
    return directory?.startsWith(`${scratch}/`) ? [`${processProgram(pid)} (${pid}) in ${directory}`] : [];
  });
  return [...processes, ...(await readdir(scratch))];
}

describe('berth demo', () => {
  test('ends with words printed by a shell inside the VM, and leaves nothing behind', async () => {
    const demo = startDemo('--once', '--listen', '127.0.0.1:0');
    const [status] = await demo.ended;
    const output = demo.output();
    assert.equal(status, 0, output);
    assert.match(output, /\$ uname -a\n {2}Linux my-vm \S+ .*GNU\/Linux\n/);
    assert.match(output, /\$ hostname\n {2}my-vm\n/);
    assert.match(output, /22\/tcp {2}open {4}SSH-2\.0-/);
    assert.match(output, /80\/tcp {2}open {4}"Hello from my-vm/);
    assert.match(output, /443\/tcp {2}open/);
    assert.match(output, /8080\/tcp {2}closed/);
    assert.match(output, /ssh -i key -o UserKnownHostsFile=known_hosts berth@127\.47\.\d+\.\d+/);
    assert.doesNotMatch(output, /berth_[\w-]{20}/, 'the API key is not shown');
    assert.ok(!output.includes('\x1b'), 'no control sequences where there is no terminal');
    assert.deepEqual(await leftovers(), []);
  });

  for (const { moment, pattern } of [
    { moment: 'while the database starts', pattern: /Starting the database/ },
    { moment: 'while the image is built', pattern: /The image is being built/ },
    { moment: 'while the VM boots', pattern: /Waiting for SSH/ },
  ]) {
    test(`SIGINT ${moment} takes everything away`, async () => {
      const demo = startDemo('--listen', '127.0.0.1:0');
      await demo.says(pattern);
      demo.child.kill('SIGINT');
      const [status] = await demo.ended;
      assert.equal(status, 130, demo.output());
      assert.match(demo.output(), /Interrupted[\s\S]*Everything is stopped/);
      assert.deepEqual(await leftovers(), []);
    });
  }

  test('a second SIGINT ends it at once, without its processes', async () => {
    const demo = startDemo('--listen', '127.0.0.1:0');
    await demo.says(/Waiting for SSH/);
    demo.child.kill('SIGINT');
    await demo.says(/Interrupted/);
    demo.child.kill('SIGINT');
    const [status] = await demo.ended;
    assert.equal(status, 130, demo.output());
    assert.match(demo.output(), /Ended at once/);
    assert.deepEqual(await leftovers(), []);
  });

  test('an unknown image is answered with those that there are', async () => {
    const demo = startDemo('--image', 'windows-95', '--listen', '127.0.0.1:0');
    const [status] = await demo.ended;
    assert.equal(status, 1);
    assert.match(demo.output(), /There is no image "windows-95"; there are .*debian-12, .*micro.*ubuntu-24-04-x64/);
    assert.deepEqual(await leftovers(), []);
  });

  test('a port that is taken is told in a sentence', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const demo = startDemo('--listen', `127.0.0.1:${port}`);
      const [status] = await demo.ended;
      assert.equal(status, 1);
      assert.match(demo.output(), new RegExp(`Another program listens at 127\\.0\\.0\\.1:${port}; .*--listen`));
      assert.deepEqual(await leftovers(), []);
    } finally {
      server.close();
    }
  });

  test('a malformed address pool ends it, though the server listened already', async () => {
    const demo = startDemo('--listen', '127.0.0.1:0', '--address-pool', '127.47.0.1/16');
    const [status] = await demo.ended;
    assert.equal(status, 1);
    assert.match(demo.output(), /127\.47\.0\.1\/16".*IPv4 range/);
    assert.deepEqual(await leftovers(), []);
  });

  test('a directory with something in it is left alone', async () => {
    const demo = startDemo('--data', import.meta.dirname);
    const [status] = await demo.ended;
    assert.equal(status, 1);
    assert.match(demo.output(), /is not empty, and the demo removes its directory at the end/);
    assert.ok((await readdir(import.meta.dirname)).includes('demo.test.ts'));
  });
});
