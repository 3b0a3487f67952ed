// A serial port without a guest behind it: what happens to readers of different speeds, and to what they type.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SerialConsole, type SerialLine } from '../../../src/agent/vm/serial-console.ts';

const kib = 1024;
const nothing = () => Buffer.alloc(0);

/** A guest that takes what is typed when the test lets it. */
class Guest implements SerialLine {
  taken = '';
  readonly #waiting: (() => void)[] = [];
  isBusy = false;

  write(data: Buffer, done: () => void): void {
    this.taken += data;
    if (this.isBusy) this.#waiting.push(done);
    else done();
  }

  async settled(): Promise<void> {}

  /** Takes what waits. */
  rest(): void {
    this.isBusy = false;
    for (const done of this.#waiting.splice(0)) done();
  }
}

test('a reader is shown the past first, and then everything from that moment on', async () => {
  const serial = new SerialConsole();
  serial.heard(Buffer.from('before anybody looked'));
  const reader = await serial.open(() => Buffer.from('past, '));
  let seen = '';
  reader.on('data', (chunk: Buffer) => {
    seen += chunk;
  });
  for (const word of ['present, ', 'future']) serial.heard(Buffer.from(word));
  await setImmediate();
  assert.equal(seen, 'past, present, future');
});

test('what the guest asked its terminal is no part of the past: the answer would be typed', async () => {
  const serial = new SerialConsole();
  const [e, asked] = ['\x1b', ['[6n', '[c', '[>0c', '[?25$p', '[18t', 'Z', ']11;?\x07', ']10;?\x1b\\', 'P$qm\x1b\\']];
  const kept = `${e}[2J${e}[1;32mböses~ # ${e}[0m${e}[?7l${e}]0;title\x07`;
  const reader = await serial.open(() => Buffer.from(`${kept}${asked.map((one) => e + one).join('')}\x05`));
  serial.heard(Buffer.from(`${e}[6n`));
  let seen = '';
  reader.on('data', (chunk: Buffer) => {
    seen += chunk;
  });
  await setImmediate();
  assert.equal(seen, `${kept}${e}[6n`, 'what it asks now is passed on');
});

test('what a slow reader misses is counted and told to him; a quick one misses nothing', async () => {
  const serial = new SerialConsole();
  const [slow, quick] = [await serial.open(nothing), await serial.open(nothing)];
  let seen = 0;
  quick.on('data', (chunk: Buffer) => {
    seen += chunk.length;
  });
  const piece = Buffer.alloc(16 * kib, 'x');
  for (let sent = 0; sent < 64; sent += 1) {
    serial.heard(piece);
    await setImmediate();
  }
  assert.equal(seen, 64 * piece.length);
  assert.equal(slow.readableLength, 256 * kib);
  let late = '';
  slow.on('data', (chunk: Buffer) => {
    late += chunk;
  });
  await setImmediate();
  serial.heard(Buffer.from('afterwards'));
  await setImmediate();
  assert.equal(late.length > 256 * kib, true);
  assert.ok(late.endsWith(`x\r\n[${48 * piece.length} bytes of output were left out here]\r\nafterwards`));
});

test('what is typed waits for the guest in a bounded queue, and whoever typed it can go', async () => {
  const serial = new SerialConsole();
  const guest = new Guest();
  serial.plug(guest);
  guest.isBusy = true;
  const [one, other] = [await serial.open(nothing), await serial.open(nothing)];
  let accepted = 0;
  while (one.write(Buffer.alloc(kib, 'a'))) accepted += 1;
  assert.ok(accepted < 100, `${accepted} KiB were accepted`);
  one.destroy();
  await once(one, 'close');
  guest.rest();
  await new Promise((done) => other.write('b', done));
  assert.ok(guest.taken.endsWith('ab'));
});

test('what is typed while there is no guest goes nowhere, and keeps nobody waiting', async () => {
  const serial = new SerialConsole();
  const guest = new Guest();
  const reader = await serial.open(nothing);
  await new Promise((done) => reader.write('early', done));
  serial.plug(guest);
  await new Promise((done) => reader.write('heard', done));
  serial.unplug(guest);
  await new Promise((done) => reader.write('late', done));
  assert.equal(guest.taken, 'heard');
});

test('the end of one guest does not unplug the next', async () => {
  const serial = new SerialConsole();
  const [first, second] = [new Guest(), new Guest()];
  serial.plug(first);
  serial.plug(second);
  serial.unplug(first);
  const reader = await serial.open(nothing);
  await new Promise((done) => reader.write('x', done));
  assert.equal(second.taken, 'x');
});
