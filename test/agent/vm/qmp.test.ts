// The QMP client against servers that do not behave, on real unix sockets. How it gets on with QEMU is held by every test
// that runs a VM.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Qmp, QmpRefusal } from '../../../src/agent/vm/qmp.ts';

const bounds = { connectMs: 2_000, commandMs: 300 };
const greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n';

/** A server at `qmp.sock` of a fresh directory for the time of `use`. */
async function withServer(serve: (socket: Socket) => void, use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-qmp-'));
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'qmp.sock'), resolve));
  try {
    await use(directory);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Answers each command by `answer`, after a proper greeting. */
function speaking(answer: (command: { execute: string; id: number }, socket: Socket) => void) {
  return (socket: Socket) => {
    socket.write(greeting);
    socket.on('data', (data: Buffer) => {
      for (const line of data.toString().trim().split('\r\n')) {
        const command = JSON.parse(line);
        if (command.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${command.id}}\r\n`);
        else answer(command, socket);
      }
    });
  };
}

test('a monitor that never greets is given up', async () => {
  await withServer(
    () => {},
    (directory) => assert.rejects(Qmp.connect(directory, 'qmp.sock', bounds), /no greeting/),
  );
});

test('a monitor that hangs up, before it greets or with our words unread, is an error that its caller gets', async () => {
  const silent = (socket: Socket) => void socket.destroy();
  const deaf = (socket: Socket) => {
    socket.pause();
    socket.write(greeting);
    setTimeout(() => socket.destroy(), 10);
  };
  for (const serve of [silent, deaf, silent, deaf, silent, deaf]) {
    await withServer(serve, (directory) =>
      assert.rejects(Qmp.connect(directory, 'qmp.sock', bounds), /closed its monitor|ECONNRESET/),
    );
  }
});

test('a socket that nobody listens on is given up, at once when it is no longer worthwhile', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-qmp-'));
  await assert.rejects(Qmp.connect(directory, 'qmp.sock', { ...bounds, connectMs: 100 }), { code: 'ENOENT' });
  await assert.rejects(
    Qmp.connect(directory, 'qmp.sock', { ...bounds, connectMs: 3_600_000 }, () => false),
    { code: 'ENOENT' },
  );
  await rm(directory, { recursive: true });
});

test('a command without an answer times out, and the next one still works', async () => {
  const serve = speaking(({ execute, id }, socket) => {
    if (execute !== 'silence') socket.write(`{"return": "${execute}", "id": ${id}}\r\n`);
  });
  await withServer(serve, async (directory) => {
    const qmp = await Qmp.connect(directory, 'qmp.sock', bounds);
    await assert.rejects(qmp.execute('silence'), /did not answer "silence" within 300 ms/);
    assert.equal(await qmp.execute('speech'), 'speech');
    qmp.close();
  });
});

test('refusals, events in pieces, and the end of the line each reach who waits for them', async () => {
  const serve = speaking(({ execute, id }, socket) => {
    if (execute === 'refuse')
      socket.write(`{"error": {"class": "GenericError", "desc": "no such disk"}, "id": ${id}}\r\n`);
    if (execute === 'end') socket.destroy();
    if (execute === 'event') {
      socket.write('{"event": "SHUTDOWN", "data": {"gue');
      setTimeout(() => socket.write(`st": true}}\r\n{"return": {}, "id": ${id}}\r\n`), 20);
    }
  });
  await withServer(serve, async (directory) => {
    const qmp = await Qmp.connect(directory, 'qmp.sock', bounds);
    await assert.rejects(
      qmp.execute('refuse'),
      (error) => error instanceof QmpRefusal && error.message === 'no such disk',
    );
    const event = new Promise((resolve) => qmp.once('event', resolve));
    await qmp.execute('event');
    assert.deepEqual(await event, { event: 'SHUTDOWN', data: { guest: true } });
    const closed = new Promise<void>((resolve) => qmp.once('close', resolve));
    await assert.rejects(qmp.execute('end'), /closed its monitor/);
    await closed;
    await assert.rejects(qmp.execute('more'), /closed its monitor/);
  });
});

test('an answer without end does not fill the memory', async () => {
  const serve = speaking((_command, socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write('x'.repeat(65_536))) {}
      socket.once('drain', more);
    };
    more();
  });
  await withServer(serve, async (directory) => {
    const qmp = await Qmp.connect(directory, 'qmp.sock', { ...bounds, commandMs: 60_000 });
    await assert.rejects(qmp.execute('flood'), /closed its monitor/);
  });
});

test('a socket below a path of any length is reached', async () => {
  const root = await mkdtemp(join(tmpdir(), 'berth-test-qmp-'));
  const directory = join(root, 'long'.repeat(50));
  await mkdir(directory);
  const server = createServer(speaking(({ id }, socket) => socket.write(`{"return": 1, "id": ${id}}\r\n`)));
  const before = process.cwd();
  process.chdir(directory);
  await new Promise<void>((resolve) => server.listen('qmp.sock', resolve));
  process.chdir(before);
  const qmp = await Qmp.connect(directory, 'qmp.sock', bounds);
  assert.equal(await qmp.execute('anything'), 1);
  qmp.close();
  server.close();
  await rm(root, { recursive: true });
});
