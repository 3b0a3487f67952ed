// The processor, from /proc/cpuinfo. A hypervisor may hide the real one behind a model of its own; then who made it and
// what it is are unknown, as customers choose by them.

import { join } from 'node:path';
import type { HostHardware } from '../../api/agent/contract/inventory.ts';
import { amdKind, armKind, type CpuKind, intelKind } from './cpu-table.ts';
import { cleanName, readText } from './files.ts';

type Cpu = HostHardware['cpu'];

const makers: Readonly<Record<string, string>> = { AuthenticAMD: 'AMD', GenuineIntel: 'Intel', HygonGenuine: 'Hygon' };

/** How brands stand in processors' names. `Core` alone is in many a name, as in `64-Core Processor`. */
const brands: readonly (readonly [brand: string, pattern: RegExp])[] = [
  ['Ryzen Threadripper', /\bRyzen Threadripper\b/],
  ['Ryzen', /\bRyzen\b/],
  ['EPYC', /\bEPYC\b/],
  ['Opteron', /\bOpteron\b/],
  ['Athlon', /\bAthlon\b/],
  ['Xeon', /\bXeon\b/],
  ['Core', /\bCore(\(TM\)| i\d| Ultra)/],
  ['Pentium', /\bPentium\b/],
  ['Celeron', /\bCeleron\b/],
  ['Atom', /\bAtom\b/],
];

/** What hypervisors call the processors that they make up. */
const madeUp = /^(QEMU|Common|Virtual|KVM|BHYVE|VirtualBox)\b/i;

/** What is known of the processors of a machine. @param root where `/` is, for tests */
export async function readCpu(root = '/'): Promise<Cpu> {
  return parseCpuinfo(await readText(join(root, 'proc/cpuinfo')));
}

/** Reads the text of /proc/cpuinfo, of x86-64 and arm64. */
export function parseCpuinfo(text: string): Cpu {
  const processors = text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter((fields) => fields.has('processor'));
  const first = processors[0] ?? new Map<string, string>();
  const isArm = first.has('CPU implementer');
  const name = cleanName(first.get('model name') ?? '');
  const { manufacturer, kind } = isArm ? armCpu(first) : x86Cpu(first, name ?? '');
  return {
    manufacturer,
    brand: name === null ? null : brandOf(name),
    architecture: kind?.architecture ?? null,
    generation: kind?.generation ?? versionOf(name ?? ''),
    model: name,
    cores: coresOf(processors),
    threads: processors.length || null,
  };
}

function fieldsOf(block: string): Map<string, string> {
  return new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

interface Made {
  manufacturer: string | null;
  kind: CpuKind | null;
}

function x86Cpu(fields: ReadonlyMap<string, string>, name: string): Made {
  if (madeUp.test(name)) return { manufacturer: null, kind: null };
  const vendor = fields.get('vendor_id') ?? '';
  const manufacturer = Object.hasOwn(makers, vendor) ? (makers[vendor] ?? null) : null;
  const number = (field: string) => Number.parseInt(fields.get(field) ?? '', 10);
  const [family, model, stepping] = [number('cpu family'), number('model'), number('stepping')];
  switch (manufacturer) {
    case 'AMD':
      return { manufacturer, kind: amdKind(family, model) };
    case 'Intel':
      return { manufacturer, kind: intelKind(family, model, stepping, /\bXeon\b/.test(name)) };
    default:
      return { manufacturer, kind: null };
  }
}

function armCpu(fields: ReadonlyMap<string, string>): Made {
  return armKind(Number(fields.get('CPU implementer')), Number(fields.get('CPU part')));
}

function brandOf(name: string): string | null {
  return brands.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}

/** Intel's Xeons before the scalable ones carry their generation in the name, as in `E5-2690 v4`. */
function versionOf(name: string): string | null {
  return /\bXeon\b.* E[357]-\S+ v(\d)\b/.exec(name)?.[1] ?? null;
}

/** Cores, by where each thread says that it sits; null where threads don't say. */
function coresOf(processors: readonly ReadonlyMap<string, string>[]): number | null {
  const seats = processors.map((fields) => [fields.get('physical id'), fields.get('core id')]);
  if (seats.length === 0 || seats.flat().includes(undefined)) return null;
  return new Set(seats.map((seat) => seat.join(' '))).size;
}
