// The kind of memory, from the firmware's description of the machine: SMBIOS, whose raw table the kernel shows to root.
// Virtual machines have none, or one that says nothing.

import { join } from 'node:path';
import type { HostHardware } from '../../api/agent/contract/inventory.ts';
import { readBytes } from './files.ts';

type Memory = HostHardware['memory'];

const unknown: Memory = { type: null, generation: null };

/** SMBIOS 3.7, structure type 17, "Memory Device": its number, and where in it what stands. */
const memoryDevice = 17;
const endOfTable = 127;
const sizeOffset = 0x0c;
const typeOffset = 0x12;
const headerLength = 4;

/** "Memory Device: Type", as far as it is sold as memory of a host. */
const memoryTypes: Readonly<Record<number, Memory>> = {
  18: { type: 'DDR', generation: '1' },
  19: { type: 'DDR', generation: '2' },
  20: { type: 'DDR', generation: '2' }, // on fully buffered modules
  24: { type: 'DDR', generation: '3' },
  26: { type: 'DDR', generation: '4' },
  27: { type: 'LPDDR', generation: '1' },
  28: { type: 'LPDDR', generation: '2' },
  29: { type: 'LPDDR', generation: '3' },
  30: { type: 'LPDDR', generation: '4' },
  32: { type: 'HBM', generation: '1' },
  33: { type: 'HBM', generation: '2' },
  34: { type: 'DDR', generation: '5' },
  35: { type: 'LPDDR', generation: '5' },
  36: { type: 'HBM', generation: '3' },
};

/** What kind of memory a machine has. @param root where `/` is, for tests */
export async function readMemory(root = '/'): Promise<Memory> {
  return parseSmbios(await readBytes(join(root, 'sys/firmware/dmi/tables/DMI')));
}

/** The kind that most of the modules of a raw SMBIOS table are of. */
export function parseSmbios(table: Uint8Array): Memory {
  const counts = new Map<number, number>();
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let at = 0; at + headerLength <= table.length; ) {
    const [type = 0, length = 0] = [table[at], table[at + 1]];
    if (type === endOfTable || length < headerLength || at + length > table.length) break;
    // A socket without a module has size 0.
    if (type === memoryDevice && length > typeOffset && view.getUint16(at + sizeOffset, true) !== 0) {
      const kind = table[at + typeOffset] ?? 0;
      if (Object.hasOwn(memoryTypes, kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    at = endOfStrings(table, at + length);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return (most && memoryTypes[most[0]]) || unknown;
}

/** Behind a structure come its texts, each ended by a zero, and one more zero. */
function endOfStrings(table: Uint8Array, from: number): number {
  let at = from;
  while (at + 1 < table.length && (table[at] !== 0 || table[at + 1] !== 0)) at += 1;
  return at + 2;
}
