// SMBIOS tables, built byte by byte as firmware lays them out.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSmbios, readMemory } from '../../../src/agent/hardware/memory.ts';

/** One structure: header, body, texts, and the zeros that end it. */
function structure(type: number, body: number[], texts: string[] = []): Buffer {
  const strings = texts.length > 0 ? texts.map((text) => `${text}\0`).join('') : '\0';
  return Buffer.concat([Buffer.from([type, body.length + 4, 0, 0, ...body]), Buffer.from(`${strings}\0`, 'latin1')]);
}

/** A memory socket: its size in MiB (0 when empty) and the number of its kind. */
function module(sizeMib: number, kind: number): Buffer {
  const body = new Array<number>(0x28 - 4).fill(0);
  [body[0x0c - 4], body[0x0d - 4], body[0x12 - 4]] = [sizeMib & 0xff, sizeMib >> 8, kind];
  return structure(17, body, ['DIMM_A1', 'Samsung']);
}

const firmware = structure(0, [1, 2, 0, 0, 3, 0], ['Maker', '1.0', '01/01/2024']);
const end = structure(127, []);
const table = (...modules: Buffer[]) => Buffer.concat([firmware, ...modules, end]);

test('the kind of memory is what the modules are of, without the empty sockets', () => {
  assert.deepEqual(parseSmbios(table(module(0, 0x1a), module(0x7fff, 0x22))), { type: 'DDR', generation: '5' });
  assert.deepEqual(parseSmbios(table(module(16_384, 0x1a), module(0, 2))), { type: 'DDR', generation: '4' });
  assert.deepEqual(parseSmbios(table(module(8192, 0x18))), { type: 'DDR', generation: '3' });
  assert.deepEqual(parseSmbios(table(module(8192, 0x23))), { type: 'LPDDR', generation: '5' });
});

test('what the firmware does not know, or says nothing of, is unknown', () => {
  const unknown = { type: null, generation: null };
  assert.deepEqual(parseSmbios(table()), unknown);
  assert.deepEqual(parseSmbios(table(module(16_384, 7))), unknown, 'RAM, says a hypervisor');
  assert.deepEqual(parseSmbios(table(module(16_384, 2))), unknown);
  assert.deepEqual(parseSmbios(Buffer.concat([end, module(16_384, 0x1a)])), unknown, 'behind the end');
  assert.deepEqual(parseSmbios(module(16_384, 0x1a).subarray(0, 12)), unknown, 'cut off');
});

test('the table is read from where the kernel shows it, and is unknown where it shows none', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'berth-dmi-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  assert.deepEqual(await readMemory(root), { type: null, generation: null });
  await mkdir(join(root, 'sys/firmware/dmi/tables'), { recursive: true });
  await writeFile(join(root, 'sys/firmware/dmi/tables/DMI'), table(module(8192, 0x1a)));
  assert.deepEqual(await readMemory(root), { type: 'DDR', generation: '4' });
});

test('no bytes make reading fail or go on for ever', () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.tuple(fc.nat(0xffff), fc.nat(255)).map(([size, kind]) => module(size, kind)),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const { type } = parseSmbios(Buffer.concat(parts));
      assert.ok([null, 'DDR', 'LPDDR', 'HBM'].includes(type));
    }),
  );
});
