// An additional address of a VM that its hypervisor connects by itself, on real QEMU.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { banner, inGuest, qemuDriver, runVm, type Scratch, scratch, specOf, untilLogin } from '../vm/support.ts';

const [address, additional] = ['127.67.9.1', '127.67.9.2'];
let ground: Scratch;
let driver: QemuDriver;
let vm: VmSpec;

before(async () => {
  ground = await scratch('additional');
  driver = await qemuDriver(ground.directory);
  vm = specOf(1, address, ground.publicKey);
  await runVm(driver, vm);
  await untilLogin(ground.keyPath, address);
});
after(async () => {
  await driver?.close();
  await ground?.clean();
});

/** The VM with these addresses. */
const withAddresses = (...ips: string[]): VmSpec => ({
  ...vm,
  network: {
    vlan: 1,
    allPortsOpen: true,
    addresses: ips.map((ip) => ({ ip, isAdditional: ip !== address, range: null })),
  },
});

test('it leads to the VM at once, with the same ports open and no others, and not any more once it is gone', async () => {
  assert.equal(await banner(additional, 22), null);
  await runVm(driver, withAddresses(address, additional));
  assert.match((await banner(additional, 22)) ?? '', /^SSH-2\.0-/);
  assert.equal(await inGuest(ground.keyPath, additional, 'hostname'), vm.hostname);
  assert.equal(await banner(additional, 80), null, 'all ports are open only where a host connects VMs to networks');
  await runVm(driver, withAddresses(address));
  assert.equal(await banner(additional, 22), null);
  assert.match((await banner(address, 22)) ?? '', /^SSH-2\.0-/);
});
