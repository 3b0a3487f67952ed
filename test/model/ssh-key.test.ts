// Public keys: what passes is one line that holds one key, whatever was pasted.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { checkPublicKey, checkSshKeyName, isMeantAsKey, partsOf } from '../../src/model/ssh-key.ts';
import { keys } from '../api/support.ts';

test('keys as ssh-keygen writes them pass unchanged but for the line’s end', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-keys-'));
  try {
    for (const kind of ['ed25519', 'rsa -b 2048', 'ecdsa -b 256', 'ecdsa -b 384', 'ecdsa -b 521']) {
      const file = join(directory, kind.replaceAll(' ', ''));
      execFileSync('ssh-keygen', ['-q', '-t', ...kind.split(' '), '-N', '', '-C', 'ann b', '-f', file]);
      const text = readFileSync(`${file}.pub`, 'utf8');
      assert.equal(checkPublicKey(text, 'key'), text.trim());
      assert.throws(() => checkPublicKey(readFileSync(file, 'utf8'), 'key'), /private key/);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a key without a comment passes', () => {
  const bare = keys.ed25519.split(' ').slice(0, 2).join(' ');
  assert.equal(checkPublicKey(bare, 'key'), bare);
});

test('a key that lacks or has changed any of its bytes of structure is refused', () => {
  const [algorithm = '', encoded = ''] = keys.ed25519.split(' ');
  const blob = Buffer.from(encoded, 'base64');
  for (let length = 0; length < blob.length; length += 1) {
    assert.throws(
      () => checkPublicKey(`${algorithm} ${blob.subarray(0, length).toString('base64')}`, 'key'),
      BerthError,
    );
  }
  assert.throws(
    () => checkPublicKey(`${algorithm} ${Buffer.concat([blob, Buffer.from([0])]).toString('base64')}`, 'key'),
    BerthError,
  );
  for (let at = 0; at < 19; at += 1) {
    const bent = Buffer.from(blob);
    bent[at] = (bent[at] ?? 0) ^ 1;
    assert.throws(() => checkPublicKey(`${algorithm} ${bent.toString('base64')}`, 'key'), BerthError, `byte ${at}`);
  }
});

test('whatever passes is one line of a known type, and no message repeats what was sent', () => {
  const parts = fc.constantFrom(
    ...keys.ed25519.split(' '),
    keys.rsa,
    '\n',
    '\r',
    ' ',
    '\t',
    '\u0000',
    'command="x"',
    '#',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 6 }), (pieces) => {
      const text = pieces.join(' ');
      try {
        assert.match(checkPublicKey(text, 'key'), /^(ssh|ecdsa|sk)-\P{Cc}+$/u);
      } catch (error) {
        assert.ok(error instanceof BerthError, String(error));
        assert.ok(!error.message.includes('AAAAC3NzaC1lZDI1NTE5AAAAI'));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a key’s parts are those that ssh-keygen tells, and its comment is none of its fingerprint', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-keys-'));
  try {
    for (const [index, key] of Object.values(keys).entries()) {
      const file = join(directory, `${index}.pub`);
      writeFileSync(file, `${key}\n`);
      const [, fingerprint] = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' }).split(' ');
      const [algorithm = '', encoded = ''] = key.split(' ');
      assert.deepEqual(partsOf(key), { algorithm, fingerprint, comment: 'ann@example' });
      assert.deepEqual(partsOf(`${algorithm}  ${encoded} two words`), { algorithm, fingerprint, comment: 'two words' });
      assert.deepEqual(partsOf(`${algorithm} ${encoded}`), { algorithm, fingerprint, comment: '' });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a name is one that can’t be read as a key or a fingerprint', () => {
  for (const name of ['a', 'Ann’s laptop', 'ssh', 'my ssh-rsa key', 'x'.repeat(255), '😀']) {
    assert.equal(checkSshKeyName(name, 'name'), name);
    assert.ok(!isMeantAsKey(name));
  }
  for (const name of ['', ' a', 'a ', 'a\nb', '\u0000', '\uD800', 'x'.repeat(256), 'ssh-rsa', keys.rsa, 'SHA256:x']) {
    assert.throws(() => checkSshKeyName(name, 'name'), { code: 'invalid_value' }, JSON.stringify(name).slice(0, 40));
  }
});
