// Finding out whether guests can run on the processor itself: the probe guest is real, the hosts are made up.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { detectAcceleration, probeGuest } from '../../../src/agent/vm/acceleration.ts';

let directory: string;
const host = (changes: Partial<Parameters<typeof detectAcceleration>[0]> = {}) => ({
  cpuinfo: join(directory, 'cpuinfo'),
  device: join(directory, 'kvm'),
  probe: async () => true,
  ...changes,
});

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-acceleration-'));
  await writeFile(join(directory, 'cpuinfo'), 'processor\t: 0\nflags\t\t: fpu vme svm sse2\n');
  await writeFile(join(directory, 'plain'), 'processor\t: 0\nflags\t\t: fpu vme svm_lock sse2\n');
  await writeFile(join(directory, 'kvm'), '');
  await chmod(join(directory, 'kvm'), 0o666);
});
after(() => rm(directory, { recursive: true }));

test('the probe guest runs to its end on a processor that works', async () => {
  assert.equal(await probeGuest('tcg'), true);
});

test('a probe that hangs is ended in bounded time and counts as not running', async () => {
  const program = join(directory, 'hangs');
  await writeFile(program, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
  assert.equal(await probeGuest('kvm', { program, timeoutMs: 200 }), false);
  assert.equal(await probeGuest('kvm', { program: join(directory, 'missing') }), false);
});

test('KVM is used only where the processor, the device and the probe guest all say so', async () => {
  assert.equal((await detectAcceleration(host())).acceleration, 'kvm');
  const cases: [Partial<Parameters<typeof detectAcceleration>[0]>, RegExp][] = [
    [{ cpuinfo: join(directory, 'plain') }, /neither vmx nor svm/],
    [{ device: join(directory, 'none') }, /there is no /],
    [{ probe: async () => false }, /a probe guest did not run/],
  ];
  for (const [changes, reason] of cases) {
    const finding = await detectAcceleration(host(changes));
    assert.equal(finding.acceleration, 'tcg');
    assert.match(finding.reason, reason);
  }
});

test('what is found on this very machine is what a guest can run on', async () => {
  const { acceleration, reason } = await detectAcceleration();
  assert.ok(reason.endsWith('.'), reason);
  if (acceleration === 'kvm') assert.equal(await probeGuest('kvm'), true);
});
