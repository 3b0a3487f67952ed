// A real VM's console and screen, and commands in a real container, over WebSockets as web pages and programs open them.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createWebSocketStream } from 'ws';
import type { Berth } from '../../sdk/berth.ts';
import type { TerminalDoor } from '../../sdk/doors.ts';
import { bootTimeoutMs, inGuest, untilLogin } from '../agent/vm/support.ts';
import { Opened, ticketFor } from '../api/native/doors.ts';
import { type TestBerth, until } from '../support/berth.ts';
import { type Machines, startMachines } from './machines.ts';
import { Screen } from './screen.ts';

let machines: Machines;
let server: TestBerth;
let berth: Berth;
let [vm, container, ownAddress] = ['', '', ''];

before(async () => {
  machines = await startMachines('127.68.14.0/24');
  ({ server, berth, vm, container } = machines);
  ownAddress = (await berth.instances.get(vm)).address ?? '';
});
after(() => machines?.close());

/** What is on a terminal. */
class Terminal {
  readonly door: TerminalDoor;
  text = '';

  constructor(door: TerminalDoor) {
    this.door = door;
    door.onData((bytes) => {
      this.text += Buffer.from(bytes).toString('latin1');
    });
  }

  async shows(what: RegExp | string, boundMs = 60_000): Promise<void> {
    const shows = () => (typeof what === 'string' ? this.text.includes(what) : what.test(this.text));
    await until(`the terminal shows ${what}`, async () => shows(), boundMs).catch((error: Error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.text.slice(-500))}`);
    });
  }
}

const console = async () => new Terminal(await berth.instances.open(vm, 'console'));

test('a page watches a VM boot, and somebody logs in there; another page sees it, too', async () => {
  const terminal = await console();
  await terminal.shows('login: ', bootTimeoutMs);
  await untilLogin(machines.key.path, ownAddress);
  const hash = await inGuest(machines.key.path, ownAddress, "echo 'a serial password' | mkpasswd -m sha512 -P 0");
  await inGuest(machines.key.path, ownAddress, `sed -i 's|^root:[^:]*|root:${hash}|' /etc/shadow`);
  const other = await console();
  await other.shows('login: ');
  terminal.door.write('root\r');
  await terminal.shows(/assword: ?$/);
  terminal.door.write('a serial password\r');
  await terminal.shows('~ # ');
  terminal.door.write('echo the answer is $((6 * 7))\r');
  for (const one of [terminal, other]) await one.shows('the answer is 42\r\n');
  terminal.door.write('exit\r');
  for (const { door } of [terminal, other]) {
    door.close();
    await door.closed;
  }
});

test('a VNC client sees the screen over a WebSocket, without another password', async () => {
  const { url } = await ticketFor(server, server.apiKey, vm, { door: 'screen' });
  const { socket } = await new Opened(server.url + url).opened();
  const screen = await Screen.over(createWebSocketStream(socket));
  assert.equal(screen.version, 'RFB 003.008\n');
  const pixels = await screen.update();
  assert.equal(pixels.length, screen.width * screen.height * 4);
  assert.ok(new Set(pixels).size > 1, 'something is shown');
  screen.close();
});

test('a shell in a container has a terminal of the size that it is told, and its exit code arrives', async () => {
  const shell = await berth.instances.open(container, 'exec', { columns: 101, rows: 33 });
  const terminal = new Terminal(shell);
  await terminal.shows('/ # ');
  shell.write('stty size; echo $TERM\r');
  await terminal.shows(/33 101\r\nxterm-256color\r\n/);
  shell.resize(90, 20);
  shell.write('stty size\r');
  await terminal.shows('20 90\r\n');
  shell.write('exit 7\r');
  assert.equal(await shell.exitCode, 7);
  assert.equal((await shell.closed).code, 1000);
});

test('a command without a terminal reads its input to the end, and complains apart', async () => {
  const command = ['/bin/sh', '-c', 'sha256sum; echo "not well" >&2; exit 3'];
  const door = await berth.instances.open(container, 'exec', { command, tty: false });
  let complaint = '';
  door.onStderr((bytes) => {
    complaint += Buffer.from(bytes);
  });
  const input = randomBytes(3 * 1024 * 1024);
  for (let at = 0; at < input.length; at += 256 * 1024) door.write(new Uint8Array(input.subarray(at, at + 256 * 1024)));
  door.end();
  let said = '';
  for await (const bytes of door) said += Buffer.from(bytes);
  assert.equal(said, `${createHash('sha256').update(input).digest('hex')}  -\n`);
  assert.deepEqual([complaint, await door.exitCode], ['not well\n', 3]);
  const much = await berth.instances.open(container, 'exec', {
    ...{ tty: false, command: ['/bin/sh', '-c', 'head -c 5000000 /dev/zero'] },
  });
  let bytes = 0;
  for await (const piece of much) bytes += piece.length;
  assert.deepEqual([bytes, await much.exitCode], [5_000_000, 0]);
});

/** All that a command says, its complaints too. */
async function saidBy(...command: string[]): Promise<{ said: string; code: number | null }> {
  const door = await berth.instances.open(container, 'exec', { command, tty: false });
  let said = '';
  door.onStderr((bytes) => {
    said += Buffer.from(bytes);
  });
  for await (const bytes of door) said += Buffer.from(bytes);
  return { said, code: await door.exitCode };
}

test('a program that is not there says so, and a shell whose page has gone is gone, too', async () => {
  const missing = await saidBy('no-such-program');
  assert.match(missing.said, /no-such-program/);
  assert.ok(missing.code === 126 || missing.code === 127, `exit code ${missing.code}`);
  const shell = await berth.instances.open(container, 'exec');
  const terminal = new Terminal(shell);
  await terminal.shows('/ # ');
  shell.write('echo my number is $$\r');
  await terminal.shows(/my number is \d+\r\n/);
  const [, number] = /my number is (\d+)\r\n/.exec(terminal.text) ?? [];
  assert.match((await saidBy('ls', '/proc')).said, new RegExp(`^${number}$`, 'm'));
  shell.close();
  await shell.closed;
  await until(
    'the shell is gone',
    async () => {
      return !new RegExp(`^${number}$`, 'm').test((await saidBy('ls', '/proc')).said);
    },
    20_000,
  );
});

test('the screen of a VM that goes off is closed, and says why it does not open', async () => {
  const watching = await berth.instances.open(vm, 'screen');
  await berth.instances.power(vm, { action: 'stop' });
  assert.equal((await watching.closed).code, 4409);
  const late = await berth.instances.open(vm, 'screen');
  const { code, reason } = await late.closed;
  assert.deepEqual([code, reason], [4409, 'The VM is off; its screen is there while it is on.']);
  const terminal = await console();
  await terminal.shows('login: ');
  terminal.door.close();
});
