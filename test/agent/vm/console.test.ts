// A VM's consoles at the driver: shared, bounded, there through the guest's power, and nothing that a guest or a reader does
// keeps anybody else waiting.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import {
  bootTimeoutMs,
  inGuest,
  qemuDriver,
  qemuPid,
  runVm,
  type Scratch,
  scratch,
  specOf,
  until,
  untilLogin,
} from './support.ts';

const address = '127.68.1.1';
let area: Scratch;
let driver: QemuDriver;
let spec: VmSpec;

before(async () => {
  area = await scratch('console');
  driver = await qemuDriver(area.directory);
  spec = specOf(1, address, area.publicKey);
});
after(async () => {
  await driver.close();
  await area.clean();
});

/** Somebody who reads a console. */
class Reader {
  readonly end: Duplex;
  seen = '';
  bytes = 0;

  constructor(end: Duplex) {
    this.end = end;
    end.on('error', () => {});
    end.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.seen = (this.seen + chunk.toString('latin1')).slice(-100_000);
    });
  }

  async sees(what: RegExp): Promise<void> {
    await until(`${what}`, () => what.test(this.seen), bootTimeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}; seen: ${JSON.stringify(this.seen.slice(-300))}`);
    });
  }
}

const serial = async () => new Reader(await driver.console(spec.instanceId, 'serial'));
const guest = (command: string) => inGuest(area.keyPath, address, command);

test('there is no console of a VM that is not here', async () => {
  await assert.rejects(driver.console(spec.instanceId, 'serial'), /not on this host/);
});

test('readers share the port: each sees the boot from its beginning, and what anybody types', async () => {
  await runVm(driver, spec);
  const early = await serial();
  await early.sees(/guest-1 login: /);
  assert.match(early.seen, /SeaBIOS|Linux version/);
  const late = await serial();
  await late.sees(/guest-1 login: /);
  assert.equal(late.seen, early.seen, 'what was said before is the same for all, once and whole');
  early.end.write('nobody\r');
  for (const reader of [early, late]) await reader.sees(/nobody\r\n/);
  for (const { end } of [early, late]) end.destroy();
});

test('a screen speaks RFB and shows something', async () => {
  const screen = await driver.console(spec.instanceId, 'vnc');
  const [version] = (await once(screen, 'data')) as [Buffer];
  assert.equal(version.toString(), 'RFB 003.008\n');
  screen.destroy();
});

test('a guest that says much, escape sequences and all, waits for nobody who does not read', async () => {
  await untilLogin(area.keyPath, address);
  const [asleep, awake] = [await driver.console(spec.instanceId, 'serial'), await serial()];
  const line = String.raw`\033[2J\033]0;title\007\033[6n`;
  await guest(`printf '${line}' >/dev/ttyS0; seq 2000 >/dev/ttyS0; echo all said >/dev/ttyS0`);
  await awake.sees(/\n2000\r\nall said\r\n/);
  for (const end of [asleep, awake.end]) end.destroy();
});

test('a guest that takes nothing fills nothing but its own queue, and who typed can go', async () => {
  const pid = qemuPid(spec.instanceId);
  const [typing, watching] = [await serial(), await serial()];
  process.kill(pid, 'SIGSTOP');
  try {
    let taken = 0;
    const piece = Buffer.alloc(16 * 1024, 'x');
    while (typing.end.write(piece)) taken += piece.length;
    assert.ok(taken < 1024 * 1024, `${taken} bytes were taken`);
    const closed = once(typing.end, 'close');
    typing.end.destroy();
    await closed;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await guest('echo still here >/dev/ttyS0');
  await watching.sees(/still here\r\n/);
  watching.end.destroy();
});

test('the serial port is there while the VM is off, the screen is not, and both are with its next start', async () => {
  const reader = await serial();
  await driver.halt(spec.instanceId);
  await assert.rejects(driver.console(spec.instanceId, 'vnc'), /is off/);
  reader.end.write('typed into nothing');
  reader.seen = '';
  spec = { ...spec, bootNumber: 2 };
  await runVm(driver, spec);
  await reader.sees(/guest-1 login: /);
  (await driver.console(spec.instanceId, 'vnc')).destroy();
  reader.end.destroy();
});

test('another agent finds the port and what was said on it', async () => {
  const before = await serial();
  await before.sees(/login: /);
  const closed = once(before.end, 'close');
  await driver.close();
  await closed;
  driver = await qemuDriver(area.directory);
  await driver.observe();
  const reader = await serial();
  await reader.sees(/guest-1 login: /);
  reader.end.write('nobody\r');
  await reader.sees(/nobody\r\n/);
  reader.end.destroy();
});

test('readers are gone with the VM', async () => {
  const reader = await serial();
  const closed = once(reader.end, 'close');
  await driver.erase(spec.instanceId, 0);
  await closed;
  await assert.rejects(driver.console(spec.instanceId, 'serial'), /not on this host/);
});
