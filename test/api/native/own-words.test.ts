// Refusals that use cases say in Bytemark's words, in those of Berth's own API.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultInOwnWords, inOwnWords } from '../../../src/api/native/own-words.ts';

test('what Bytemark calls discs and heads are disks and hosts', () => {
  const said: [bytemark: string, own: string][] = [
    ['a virtual machine has up to 8 discs', 'a virtual machine has up to 8 disks'],
    [
      "is more than the virtual machine's head has room for: 5 GiB",
      "is more than the virtual machine's host has room for: 5 GiB",
    ],
    [
      'is of a virtual machine on another head: discs stay on theirs',
      'is of a virtual machine on another host: disks stay on theirs',
    ],
    ["can't be changed: web starts from this disc", "can't be changed: web starts from this disk"],
    [
      "The discs of web can't be changed like this now: it is on.",
      "The disks of web can't be changed like this now: it is on.",
    ],
    ['needs a disc or a CD to start from', 'needs a disk or a CD to start from'],
    [
      'The virtual machine web has no disc to put an image on.',
      'The virtual machine web has no disk to put an image on.',
    ],
    [
      'The VM web must be off while a disc of it is restored; stop it first.',
      'The VM web must be off while a disk of it is restored; stop it first.',
    ],
    ['The VM web has no such disc any more.', 'The VM web has no such disk any more.'],
    ['The disc has no such schedule.', 'The disk has no such schedule.'],
    ['A backup of disc "data" is being made', 'A backup of disk "data" is being made'],
    [
      'The backup "b" has 5 MiB and does not fit on the disc.',
      'The backup "b" has 5 MiB and does not fit on the disk.',
    ],
    ['There is no disc "17".', 'There is no disk "17".'],
    ['ask for less memory or smaller discs, or try later.', 'ask for less memory or smaller disks, or try later.'],
  ];
  for (const [bytemark, own] of said) assert.equal(inOwnWords(bytemark), own);
});

test('a name that can’t be is told what it may have in it', () => {
  assert.match(faultInOwnWords('name', 'is invalid'), /letters, digits and "-"/);
  assert.equal(faultInOwnWords('name', "can't be blank"), "can't be blank");
  assert.equal(faultInOwnWords('vlan', 'is invalid'), 'is invalid');
});

test('names and labels that somebody has given stay as they are', () => {
  for (const text of [
    'is of a virtual machine that has a disk called disc',
    'Another disk is called "disc-2" already.',
    "The disks of disc can't be changed like this now",
    'label is "disc", which is taken',
    'The head of the file is missing',
  ]) {
    assert.equal(inOwnWords(text), text);
  }
});
