// The packet filter's table by itself, in the real nftables: who may ask resolvers, whose elements are whose, and that it
// goes with its last instance. That it holds guests back is held by the test that runs some.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Forward } from '../../../src/agent/network/forwards.ts';
import { Isolation } from '../../../src/agent/network/isolation.ts';

const run = promisify(execFile);
const name = `berth_test_${process.pid}`;
const forward = (hostAddress: string, hostPort: number, guestPort: number): Forward => ({
  protocol: 'tcp',
  hostAddress,
  hostPort,
  guestPort,
});
const table = async () => (await run('nft', ['list', 'table', 'inet', name])).stdout.replace(/\s+/g, ' ');

let directory: string;
let isolation: Isolation;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-filter-'));
  const resolverFile = join(directory, 'resolv.conf');
  await writeFile(
    resolverFile,
    '# made up\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver 169.254.169.254\n',
  );
  isolation = new Isolation(name, resolverFile);
});
after(async () => {
  await isolation.release('', async () => new Map());
  await rm(directory, { recursive: true });
});

test('resolvers of the host answer its guests, also on addresses that are closed otherwise', async () => {
  await isolation.admit(new Map([['a', 1900000001]]));
  const rules = await table();
  const first = rules.indexOf('ip daddr 127.0.0.53 meta l4proto { tcp, udp } th dport 53 accept');
  const second = rules.indexOf('ip daddr 169.254.169.254 meta l4proto { tcp, udp } th dport 53 accept');
  const drop = rules.indexOf('drop');
  assert.ok(first > 0 && second > first && drop > second, rules);
});

test('admitting and opening again changes nothing, and one instance’s changes leave the others alone', async () => {
  await isolation.admit(new Map([['b', 1900000002]]));
  await isolation.open('a', [forward('127.44.253.1', 22, 22), forward('127.44.253.1', 20080, 80)]);
  await isolation.open('b', [forward('127.44.253.2', 22, 22)]);
  const before = await table();
  await isolation.admit(new Map([['a', 1900000001]]));
  await isolation.open('a', [forward('127.44.253.1', 22, 22), forward('127.44.253.1', 20080, 80)]);
  assert.equal(await table(), before);
  assert.match(before, /127\.44\.253\.1 \. tcp \. 80 comment "a" : 127\.44\.253\.1 \. 20080/);

  await isolation.open('a', [forward('127.44.253.1', 20081, 80)]);
  const changed = await table();
  assert.match(changed, /127\.44\.253\.1 \. tcp \. 80 comment "a" : 127\.44\.253\.1 \. 20081/);
  assert.doesNotMatch(changed, /127\.44\.253\.1 \. tcp \. 22 /);
  assert.match(changed, /127\.44\.253\.2 \. tcp \. 22 comment "b"/);
});

test('an address that went to another instance is that one’s', async () => {
  await isolation.open('b', [forward('127.44.253.1', 80, 80)]);
  const rules = await table();
  assert.match(rules, /127\.44\.253\.1 \. tcp \. 80 comment "b"/);
  assert.doesNotMatch(rules, /comment "a" :|\. \d+ comment "a"/, 'nothing redirects it or opens more of it');
});

test('a user id that two instances share stays behind the wall until both are gone; then the table goes', async () => {
  await isolation.admit(new Map([['c', 1900000001]]));
  await isolation.release('a', async () => new Map([['c', 1900000001]]));
  assert.match(await table(), /guests { type uid elements = {[^}]*1900000001 comment "c"/);
  await isolation.release('c', async () => new Map());
  assert.equal(await isolation.intact(), false);
  await isolation.release('c', async () => new Map());
});
