// What is done to a running guest on real QEMU: keys that it reads, a reset that changes nothing of its machine, a power cycle
// that does, and its power button.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { parseChord, sendkeys } from '../../../src/model/machine.ts';
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

const address = '127.66.41.1';

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
const guest = (command: string) => inGuest(ground.keyPath, address, command);
const bootId = () => guest('cat /proc/sys/kernel/random/boot_id');

before(async () => {
  ground = await scratch('signal');
  driver = await qemuDriver(ground.directory);
  spec = specOf(1, address, ground.publicKey);
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
});
after(async () => {
  await driver.close();
  await ground.clean();
});

/** Every key that the guest's input devices told of, as `code value`: 1 for pressed, 0 for let go. */
async function keysRead(): Promise<string[]> {
  const events = Buffer.from(await guest('cat /tmp/keys-* | base64'), 'base64');
  const read: string[] = [];
  // A time of 16 bytes, then what kind of event it is (1 for a key), which key, and what of it.
  for (let at = 0; at + 24 <= events.length; at += 24) {
    if (events.readUInt16LE(at + 16) === 1) read.push(`${events.readUInt16LE(at + 18)} ${events.readInt32LE(at + 20)}`);
  }
  return read;
}

test('keys that are sent together are pressed and let go in the guest', async () => {
  await guest(
    'modprobe evdev; for device in /dev/input/event*; do cat $device >$(mktemp /tmp/keys-XXXXXX) 2>/dev/null & done; sleep 1',
  );
  assert.equal(await driver.act(spec.instanceId, { kind: 'sendkey', keys: ['ctrl', 'altgr', 'q'] }), true);
  // 29 is the left Ctrl, 100 the right Alt, 16 is Q.
  const expected = ['29 1', '100 1', '16 1', '16 0', '100 0', '29 0'];
  await until('the guest has read them', async () => (await keysRead()).length >= expected.length, 60_000);
  assert.deepEqual((await keysRead()).toSorted(), expected.toSorted());
  assert.deepEqual((await keysRead()).slice(0, 3), expected.slice(0, 3), 'pressed in this order');
});

test('QEMU knows every key that can be sent', async () => {
  for (const key of sendkeys) {
    // What the guest would act on is left out: a way to restart, and to switch it off.
    if (key === 'sysrq') continue;
    const keys = parseChord(key);
    assert.ok(keys, key);
    assert.equal(await driver.act(spec.instanceId, { kind: 'sendkey', keys }), true, key);
  }
});

test('a reset starts the guest anew in the same QEMU, on the machine that it had', async () => {
  const pid = qemuPid(spec.instanceId);
  const larger = { ...spec, vcpus: 2, memoryMib: 512 };
  await runVm(driver, larger);
  const before = await bootId();
  assert.equal(await driver.act(spec.instanceId, { kind: 'reset' }), true);
  await until('it is up again', async () => (await bootId()) !== before, bootTimeoutMs);
  assert.equal(qemuPid(spec.instanceId), pid);
  assert.equal(await guest('nproc'), '1');
  const memoryKib = () => guest("sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo");
  assert.ok(Number(await memoryKib()) < 260_000, 'it has as much memory as before');

  await driver.halt(spec.instanceId);
  spec = { ...larger, bootNumber: 2 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('nproc'), '2');
  assert.ok(Number(await memoryKib()) > 400_000);
});

test('the power button reaches the guest, which goes off by itself; then there is nothing to press', async () => {
  // It listens to the button a moment after it lets people in.
  for (;;) {
    assert.equal(await driver.act(spec.instanceId, { kind: 'powerdown' }), true);
    const isOff = await until(
      'it is off',
      async () => (await driver.inspect(spec.instanceId))?.power === 'off',
      30_000,
    ).catch(() => false);
    if (isOff) break;
    await sleep(1_000);
  }
  for (const kind of ['powerdown', 'reset'] as const) assert.equal(await driver.act(spec.instanceId, { kind }), false);
  assert.equal(await driver.act(`0x${'0'.repeat(40)}`, { kind: 'reset' }), false, 'there is no such VM');
});
