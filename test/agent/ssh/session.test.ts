// What a customer does by SSH in a container, with OpenSSH's own client: commands, a terminal, copies, forwarded ports.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Redirects } from '../../../src/agent/network/redirects.ts';
import { SshFront } from '../../../src/agent/ssh/front.ts';
import { until } from '../../support/berth.ts';
import { clientOptions, freePort, type KeyPair, keyPair, LocalContainers, runToEnd } from './support.ts';

const address = '127.47.0.1';
const port = 2222;
const instanceId = `0x${'1'.repeat(40)}`;
const redirects = new Redirects();
const quiet = { debug: () => {}, warn: () => {} };

let directory: string;
let key: KeyPair;
let containers: LocalContainers;
let front: SshFront;
let web: Server;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-ssh-'));
  key = await keyPair(directory, 'key');
  containers = new LocalContainers();
  front = new SshFront({
    hostKeyFile: join(directory, 'host-key'),
    exec: containers.exec,
    addressOf: async () => '127.0.0.1',
    redirect: (place, port) => redirects.set(place, port),
    logger: quiet,
  });
  await front.open();
  assert.deepEqual(await front.apply(new Map([[instanceId, { address, port, keys: [key.line] }]])), new Map());
  web = createServer((_request, response) => response.end('from the container\n'));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await front.close();
  web.close();
  await rm(directory, { recursive: true });
});

const ssh = (command: string[], input?: Buffer | string, options: string[] = []) =>
  runToEnd('ssh', [...clientOptions(key, [`Port=${port}`, ...options]), `anybody@${address}`, ...command], input);

test('a command runs under any user name, its outputs stay apart, and its exit status arrives', async () => {
  const { code, stdout, stderr } = await ssh(['echo out; echo err >&2; exit 7']);
  assert.deepEqual([code, String(stdout), stderr], [7, 'out\n', 'err\n']);
  assert.deepEqual(containers.requests.at(-1), {
    command: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'],
    tty: null,
    environment: {},
  });
});

test('10 MB go in and come out again unchanged', async () => {
  const sent = randomBytes(10 * 1024 * 1024);
  const { code, stdout } = await ssh(['cat'], sent);
  assert.equal(code, 0);
  assert.equal(sha256(stdout), sha256(sent));
});

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

test('without a command there is a shell, which reads commands', async () => {
  const { code, stdout } = await ssh([], 'echo $((6 * 7))\nexit 3\n');
  assert.deepEqual([code, String(stdout)], [3, '42\n']);
});

test('a terminal has the type and the size of the client’s, and follows it', async () => {
  const clientDevice = join(directory, 'client-tty');
  const waiting = 'echo "$TERM $(stty size)"; while [ "$(stty size)" != "50 132" ]; do sleep 0.1; done; echo followed';
  const line = `tty > ${clientDevice}; stty columns 101 rows 33; exec ssh -tt ${[
    ...clientOptions(key, [`Port=${port}`]),
    `me@${address}`,
  ].join(' ')} '${waiting}'`;
  const client = runToEnd('env', ['TERM=vt220', 'SHELL=/bin/sh', 'script', '-qec', line, '/dev/null']);
  await until('the session has its terminal', async () => containers.requests.at(-1)?.tty !== null);
  assert.deepEqual(containers.requests.at(-1)?.tty, { columns: 101, rows: 33, term: 'vt220' });
  const device = (await readFile(clientDevice, 'utf8')).trim();
  assert.equal((await runToEnd('stty', ['-F', device, 'columns', '132', 'rows', '50'])).code, 0);
  const { code, stdout } = await client;
  assert.equal(code, 0);
  // `script` may type a null character when its own input ends.
  assert.match(String(stdout), /vt220 33 101\s+(\^@)?followed/);
});

test('language and locale pass into the container, and nothing else of the client’s environment', async () => {
  const options = ['SendEnv=LANG', 'SetEnv=LC_TIME=de_DE.UTF-8 LD_PRELOAD=/evil.so PATH=/evil'];
  const { stdout } = await ssh(['env'], '', options);
  assert.match(String(stdout), /^LC_TIME=de_DE\.UTF-8$/m);
  assert.deepEqual(containers.requests.at(-1)?.environment, { LC_TIME: 'de_DE.UTF-8', LANG: 'C.UTF-8' });
});

test('scp copies in both directions where the image has it', async () => {
  const [there, back] = [join(directory, 'there'), join(directory, 'back')];
  await writeFile(join(directory, 'sent'), randomBytes(1_000_000));
  const scp = (from: string, to: string) =>
    runToEnd('scp', ['-O', ...clientOptions(key, [`Port=${port}`]), from, to]).then(({ code, stderr }) => {
      assert.deepEqual([code, stderr], [0, '']);
    });
  await scp(join(directory, 'sent'), `me@${address}:${there}`);
  await scp(`me@${address}:${there}`, back);
  assert.deepEqual(await readFile(back), await readFile(join(directory, 'sent')));
});

test('sftp is the image’s own server, and where it has none the client reads what helps', async () => {
  const hide = 'mount -t tmpfs none /usr/lib/openssh';
  const plant = `printf '#!/bin/sh\\necho planted\\n' > /usr/lib/openssh/sftp-server`;
  const wrapper = (commands: string) => ['unshare', '--mount', 'sh', '-c', `${commands}; exec "$@"`, 'sh'];
  containers.wrapper = wrapper(hide);
  const missing = await ssh(['-s', 'sftp']).finally(() => (containers.wrapper = []));
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /scp -O/);
  containers.wrapper = wrapper(`${hide}; ${plant}; chmod +x /usr/lib/openssh/sftp-server`);
  const there = await ssh(['-s', 'sftp']).finally(() => (containers.wrapper = []));
  assert.deepEqual([there.code, String(there.stdout)], [0, 'planted\n']);
});

test('ssh -L leads to a port of the container; a port where nobody listens harms no other', async () => {
  const [open, closed] = [await freePort(), await freePort()];
  const forwards = [
    ['-L', `127.0.0.1:${open}:localhost:${(web.address() as AddressInfo).port}`],
    ['-L', `127.0.0.1:${closed}:localhost:${await freePort()}`],
  ];
  const client = spawn('ssh', ['-N', ...forwards.flat(), ...clientOptions(key, [`Port=${port}`]), `me@${address}`]);
  try {
    const page = () => fetch(`http://127.0.0.1:${open}/`).then((answer) => answer.text());
    await until('the forwarded port answers', () =>
      page()
        .then((text) => text === 'from the container\n')
        .catch(() => false),
    );
    await assert.rejects(fetch(`http://127.0.0.1:${closed}/`));
    assert.equal(await page(), 'from the container\n');
  } finally {
    client.kill();
  }
});

test('nothing leads back to the client: no remote ports, no agent, no X11', async () => {
  const remote = await ssh(['-R', '127.0.0.1:0:localhost:80', 'true'], '', ['ExitOnForwardFailure=yes']);
  assert.equal(remote.code, 255);
  const { stdout } = await ssh(['-A', '-X', 'echo "agent:$SSH_AUTH_SOCK display:$DISPLAY"']);
  assert.equal(String(stdout), 'agent: display:\n');
});
