// What can be chosen of a machine: keyboards that QEMU has, and chords of keys.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { keymaps, parseChord, sendkeys } from '../../src/model/machine.ts';

test('a chord is read key by key, and one unknown key makes it none', () => {
  assert.deepEqual(parseChord('ctrl-alt-delete'), ['ctrl', 'alt', 'delete']);
  assert.deepEqual(parseChord('altgr_r'), ['altgr_r']);
  assert.deepEqual(parseChord('kp_0-kp_add'), ['kp_0', 'kp_add']);
  for (const text of ['', '-', 'ctrl-', '-ctrl', 'ctrl--alt', 'CTRL', 'ctrl alt', 'ctrl+alt', 'unmapped', '__proto__'])
    assert.equal(parseChord(text), undefined, text);
  assert.deepEqual(parseChord(Array(10).fill('a').join('-')), Array(10).fill('a'));
  assert.equal(parseChord(Array(11).fill('a').join('-')), undefined, 'more keys than fingers');
});

test('names are there once, and each keyboard is one that QEMU has', () => {
  for (const list of [keymaps, sendkeys]) assert.equal(new Set(list).size, list.length);
  for (const keymap of keymaps) assert.ok(existsSync(`/usr/share/qemu/keymaps/${keymap}`), keymap);
});
