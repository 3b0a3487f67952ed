// The container images that are built from Debian's packages, run by a real Engine.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { until } from '../support/berth.ts';
import { outputIn, startTestEngine, type TestEngine } from '../support/docker.ts';

let engine: TestEngine;

before(async () => {
  engine = await startTestEngine(['nginx', 'busybox']);
});
after(() => engine?.close());

/** Runs a command in a fresh container of an image, without a network. */
async function output(image: string, ...command: string[]): Promise<string> {
  const stdout = new PassThrough();
  const said = text(stdout);
  const options = { Tty: false, HostConfig: { NetworkMode: 'none', AutoRemove: true } };
  await engine.docker.run(image, command, [stdout, new PassThrough().resume()], options);
  stdout.end();
  return said;
}

test('nginx serves plain HTTP on 80 and 443, and a page that is put there, and tells its errors', async () => {
  const { docker } = engine;
  const container = await docker.createContainer({ Image: 'nginx:latest', HostConfig: { NetworkMode: 'none' } });
  await container.start();
  const inside = (command: string) => outputIn(docker, container, command);
  for (const port of [80, 443]) {
    const get = `wget -q -O - http://127.0.0.1:${port}/`;
    await until(`port ${port} serves`, async () => (await inside(get)).includes('nginx serves this page'), 20_000);
  }
  const page = await inside('echo Hello >/var/www/html/index.html; wget -q -O - http://127.0.0.1/');
  assert.equal(page, 'Hello\n');
  await inside('wget -q -O - http://127.0.0.1/not-there');
  const log = await container.logs({ stdout: true, stderr: true });
  assert.match(log.toString(), /not-there" failed \(2: No such file/);
  await container.stop();
  assert.equal((await container.inspect()).State.ExitCode, 0);
});

test('busybox has a shell, its programs, and users that files can belong to', async () => {
  const said = await output('busybox', 'sh', '-c', 'id -un; ls -ld /tmp | cut -c1-10; echo some text | md5sum | wc -w');
  assert.deepEqual(said.trim().split(/\s+/), ['root', 'drwxrwxrwt', '2']);
  assert.equal((await engine.docker.getImage('busybox').inspect()).Config.Cmd?.join(), '/bin/sh');
});
