// How the commands behave for people and programs: exit codes, names, prompts, profiles, waiting, and what is never shown.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit.ts';
import { keys } from '../api/support.ts';
import { makeSshKey, startTestBerth } from '../support/berth.ts';
import { Person } from './support.ts';

const server = await startTestBerth();
after(() => server.close());
const ann = new Person(server);
const main = join(import.meta.dirname, '../../src/main.ts');

const small = ['--image', 'micro', '--vcpus', '1', '--memory', '1GiB', '--disk', '5GiB'];

/** Runs the program itself, with these arguments and this standard input. */
function program(
  args: readonly string[],
  env: Record<string, string>,
  input = '',
): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { PATH: process.env.PATH, COLUMNS: '80', ...env }, timeout: 60_000 },
      (error, out, err) => resolve({ status: error ? Number(error.code ?? -1) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

test('a VM is made, waited for, found by name and id, and deleted', async () => {
  const { publicKey, privateKeyFile } = await makeSshKey(ann.home);
  const { status, out, err } = await ann.run([
    ...['vm', 'create', 'web-1', ...small, '--ssh-key', `${privateKeyFile}.pub`, '--open', '80/tcp', '--wait'],
  ]);
  assert.equal(status, 0, err);
  assert.match(out, /^VM web-1 runs at 127\.46\.\d+\.\d+\. "berth vm ssh web-1" logs in\.\n$/);
  assert.ok(publicKey.length > 0);
  const one = await ann.json<{ id: string; ports: object[] }>('vm', 'show', 'web-1');
  assert.deepEqual(one.ports, [
    { port: 22, protocol: 'tcp' },
    { port: 80, protocol: 'tcp' },
  ]);
  assert.deepEqual(await ann.json('vm', 'show', one.id), one);
  assert.equal(await ann.text('vm', 'list', '--quiet'), `${one.id}\n`);
  assert.match(await ann.text('vm', 'ports', 'close', 'web-1', '80'), /^Open at web-1: 22\/tcp\.\n$/);
  assert.match(await ann.text('vm', 'stop', 'web-1', '--wait'), /is off/);
  assert.match(await ann.text('vm', 'delete', 'web-1', '--yes', '--wait'), /berth vm undelete web-1/);
  assert.match(await ann.text('vm', 'undelete', 'web-1'), /is back, switched off/);
  assert.match(await ann.text('vm', 'purge', 'web-1', '--yes', '--wait'), /is gone/);
  assert.match(await ann.text('vm', 'list'), /^There is no VM\./);
});

test('what goes wrong has an exit code of its own, and says what to do next', async () => {
  const cases: [argv: string[], code: number, words: RegExp, env?: Record<string, string>][] = [
    [['vm', 'show', 'nobody'], exitCodes.notFound, /There is no VM "nobody"; "berth vm list" shows/],
    [['vm', 'show', `ins_${'0'.repeat(40)}`], exitCodes.notFound, /ins_0/],
    [['vm', 'show'], exitCodes.usage, /missing required argument[\s\S]*berth vm show --help/],
    [['vm', 'lst'], exitCodes.usage, /Did you mean list/],
    [['vm'], exitCodes.usage, /Usage: berth vm/],
    [['nonsense'], exitCodes.usage, /unknown command/],
    [
      ['vm', 'create', 'x', '--image', 'windows', '--size', 'y'],
      exitCodes.notFound,
      /There is no image "windows"; there is: .*micro/,
    ],
    [
      ['vm', 'create', 'x', '--image', 'micro', '--size', 'cpu-999'],
      exitCodes.notFound,
      /There is no size "cpu-999"; there is: cpu-/,
    ],
    [['vm', 'create', 'x', ...small, '--open', '80/sctp'], exitCodes.usage, /"80\/sctp" is no port/],
    [['vm', 'create', 'X y', ...small, '--ssh-key', keys.ed25519], exitCodes.usage, /name/],
    [
      ['vm', 'create', 'cheap', ...small, '--ssh-key', keys.ed25519, '--max-price', '0.000001'],
      exitCodes.conflict,
      /berth offer explain/,
    ],
    [['vm', 'list'], exitCodes.access, /berth login/, { BERTH_API_KEY: 'berth_nonsense' }],
    [['vm', 'list'], exitCodes.unreachable, /Is Berth up/, { BERTH_URL: 'http://127.0.0.1:9' }],
    [['vm', 'list', '--profile', 'none'], exitCodes.usage, /There is no profile none/],
  ];
  for (const [argv, code, words, env] of cases) {
    const { status, out, err } = await ann.run(argv, env ? { env } : {});
    assert.equal(status, code, `${argv.join(' ')}: ${err}`);
    assert.match(err, words, argv.join(' '));
    assert.equal(out, '');
  }
});

test('a private key is never sent', async () => {
  const { privateKeyFile } = await makeSshKey(ann.home);
  const { status, err } = await ann.run(['vm', 'create', 'x', ...small, '--ssh-key', privateKeyFile]);
  assert.deepEqual(
    [status, /is no public key; give the file that ends with \.pub/.test(err)],
    [exitCodes.usage, true],
    err,
  );
});

test('a name that several have is refused with the candidates', async () => {
  const groups = ['one', 'two'];
  for (const name of groups) {
    await server.call('POST', '/berth/v1/groups', { name });
    await ann.text('vm', 'create', 'twin', ...small, '--ssh-key', keys.ed25519, '--group', name);
  }
  const ids = (await ann.text('vm', 'list', '-q')).trim().split('\n');
  const { status, err } = await ann.run(['vm', 'stop', 'twin']);
  assert.equal(status, exitCodes.usage);
  for (const id of ids) assert.ok(err.includes(id), err);
  for (const id of ids) await ann.text('vm', 'purge', id, '--yes', '--wait');
});

test('where nobody can be asked, what destroys needs --yes and does nothing without', async () => {
  await ann.text('vm', 'create', 'kept', ...small, '--ssh-key', keys.ed25519, '--wait');
  for (const verb of ['delete', 'purge']) {
    const { status, err } = await ann.run(['vm', verb, 'kept'], { input: 'y\n' });
    assert.equal(status, exitCodes.usage);
    assert.match(err, /--yes does it/);
  }
  assert.equal((await ann.json<{ status: string }>('vm', 'show', 'kept')).status, 'active');
  await ann.text('vm', 'purge', 'kept', '--yes', '--wait');
});

test('a dry run says what it would cost and makes nothing', async () => {
  const value = await ann.json<{ price: string; count: number }>('vm', 'create', ...small, '--count', '3', '--dry-run');
  assert.equal(value.count, 3);
  assert.match(value.price, /^\d/);
  assert.equal(await ann.text('vm', 'list', '-q'), '');
});

test('several of one name are made together', async () => {
  const made = await ann.json<{ instances: { name: string; status: string }[] }>(
    ...['vm', 'create', 'many', ...small, '--ssh-key', keys.ed25519, '--count', '2', '--wait'],
  );
  assert.deepEqual(
    made.instances.map(({ status }) => status),
    ['active', 'active'],
  );
  for (const id of (await ann.text('vm', 'list', '-q')).trim().split('\n')) await ann.text('vm', 'purge', id, '--yes');
});

test('Ctrl-C stops the waiting and says that the VM goes on', async () => {
  const enough = new AbortController();
  const slow = await startTestBerth({ addressPool: '127.46.0.0/16', agent: { behaviour: { bootMs: 60_000 } } });
  try {
    const person = new Person(slow);
    const waiting = person.run(['vm', 'create', 'slow', ...small, '--ssh-key', keys.ed25519, '--wait'], {
      signal: enough.signal,
    });
    while ((await person.text('vm', 'list', '-q')) === '') await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 200));
    enough.abort(new Error('SIGINT'));
    const { status, err } = await waiting;
    assert.equal(status, exitCodes.interrupted);
    assert.match(err, /Stopped waiting; slow goes on\. "berth vm list" shows how far it is\./);
    const late = await person.run([
      'vm',
      'create',
      'late',
      ...small,
      '--ssh-key',
      keys.ed25519,
      '--wait',
      '--timeout',
      '1',
    ]);
    assert.equal(late.status, exitCodes.unreachable, late.err);
  } finally {
    await slow.close();
  }
});

test('a profile is made by logging in with a key, is for its owner alone, and never shows the key', async () => {
  const nobody = new Person();
  const { status, out, err } = await nobody.run(['login', server.url], { input: `${server.apiKey}\n` });
  assert.equal(status, 0, err);
  assert.match(out, /as profile default/);
  const file = join(nobody.home, 'berth/config.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!(out + err).includes(server.apiKey));
  assert.match(await nobody.text('me'), /you are/);
  assert.ok(!(await nobody.text('profile', 'list', '--json')).includes(server.apiKey));
  // A key is not sent to another server than its own.
  const elsewhere = await nobody.run(['me'], { env: { BERTH_URL: 'http://127.0.0.1:9' } });
  assert.equal(elsewhere.status, exitCodes.access);
  const wrong = await nobody.run(['login', server.url, '--profile', 'bad'], { input: 'berth_nonsense\n' });
  assert.equal(wrong.status, exitCodes.access);
  assert.ok(!readFileSync(file, 'utf8').includes('nonsense'), 'a key that does not hold is not kept');
  assert.match(await nobody.text('logout'), /Profile default is forgotten/);
  assert.equal((await nobody.run(['me'])).status, exitCodes.access);
});

test('a first start’s credentials log in, and so do a username and a password, until logging out', async () => {
  const nobody = new Person();
  const credentials = join(server.directory, 'credentials.json');
  await nobody.text('login', '--credentials', credentials, '--profile', 'first');
  const { username, password } = JSON.parse(readFileSync(credentials, 'utf8')) as Record<string, string>;
  assert.ok(username && password);
  const { status, err } = await nobody.run(['login', server.url, '--username', username], { input: `${password}\n` });
  assert.equal(status, 0, err);
  assert.match(await nobody.text('me'), new RegExp(username));
  const { token } = { token: readFileSync(join(nobody.home, 'berth/config.json'), 'utf8') };
  assert.ok(!token.includes(password));
  const session =
    (JSON.parse(token) as { profiles: Record<string, { apiKey: string }> }).profiles.default?.apiKey ?? '';
  await nobody.text('logout');
  const me = await fetch(`${server.url}/berth/v1/me`, { headers: { authorization: `Bearer ${session}` } });
  assert.equal(me.status, 401, 'the session has ended');
  assert.match(await nobody.text('profile', 'use', 'first'), /as profile first/);
  assert.match(await nobody.text('me'), /you are/);
});

test('the machine’s ssh is told where the VM is, whom to log in as and under which name its host key is kept', async () => {
  await ann.text('vm', 'create', 'reached', ...small, '--ssh-key', keys.ed25519, '--wait');
  const { id, address } = await ann.json<{ id: string; address: string }>('vm', 'show', 'reached');
  const script = join(ann.home, 'ssh');
  writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "$@" >"${ann.home}/args"\nexit 7\n`);
  chmodSync(script, 0o755);
  const env = { BERTH_SSH: script };
  const { status } = await ann.run(['vm', 'ssh', 'reached', '-i', 'my key', '--', 'uptime', '-p'], { env });
  assert.equal(status, 7, 'ends as ssh ends');
  const args = readFileSync(join(ann.home, 'args'), 'utf8').trim().split('\n');
  assert.ok(args.includes(`HostKeyAlias=${id}`));
  assert.ok(args.includes(`UserKnownHostsFile=${join(ann.home, 'berth/known_hosts')}`));
  assert.deepEqual(args.slice(args.indexOf('-i')), ['-i', 'my key', '-l', 'berth', '--', address, 'uptime', '-p']);
  // Its system is starting: the machine's own ssh is run once a server answers.
  const path = { PATH: `${ann.home}:${process.env.PATH}` };
  const running = ann.run(['vm', 'ssh', 'reached', '--port', '2022'], { env: path });
  let greeted = false;
  const sshd = createServer((socket) => {
    greeted = true;
    socket.end('SSH-2.0-test\r\n');
  });
  setTimeout(() => sshd.listen(2022, address), 1_500);
  const waited = await running;
  sshd.close();
  assert.equal(waited.status, 7, waited.err);
  assert.ok(greeted, 'ssh was run before anybody answered');
  assert.match(waited.err, /Waiting for SSH at/);
  await ann.text('vm', 'purge', 'reached', '--yes');
});

test('the program itself answers programs: JSON on standard output, errors on the other, codes, and quiet pipes', async () => {
  const env = { HOME: ann.home, BERTH_URL: server.url, BERTH_API_KEY: server.apiKey };
  const listed = await program(['image', 'list', '--json'], env);
  assert.equal(listed.status, 0, listed.err);
  assert.ok((JSON.parse(listed.out) as { items: object[] }).items.length > 0);
  assert.equal((await program(['vm', 'show', 'x'], env)).status, exitCodes.notFound);
  assert.equal((await program(['image', 'frobnicate'], env)).status, exitCodes.usage);
  assert.equal((await program(['help', 'vm', 'create'], env)).out.includes('Examples:'), true);
  const { out } = await program(['--help'], env);
  for (const word of ['up', 'agent', 'local', 'vm', 'Exit codes']) assert.ok(out.includes(word), word);
  const child = spawn(process.execPath, [main, 'image', 'list'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  await once(child, 'close');
  assert.equal(err, '', 'nobody reads, and that is no error');
});

test('colours are for terminals, unless NO_COLOR says otherwise', async () => {
  await ann.text('vm', 'create', 'red', ...small, '--ssh-key', keys.ed25519, '--wait');
  const list = ['vm', 'list'];
  assert.ok((await ann.run(list, { isTTY: true })).out.includes('\x1b['));
  assert.ok(!(await ann.run(list)).out.includes('\x1b['));
  assert.ok(!(await ann.run(list, { isTTY: true, env: { NO_COLOR: '1' } })).out.includes('\x1b['));
  await ann.text('vm', 'purge', 'red', '--yes');
});

test('what runs is shown live on a terminal, and once elsewhere', async () => {
  await ann.text('vm', 'create', 'busy', ...small, '--ssh-key', keys.ed25519, '--wait');
  const once = await ann.text('top');
  assert.match(once, /1 active\n/);
  assert.match(once, /^busy +active/m);
  const enough = new AbortController();
  let frames = 0;
  const live = await ann.run(['top', '--every', '1'], {
    isTTY: true,
    signal: enough.signal,
    onOut: (text) => {
      if (text.includes('busy')) frames += 1;
      if (frames === 2) enough.abort(new Error('SIGINT'));
    },
  });
  assert.equal(live.status, exitCodes.interrupted);
  assert.ok(live.out.endsWith('\x1b[?25h\x1b[?1049l'), 'the terminal is as it was');
  await ann.text('vm', 'purge', 'busy', '--yes', '--wait');
});
