// `./berth demo` as a person runs it: a child process, real QEMU, the micro image. What counts is what it prints, how it
// ends, and that nothing of it is left.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { DemoRun } from './demo-run.ts';

let demos: DemoRun;
before(async () => {
  demos = await DemoRun.open();
});
after(() => demos.close());

const startDemo = (...options: string[]) => demos.start(...options);
const leftovers = () => demos.leftovers();

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
