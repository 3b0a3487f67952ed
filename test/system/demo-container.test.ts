// `./berth demo --container` as a person runs it: a real container on a real Docker Engine, its pages over TCP and HTTPS, and
// nothing of it left, however it ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DemoRun } from './demo-run.ts';

let demos: DemoRun;
before(async () => {
  demos = await DemoRun.open();
});
after(() => demos.close());

test('ends with the page of the container over TCP and over HTTPS, and leaves nothing behind', async () => {
  const demo = demos.start('--container', '--once', '--listen', '127.0.0.1:0');
  const [status] = await demo.ended;
  const output = demo.output();
  assert.equal(status, 0, output);
  assert.match(output, /http:\/\/127\.47\.\d+\.\d+:80\/ {2}Hello, World!/);
  assert.match(
    output,
    /https:\/\/443-[0-9a-f]{16}\.localhost(:\d+)?\/ {2}Hello, World! {2}\(its certificate checked\)/,
  );
  assert.match(output, /first process nginx, ENV_VAR1=value1/);
  assert.doesNotMatch(output, /berth_[\w-]{20}/, 'the API key is not shown');
  assert.deepEqual(await demos.leftovers(), []);
});

for (const { moment, pattern } of [
  { moment: 'while the engine starts', pattern: /with a container engi/ },
  { moment: 'while the container is brought up', pattern: /Bringing it up/ },
]) {
  test(`SIGINT ${moment} takes everything away`, async () => {
    const demo = demos.start('--container', '--listen', '127.0.0.1:0');
    await demo.says(pattern);
    demo.child.kill('SIGINT');
    const [status] = await demo.ended;
    assert.equal(status, 130, demo.output());
    assert.match(demo.output(), /Interrupted[\s\S]*Everything is stopped/);
    assert.deepEqual(await demos.leftovers(), []);
  });
}

test('a second SIGINT ends it at once, without its processes', async () => {
  const demo = demos.start('--container', '--listen', '127.0.0.1:0');
  await demo.says(/Its container runs/);
  demo.child.kill('SIGINT');
  await demo.says(/Interrupted/);
  demo.child.kill('SIGINT');
  const [status] = await demo.ended;
  assert.equal(status, 130, demo.output());
  assert.deepEqual(await demos.leftovers(), []);
});
